// When the kubelet asks for a new token, and what it does when it gets none (pkg/kubelet/token/token_manager.go).

/** What a TokenRequest asks for. */
export interface TokenWish {
  readonly pod: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly serviceAccount: string;
  readonly audience: string;
  readonly expirationSeconds: number;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresMs: number;
}

export type TokenSource = (wish: TokenWish) => Promise<IssuedToken>;

export interface TokensOptions {
  readonly source: TokenSource;
  /** Milliseconds. */
  readonly now: () => number;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface Tokens {
  /** The one at hand, or a new one where it is due. Where there is no new one, the old one until it has expired. */
  get(wish: TokenWish): Promise<string>;
}

const dayMs = 86_400_000;
const maxJitterMs = 10_000;

export function createTokens({ source, now, random }: TokensOptions): Tokens {
  const byWish = new Map<string, IssuedToken>();
  return {
    get: async (wish) => {
      const key = JSON.stringify(wish);
      const current = byWish.get(key);
      if (current !== undefined && !isDue(current, wish)) return current.token;
      try {
        const next = await source(wish);
        byWish.set(key, next);
        return next.token;
      } catch (error) {
        if (current === undefined || now() > current.expiresMs) throw error;
        return current.token;
      }
    },
  };

  function isDue({ expiresMs }: IssuedToken, { expirationSeconds }: TokenWish): boolean {
    const lifetimeMs = expirationSeconds * 1000;
    const issuedMs = expiresMs - lifetimeMs;
    const jitterMs = random() * maxJitterMs;
    const atMs = Math.min(issuedMs + dayMs, issuedMs + lifetimeMs * 0.8) - jitterMs;
    return now() > atMs || now() < issuedMs;
  }
}
