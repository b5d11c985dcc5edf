// Something that AWS would refuse, as a problem of the report: the fix is that of the same error in a log.
import type { AccountKey } from '../admission/identity.ts';
import type { CauseId } from '../diagnosis/cause.ts';
import { causesOf, fixOf } from '../diagnosis/error.ts';
import type { Reported } from './diagnose-report.ts';

export function textOf({ code, message }: { readonly code: string; readonly message: string }): string {
  return `${code}: ${message}`;
}

export function likeliest(text: string): CauseId {
  return causesOf(text)[0]?.id ?? 'unknown';
}

export interface Seen {
  readonly id: CauseId;
  readonly severity: 'error' | 'warning';
  readonly object: string;
  readonly evidence: string;
  readonly said: string;
  readonly account: AccountKey;
  readonly roleArn: string;
}

/** The fix is that of the same error in a log. Of a name the first counts: ours, and not what STS may say. */
export function reported({ id, severity, object, evidence, said, account, roleArn }: Seen): Reported {
  const subject = `system:serviceaccount:${account.namespace}:${account.name}`;
  const fix = fixOf(id, `${subject} ${roleArn} ${said}`);
  return { id, severity, object, evidence, fix, predictedError: said };
}
