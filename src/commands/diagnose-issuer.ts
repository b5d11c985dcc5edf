// What is wrong with the issuer of a cluster's tokens, as far as it is public.
import type { AccountKey } from '../admission/identity.ts';
import { messageOf } from '../admission/thrown.ts';
import type { Check } from '../aws/check.ts';
import { checkUrl } from '../aws/issuer-checks.ts';
import { NO_VERIFICATION_KEY } from '../aws/sts-errors.ts';
import { ConfigError } from '../config-error.ts';
import type { Seen } from './aws-problem.ts';
import { likeliest, reported, textOf } from './aws-problem.ts';
import type { ClusterIssuer } from './cluster-issuer.ts';
import type { Reported } from './diagnose-report.ts';
import type { IssuerFetch } from './issuer-fetch.ts';
import { verifiedIssuer } from './oidc-verify.ts';

export interface IssuerQuestion {
  readonly account: AccountKey;
  readonly roleArn: string;
  readonly cluster: ClusterIssuer;
  /** A new one of the account; undefined where none was made. */
  readonly token: string | undefined;
  readonly fetch: IssuerFetch;
  readonly now: () => number;
  readonly asked: (what: string) => void;
}

const UNREACHED = 'issuer-keys-unreachable';

/** Whether STS could read the documents and finds in them what the cluster signs with. */
export async function issuerProblems(question: IssuerQuestion): Promise<readonly Reported[]> {
  const { cluster, token, fetch, now, asked } = question;
  const { issuer } = cluster;
  const found = { severity: 'error', object: `issuer ${issuer}`, issuer, ...question } as const;
  try {
    const checks = await verifiedIssuer({ issuer, cluster, token, fetch, output: 'json', now: now() });
    asked(`the issuer ${issuer}`);
    return checks.filter(({ result }) => result === 'failed').map((check) => reportedCheck(check, found));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const url = checkUrl(issuer);
    // That it cannot be reached follows then.
    if (url.result === 'failed') return [reportedCheck(url, found)];
    const said = textOf(NO_VERIFICATION_KEY);
    return [reported({ ...found, id: UNREACHED, severity: 'warning', evidence: messageOf(error), said })];
  }
}

/** Of a problem that STS need not have. */
export function isOnlyFromHere({ id, severity }: Reported): boolean {
  return id === UNREACHED && severity === 'warning';
}

function reportedCheck({ evidence, fix, stsError }: Check, found: Omit<Seen, 'id' | 'evidence' | 'said'>): Reported {
  const said = stsError === undefined ? 'the IAM OIDC provider cannot be created' : textOf(stsError);
  const problem = reported({ ...found, id: stsError === undefined ? UNREACHED : likeliest(said), evidence, said });
  return fix === undefined ? problem : { ...problem, fix };
}
