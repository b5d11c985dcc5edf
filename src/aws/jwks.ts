// JSON Web Key Sets as Kubernetes publishes them: the keys that STS can use, and nothing of a private key ever.
import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ownField, ownText } from './own-field.ts';

/** What STS verifies (AssumeRoleWithWebIdentity: WebIdentityToken). Kubernetes signs with the first of each kind of key. */
export const RSA_ALGORITHMS: readonly string[] = ['RS256', 'RS384', 'RS512'];
export const CURVE_ALGORITHMS: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
};
export const ALGORITHMS: readonly string[] = [...RSA_ALGORITHMS, ...Object.values(CURVE_ALGORITHMS)];
/** IAM: a provider's JWKS may hold 100 keys of each kind. */
export const MAX_KEYS_OF_A_KIND = 100;
// RFC 7518 §3.3.
const MIN_RSA_BITS = 2048;

/** In the order in which the API server writes the members. */
export type PublicJwk =
  | {
      readonly use: 'sig';
      readonly kty: 'RSA';
      readonly kid: string;
      readonly alg: string;
      readonly n: string;
      readonly e: string;
    }
  | {
      readonly use: 'sig';
      readonly kty: 'EC';
      readonly kid: string;
      readonly crv: string;
      readonly alg: string;
      readonly x: string;
      readonly y: string;
    };

export interface Jwks {
  readonly keys: readonly PublicJwk[];
  /** Keys that STS cannot use, with the reason, a sentence each. */
  readonly unusable: readonly string[];
  /** Ids of keys that were published with their private half. */
  readonly leaked: readonly string[];
}

/** Undefined where the value is no JWKS. */
export function parseJwks(value: unknown): Jwks | undefined {
  const members = ownField(value, 'keys');
  if (!Array.isArray(members)) return undefined;
  const parsed = members.map((member: unknown) => parseJwk(member));
  return {
    keys: parsed.flatMap((one) => ('key' in one ? [one.key] : [])),
    unusable: parsed.flatMap((one) => ('problem' in one ? [one.problem] : [])),
    leaked: members.filter((member: unknown) => isPrivate(member)).map((member: unknown) => nameOf(member)),
  };
}

export function jwksDocument(keys: readonly PublicJwk[]): { readonly keys: readonly PublicJwk[] } {
  return { keys };
}

type Parsed = { readonly key: PublicJwk } | { readonly problem: string };

function parseJwk(member: unknown): Parsed {
  const kid = ownText(member, 'kid');
  const refused = (why: string): Parsed => ({ problem: `key ${nameOf(member)}: ${why}` });
  if (kid === undefined) return refused('it has no kid, and tokens name their key by it');
  const use = ownField(member, 'use');
  if (use !== undefined && use !== 'sig') return refused(`its use is ${JSON.stringify(use)}; want sig`);
  const key = keyFrom(member);
  const jwk = key === undefined ? undefined : jwkFrom(key, kid);
  if (jwk === undefined)
    return refused('it is no RSA key and none of P-256, P-384 or P-521, which is all that STS takes');
  if ('problem' in jwk) return refused(jwk.problem);
  const alg = ownField(member, 'alg');
  if (alg === undefined || alg === jwk.key.alg) return jwk;
  const other = RSA_ALGORITHMS.find((known) => known === alg);
  if (jwk.key.kty === 'RSA' && other !== undefined) return { key: { ...jwk.key, alg: other } };
  return refused(`its alg is ${JSON.stringify(alg)}; want ${jwk.key.alg}`);
}

function keyFrom(member: unknown): KeyObject | undefined {
  const kty = ownText(member, 'kty');
  // Only these reach the key: what is private stays out, whatever the member holds.
  const names = ['kty', 'n', 'e', 'crv', 'x', 'y'];
  if (kty !== 'RSA' && kty !== 'EC') return undefined;
  try {
    const parts = Object.fromEntries(names.flatMap((name) => entryOf(member, name)));
    return createPublicKey({ key: parts, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function entryOf(member: unknown, name: string): readonly (readonly [string, string])[] {
  const text = ownText(member, name);
  return text === undefined ? [] : [[name, text]];
}

/** Of a public key, as the API server would publish it; undefined where STS takes no such key. */
export function jwkFrom(key: KeyObject, kid: string): Parsed | undefined {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType === 'rsa') {
    if (bits < MIN_RSA_BITS) return { problem: `it is RSA of ${bits} bits; want ${MIN_RSA_BITS} at least` };
    const { n = '', e = '' } = key.export({ format: 'jwk' });
    return { key: { use: 'sig', kty: 'RSA', kid, alg: 'RS256', n, e } };
  }
  if (key.asymmetricKeyType !== 'ec') return undefined;
  const { crv = '', x = '', y = '' } = key.export({ format: 'jwk' });
  const alg = CURVE_ALGORITHMS[crv];
  return alg === undefined ? undefined : { key: { use: 'sig', kty: 'EC', kid, crv, alg, x, y } };
}

function nameOf(member: unknown): string {
  return JSON.stringify(ownText(member, 'kid') ?? '');
}

/** `d` is the private exponent of RSA and EC, `k` a shared secret (RFC 7518 §6). */
function isPrivate(member: unknown): boolean {
  return ['d', 'k'].some((name) => ownField(member, name) !== undefined);
}

export interface MergeOptions {
  /** What the cluster signs and verifies with now. */
  readonly current: readonly PublicJwk[];
  /** What is published already. */
  readonly published: readonly PublicJwk[];
  /** Ids of keys to leave out although they are published. */
  readonly retired: readonly string[];
}

export interface Merged {
  readonly keys: readonly PublicJwk[];
  /** Ids that are published and no longer the cluster's: tokens signed with them may still live. */
  readonly kept: readonly string[];
  /** Ids of current keys that were published with another key. */
  readonly replaced: readonly string[];
  /** Why STS could not use the result; empty where it can. */
  readonly problems: readonly string[];
}

/** The current keys first; each id once. */
export function mergedKeys({ current, published, retired }: MergeOptions): Merged {
  const keys = new Map(current.map((key) => [key.kid, key]));
  const kept = published.filter(({ kid }) => !keys.has(kid) && !retired.includes(kid));
  const replaced = published.filter((key) => keys.has(key.kid) && !isSameKey(key, keys.get(key.kid)));
  for (const key of kept) keys.set(key.kid, key);
  const all = [...keys.values()];
  return {
    keys: all,
    kept: kept.map(({ kid }) => kid),
    replaced: replaced.map(({ kid }) => kid),
    problems: [...retiredProblems(current, retired), ...countProblems(all)],
  };
}

/** A current key may not be retired: tokens are signed with it. */
function retiredProblems(current: readonly PublicJwk[], retired: readonly string[]): readonly string[] {
  const kids = current.map(({ kid }) => kid).filter((kid) => retired.includes(kid));
  return kids.map((kid) => `key ${JSON.stringify(kid)} is in use: retire it once the API server no longer has it`);
}

export function countProblems(keys: readonly PublicJwk[]): readonly string[] {
  const counts = (['RSA', 'EC'] as const).map((kind) => ({
    kind,
    count: keys.filter(({ kty }) => kty === kind).length,
  }));
  if (keys.length === 0) return ['there is no key at all'];
  return counts
    .filter(({ count }) => count > MAX_KEYS_OF_A_KIND)
    .map(({ kind, count }) => `${count} ${kind} keys; AWS reads ${MAX_KEYS_OF_A_KIND}: retire old ones`);
}

/** Whether both are the same public key, whatever else is said of them. */
export function isSameKey(one: PublicJwk, other: PublicJwk | undefined): boolean {
  if (one.kty === 'RSA') return other?.kty === 'RSA' && one.n === other.n && one.e === other.e;
  return other?.kty === 'EC' && one.crv === other.crv && one.x === other.x && one.y === other.y;
}
