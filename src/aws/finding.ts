// What a check of a token or a trust policy has to say: one sentence each, under a rule's name that is an interface.

export type Severity = 'error' | 'warning' | 'info';

export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** Says where, what is there, and what to do. */
  readonly message: string;
}

/** What AWS refuses, or what gives a role away. */
export function fault(rule: string, message: string): Finding {
  return { rule, severity: 'error', message };
}

/** What works, and other than most people mean. */
export function warning(rule: string, message: string): Finding {
  return { rule, severity: 'warning', message };
}

/** What should be known beside the verdict. */
export function note(rule: string, message: string): Finding {
  return { rule, severity: 'info', message };
}
