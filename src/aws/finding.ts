// What a check of a token or a trust policy has to say: one sentence each, under a rule's name that is an interface.

export type Severity = 'error' | 'warning' | 'info';

export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** Says where, what is there, and what to do. */
  readonly message: string;
}
