// One thing that was checked about an issuer: what was found, what STS will say because of it, and what to do.
import type { StsError } from './sts-errors.ts';

export type CheckResult = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Check {
  /** An interface: other programs match on it. */
  readonly check: string;
  readonly result: CheckResult;
  /** What was seen, with its values. */
  readonly evidence: string;
  readonly fix?: string;
  readonly stsError?: StsError;
}

export function passed(check: string, evidence: string): Check {
  return { check, result: 'ok', evidence };
}

export function skipped(check: string, evidence: string): Check {
  return { check, result: 'skipped', evidence };
}

/** What keeps STS from taking any token, or this one. */
export function failed(
  check: string,
  evidence: string,
  why: { readonly fix: string; readonly stsError?: StsError },
): Check {
  return { check, result: 'failed', evidence, ...why };
}

/** What works now. */
export function warned(check: string, evidence: string, fix: string): Check {
  return { check, result: 'warning', evidence, fix };
}
