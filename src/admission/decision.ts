// The vocabulary of the whole program: what a decision is, and why it was taken. Log line, metric label, warning and
// audit annotation are all made from these codes, which are spelled here and nowhere else.
import type { Operation } from './patch.ts';

/** How a pod gets its credentials; also the `method` label of the metrics. */
export type Method = 'sts_web_identity' | 'container_credentials';

/** Where a pod's identity was found. */
export type Source = 'service-account' | 'config-map' | 'container-credentials-file' | 'namespace';

export type SkipReason =
  | 'no-role'
  | 'opted-out'
  | 'mirror-pod'
  | 'already-injected'
  | 'nothing-to-inject'
  | 'invalid-role-arn'
  | 'role-not-allowed'
  | 'service-account-not-found'
  | 'service-account-not-in-input'
  | 'not-a-pod'
  | 'not-create'
  | 'sub-resource';

export type UnknownReason = 'not-synced' | 'overloaded' | 'lookup-failed' | 'account-id-unknown';

export type Reason = 'injected' | SkipReason | UnknownReason;

/** What the pod's ServiceAccount is entitled to, as far as it is known when the decision is taken. */
export interface Entitlement {
  readonly method?: Method;
  readonly source?: Source;
  readonly roleArn?: string;
}

/** In shadow mode: how the identity that the pod has already compares with ours. */
export interface Comparison {
  readonly result: 'same' | 'differs';
  /** The first thing that differs. */
  readonly field?: string;
}

interface DecisionBase extends Entitlement {
  readonly comparison?: Comparison;
  /** Sentences for the person who created the pod, at most 120 characters each. */
  readonly warnings: readonly string[];
}

/** The pod gets its identity; where the reason is another than `injected`, it gets the region alone. */
export interface Patch extends DecisionBase {
  readonly kind: 'patch';
  readonly reason: 'injected' | SkipReason;
  readonly operations: readonly Operation[];
}

/** The pod is let in as it is. */
export interface Skip extends DecisionBase {
  readonly kind: 'skip';
  readonly reason: SkipReason;
}

/** The pod demands an identity by its own label, and there is none for it. */
export interface Refuse extends DecisionBase {
  readonly kind: 'refuse';
  readonly reason: SkipReason;
  /** Names namespace, ServiceAccount, reason and fix. */
  readonly message: string;
}

/** It cannot be known now what the pod is entitled to: the failurePolicy decides. */
export interface Unknown extends DecisionBase {
  readonly kind: 'unknown';
  readonly reason: UnknownReason;
}

export type Decision = Patch | Skip | Refuse | Unknown;
