// Who is this pod: asks the sources of identities in their order. The first that has one wins.
import { identityFromAccount } from '../admission/annotations.ts';
import type { AccountKey, AccountLookup, IdentityAnswer, IdentityOf, LookupOptions } from '../admission/identity.ts';
import type { Settings } from '../admission/settings.ts';

export interface ResolverOptions {
  readonly lookup: (key: AccountKey, options: LookupOptions) => Promise<AccountLookup>;
  readonly settings: Settings;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** With `live`, an account without a role is read once more from the API server before that is believed. */
export function createResolver({ lookup, settings, now }: ResolverOptions): IdentityOf {
  const answerFor = async (key: AccountKey, options: LookupOptions): Promise<IdentityAnswer> => {
    const found = await lookup(key, options);
    if (found.kind === 'unknown') return found;
    if (found.kind === 'not-found') return { kind: 'none', reason: 'service-account-not-found', warnings: [] };
    return identityFromAccount(key, found.account, settings);
  };

  return async (key, { timeoutMs, live }) => {
    const deadline = now() + timeoutMs;
    const answer = await answerFor(key, { timeoutMs, live: false });
    if (!live || answer.kind !== 'none' || answer.reason !== 'no-role') return answer;
    return answerFor(key, { timeoutMs: Math.max(0, deadline - now()), live: true });
  };
}
