// What a pod's ServiceAccount is entitled to, and the question that the core asks of the outside world to learn it.
import type { Method, Source, UnknownReason } from './decision.ts';

/** A ServiceAccount by name; `keyOf` is how every cache names it. */
export interface AccountKey {
  readonly namespace: string;
  readonly name: string;
}

/** A ServiceAccount as far as this program reads it: the annotations that `accountFrom` keeps. */
export interface Account {
  readonly annotations: Readonly<Record<string, string>>;
}

/** How long an answer may take, and how much it must be trusted. */
export interface LookupOptions {
  /** Milliseconds that the answer may take; afterwards it is `unknown`. */
  readonly timeoutMs: number;
  /** A cached account is not enough: of a lookup, read it from the API server; of `IdentityOf`, do so before `no-role`. */
  readonly live: boolean;
}

/** What is known of a ServiceAccount. A miss that could not be verified is `unknown`, never `not-found`. */
export type AccountLookup =
  | { readonly kind: 'found'; readonly account: Account }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'unknown'; readonly reason: 'not-synced' | 'lookup-failed' };

/** What is put into the pods of one ServiceAccount. What is undefined takes the flag's value. */
export interface Identity {
  readonly method: Method;
  readonly source: Source;
  readonly roleArn?: string;
  readonly audience?: string;
  readonly expirationSeconds?: number;
  readonly regionalSts?: boolean;
  /** Take the pod's name as the name of the role session. */
  readonly namedSession?: boolean;
}

/** Why there is no identity. */
export type NoIdentityReason =
  'no-role' | 'invalid-role-arn' | 'role-not-allowed' | 'service-account-not-found' | 'service-account-not-in-input';

export type IdentityAnswer =
  | { readonly kind: 'identity'; readonly identity: Identity; readonly warnings: readonly string[] }
  | {
      readonly kind: 'none';
      readonly reason: NoIdentityReason;
      readonly source?: Source;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };

export type IdentityOf = (key: AccountKey, options: LookupOptions) => Promise<IdentityAnswer>;

/** `namespace/name`. Neither half can hold a slash: both are DNS names. */
export function keyOf({ namespace, name }: AccountKey): string {
  return `${namespace}/${name}`;
}
