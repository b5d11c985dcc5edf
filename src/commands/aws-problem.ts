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
  /** Of the cluster's tokens; undefined where it could not be read. */
  readonly issuer?: string | undefined;
  /** Takes the place of what is said of audiences elsewhere, where the account itself has set one. */
  readonly audienceFix?: string | undefined;
}

const OF_AUDIENCE: readonly CauseId[] = ['audience-mismatch', 'provider-audience'];

/** The fix is that of the same error in a log. Of a name the first counts: ours, and not what STS may say. */
export function reported(seen: Seen): Reported {
  const { id, severity, object, evidence, said, account, roleArn, issuer = '', audienceFix } = seen;
  const subject = `system:serviceaccount:${account.namespace}:${account.name}`;
  const known = `${subject} ${roleArn}${issuer === '' ? '' : ` in its account for ${issuer}`}`;
  const ours = OF_AUDIENCE.includes(id) ? audienceFix : undefined;
  return { id, severity, object, evidence, fix: ours ?? fixOf(id, `${known} ${said}`), predictedError: said };
}
