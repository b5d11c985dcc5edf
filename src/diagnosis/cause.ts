// The vocabulary of `diagnose error`: why an AWS call of a pod fails.

/** What can be wrong, as far as one line of a log tells. The ids are an interface. */
export type CauseId =
  | 'subject-mismatch'
  | 'audience-mismatch'
  | 'provider-missing'
  | 'provider-audience'
  | 'issuer-keys-unreachable'
  | 'thumbprint'
  | 'token-expired'
  | 'role-missing'
  | 'wrong-action'
  | 'token-file-permission'
  | 'token-file-missing'
  | 'pod-not-mutated'
  | 'sdk-too-old'
  | 'static-keys-win'
  | 'node-role-fallback'
  | 'region-missing'
  | 'duration-too-long'
  | 'throttled'
  | 'network-to-sts'
  | 'session-name-invalid'
  | 'pod-identity-agent'
  | 'webhook-down'
  | 'unknown';

export interface Advice {
  readonly why: string;
  /** A command whose output tells this cause from the others; what to look for may stand on a second line, behind a #. */
  readonly check: string;
  /** The command that mends it, and what to be read with it likewise. */
  readonly fix: string;
}

export interface Cause extends Advice {
  readonly id: CauseId;
}

/** A way in which an error shows in a log. */
export interface Signature {
  /** Every one is found. */
  readonly has: readonly RegExp[];
  readonly unless?: RegExp;
  /** Most likely first. */
  readonly causes: readonly CauseId[];
  /** Said of the first cause instead of what is always true of it. */
  readonly why?: string;
  readonly check?: string;
  readonly fix?: string;
}
