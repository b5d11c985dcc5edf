// What would befall the token of a ServiceAccount on AWS's side: trust policy and provider where they are given, STS's own
// verdict where it may be asked, and what the issuer publishes.
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import { messageOf } from '../admission/thrown.ts';
import type { OidcProvider } from '../aws/oidc-provider.ts';
import { claimsOfServiceAccount } from '../aws/token.ts';
import { evaluateTrustPolicy, parseTrustPolicy } from '../aws/trust-policy.ts';
import type { CauseId } from '../diagnosis/cause.ts';
import { causesOf, fixOf } from '../diagnosis/error.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ClusterIssuer } from './cluster-issuer.ts';
import type { Reported } from './diagnose-report.ts';
import { mintedToken, stsVerdict } from './diagnose-sts.ts';
import type { IssuerFetch } from './issuer-fetch.ts';
import { verifiedIssuer } from './oidc-verify.ts';

export interface AwsQuestion {
  readonly account: AccountKey;
  readonly roleArn: string;
  readonly audience: string;
  readonly cluster: ClusterIssuer;
  readonly client: Pick<KubeClient, 'write'>;
  readonly fetch: IssuerFetch;
  /** Text of the role's trust policy; not judged where undefined. */
  readonly policy: string | undefined;
  /** Null where the account has none; not judged where undefined. */
  readonly provider: OidcProvider | null | undefined;
  /** STS is not asked where undefined. */
  readonly stsEndpoint: string | undefined;
  readonly now: () => number;
  /** Told what cannot be asked from here, which says nothing about the pod. */
  readonly hint: (sentence: string) => void;
}

export async function awsProblems(question: AwsQuestion): Promise<readonly Reported[]> {
  return [...policyProblems(question), ...(await stsProblems(question)), ...(await issuerProblems(question))];
}

function policyProblems({ account, roleArn, audience, cluster, policy, provider, now }: AwsQuestion): Reported[] {
  if (policy === undefined) return [];
  const decision = evaluateTrustPolicy({
    policy: parseTrustPolicy(policy),
    roleArn,
    claims: claimsOfServiceAccount({ ...account, issuer: cluster.issuer, audience }),
    ...(provider === undefined ? {} : { provider }),
    nowSeconds: now() / 1000,
  });
  if (decision.verdict === 'allowed') return [];
  const said = decision.stsError === null ? undefined : `${decision.stsError.code}: ${decision.stsError.message}`;
  const id = clauseCause(decision.clause?.path) ?? likeliest(said ?? '');
  return [
    reported({
      id,
      severity: decision.verdict === 'cannot-decide' ? 'warning' : 'error',
      object: `role ${roleArn}`,
      evidence: decision.reason,
      said: said ?? 'AccessDenied, where the policy means no',
      account,
      roleArn,
    }),
  ];
}

/** Which part of a statement does not fit says what STS's one text for all of them does not. */
function clauseCause(path: string | undefined): CauseId | undefined {
  if (path === undefined) return undefined;
  if (/:aud"?\]?$/.test(path)) return 'audience-mismatch';
  if (/\.(?:Not)?Action/.test(path)) return 'wrong-action';
  return 'subject-mismatch';
}

async function stsProblems(question: AwsQuestion): Promise<Reported[]> {
  const { stsEndpoint, account, roleArn } = question;
  if (stsEndpoint === undefined) return [];
  const verdict = await stsVerdict({ endpoint: stsEndpoint, roleArn, token: await mintedToken(question) });
  if (verdict.kind === 'allowed') return [];
  const object = `ServiceAccount ${keyOf(account)}`;
  if (verdict.kind === 'unreachable') {
    question.hint(`STS was not asked: ${stsEndpoint} does not answer from here: ${verdict.message}`);
    return [];
  }
  const said = `${verdict.code}: ${verdict.message}`;
  const evidence = `${stsEndpoint} refuses a new token of the account: ${said}`;
  const id = likeliest(`calling the AssumeRoleWithWebIdentity operation: ${said}`);
  return [reported({ id, severity: 'error', object, evidence, said, account, roleArn })];
}

async function issuerProblems({ cluster, fetch, account, roleArn, now, hint }: AwsQuestion): Promise<Reported[]> {
  const { issuer } = cluster;
  const object = `issuer ${issuer}`;
  try {
    const checks = await verifiedIssuer({ issuer, fetch, cluster, token: undefined, output: 'json', now: now() });
    return checks
      .filter(({ result }) => result === 'failed')
      .map(({ evidence, fix, stsError }) => {
        const said =
          stsError === undefined ? 'the IAM OIDC provider cannot be created' : `${stsError.code}: ${stsError.message}`;
        const id = stsError === undefined ? 'issuer-keys-unreachable' : likeliest(said);
        const problem = reported({ id, severity: 'error', object, evidence, said, account, roleArn });
        return fix === undefined ? problem : { ...problem, fix };
      });
  } catch (error) {
    hint(`what the issuer publishes was not checked: ${messageOf(error)}`);
    return [];
  }
}

function likeliest(text: string): CauseId {
  return causesOf(text)[0]?.id ?? 'unknown';
}

interface Seen {
  readonly id: CauseId;
  readonly severity: 'error' | 'warning';
  readonly object: string;
  readonly evidence: string;
  readonly said: string;
  readonly account: AccountKey;
  readonly roleArn: string;
}

/** The fix is that of the same error in a log, with this account and role in its command. */
function reported({ id, said, account, roleArn, ...rest }: Seen): Reported {
  const subject = `system:serviceaccount:${account.namespace}:${account.name}`;
  const fix = fixOf(id, `${said} ${subject} ${roleArn}`);
  return { id, ...rest, fix, predictedError: said };
}
