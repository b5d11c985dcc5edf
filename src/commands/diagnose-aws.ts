// What would befall the token of a ServiceAccount on AWS's side: trust policy and provider where they are given, what the
// issuer publishes, and STS's own verdict, which has the last word.
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import { messageOf } from '../admission/thrown.ts';
import type { OidcProvider } from '../aws/oidc-provider.ts';
import { NOT_AUTHORIZED } from '../aws/sts-errors.ts';
import { claimsOfServiceAccount } from '../aws/token.ts';
import { evaluateTrustPolicy, parseTrustPolicy } from '../aws/trust-policy.ts';
import type { CauseId } from '../diagnosis/cause.ts';
import { causesOf, fixOf } from '../diagnosis/error.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ClusterIssuer } from './cluster-issuer.ts';
import type { Reported } from './diagnose-report.ts';
import type { StsVerdict } from './diagnose-sts.ts';
import { mintedToken, stsVerdict } from './diagnose-sts.ts';
import type { IssuerFetch } from './issuer-fetch.ts';
import { verifiedIssuer } from './oidc-verify.ts';

export interface AwsQuestion {
  readonly account: AccountKey;
  readonly roleArn: string;
  readonly audience: string;
  /** Of the session that STS is asked for; trust policies may have conditions on it. */
  readonly sessionName: string;
  readonly client: Pick<KubeClient, 'write'>;
  readonly readIssuer: () => Promise<ClusterIssuer>;
  readonly fetch: IssuerFetch;
  /** Text of the role's trust policy; not judged where undefined. */
  readonly policy: string | undefined;
  /** Null where the account has none; not judged where undefined. */
  readonly provider: OidcProvider | null | undefined;
  /** No token is made and STS is not asked where undefined. */
  readonly stsEndpoint: string | undefined;
  readonly now: () => number;
  /** Told what cannot be asked from here, which says nothing about the pod. */
  readonly hint: (sentence: string) => void;
  /** Told what was asked, in a few words each. */
  readonly asked: (what: string) => void;
}

/** Never rejects for what cannot be asked: that is a hint, and keeps nothing else from being said. */
export async function awsProblems(question: AwsQuestion): Promise<readonly Reported[]> {
  const { readIssuer, stsEndpoint, hint } = question;
  const cluster = await orHint(readIssuer(), (why) => hint(`issuer and trust policy were not checked: ${why}`));
  const token =
    stsEndpoint === undefined
      ? undefined
      : await orHint(mintedToken(question), (why) => hint(`STS was not asked, for want of a token: ${why}`));
  const suspected =
    cluster === undefined
      ? []
      : [...policyProblems(question, cluster), ...(await issuerProblems(question, { cluster, token }))];
  if (token === undefined || stsEndpoint === undefined) return suspected;
  const verdict = await stsVerdict({ ...question, endpoint: stsEndpoint, token });
  return withVerdict(suspected, verdict, { ...question, stsEndpoint });
}

async function orHint<T>(asking: Promise<T>, hint: (why: string) => void): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    hint(messageOf(error));
    return undefined;
  }
}

function policyProblems(question: AwsQuestion, { issuer }: ClusterIssuer): Reported[] {
  const { account, roleArn, audience, policy, provider, now } = question;
  if (policy === undefined) return [];
  question.asked(provider === undefined ? 'the trust policy' : 'trust policy and provider');
  const decision = evaluateTrustPolicy({
    policy: parseTrustPolicy(policy),
    roleArn,
    claims: claimsOfServiceAccount({ ...account, issuer, audience }),
    ...(provider === undefined ? {} : { provider }),
    nowSeconds: now() / 1000,
  });
  if (decision.verdict === 'allowed') return [];
  const problem = { severity: 'error', object: `role ${roleArn}`, evidence: decision.reason, ...question } as const;
  if (decision.verdict === 'invalid-policy') {
    const fix = 'pod-identity-webhook trust-policy check, with the same --policy and --provider, says where';
    return [{ ...reported({ ...problem, id: 'unknown', said: 'none of STS: IAM does not store such a policy' }), fix }];
  }
  if (decision.stsError === null) {
    const said = `${textOf(NOT_AUTHORIZED)}, where the policy means no`;
    return [reported({ ...problem, id: 'subject-mismatch', severity: 'warning', said })];
  }
  const said = textOf(decision.stsError);
  return [reported({ ...problem, id: clauseCause(decision.clause?.path) ?? likeliest(said), said })];
}

/** Which part of a statement does not fit says what STS's one text for all of them does not. */
function clauseCause(path: string | undefined): CauseId | undefined {
  if (path === undefined) return undefined;
  if (/:aud"?\]?$/.test(path)) return 'audience-mismatch';
  if (/\.(?:Not)?Action/.test(path)) return 'wrong-action';
  return 'subject-mismatch';
}

async function issuerProblems(
  question: AwsQuestion,
  seen: { readonly cluster: ClusterIssuer; readonly token: string | undefined },
): Promise<Reported[]> {
  const { issuer } = seen.cluster;
  const { fetch, now, hint } = question;
  const checking = verifiedIssuer({ ...seen, issuer, fetch, output: 'json', now: now() });
  const checks = await orHint(checking, (why) => hint(`what the issuer publishes was not checked: ${why}`));
  if (checks !== undefined) question.asked(`the issuer ${issuer}`);
  return (checks ?? [])
    .filter(({ result }) => result === 'failed')
    .map(({ evidence, fix, stsError }) => {
      const said = stsError === undefined ? 'the IAM OIDC provider cannot be created' : textOf(stsError);
      const id = stsError === undefined ? 'issuer-keys-unreachable' : likeliest(said);
      const problem = reported({ ...question, id, severity: 'error', object: `issuer ${issuer}`, evidence, said });
      return fix === undefined ? problem : { ...problem, fix };
    });
}

/** What STS says itself comes first, with the reason that was found for it. */
function withVerdict(
  suspected: readonly Reported[],
  verdict: StsVerdict,
  question: AwsQuestion & { readonly stsEndpoint: string },
): readonly Reported[] {
  const { stsEndpoint, hint, account, policy } = question;
  if (verdict.kind === 'none') {
    hint(`STS was not asked: ${stsEndpoint}: ${verdict.message}`);
    return suspected;
  }
  question.asked(`STS at ${stsEndpoint}`);
  if (verdict.kind === 'allowed') {
    const but = `; ${stsEndpoint} gives the role to a new token of the account all the same`;
    return suspected.map((problem) => ({ ...problem, severity: 'warning', evidence: `${problem.evidence}${but}` }));
  }
  const said = textOf(verdict);
  const evidence = `${stsEndpoint} refuses a new token of the account: ${said}`;
  const cause = likeliest(`calling the AssumeRoleWithWebIdentity operation: ${said}`);
  const explains = ({ id, predictedError }: Reported): boolean => id === cause || predictedError.startsWith(said);
  if (suspected.some(explains)) {
    const explained = suspected.filter(explains).map((problem): Reported => {
      return { ...problem, severity: 'error', evidence: `${problem.evidence}; ${evidence}`, predictedError: said };
    });
    return [...explained, ...suspected.filter((problem) => !explains(problem))];
  }
  const problem = { severity: 'error', object: `ServiceAccount ${keyOf(account)}`, said, ...question } as const;
  if (policy !== undefined && verdict.code === NOT_AUTHORIZED.code) {
    const others = 'the role does not exist, its policy in IAM is another one, or a policy of the organization denies';
    return [
      reported({ ...problem, id: 'role-missing', evidence: `${evidence}, and the policy given allows it: ${others}` }),
      ...suspected,
    ];
  }
  return [reported({ ...problem, id: cause, evidence }), ...suspected];
}

function textOf({ code, message }: { readonly code: string; readonly message: string }): string {
  return `${code}: ${message}`;
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
function reported({ id, severity, object, evidence, said, account, roleArn }: Seen): Reported {
  const subject = `system:serviceaccount:${account.namespace}:${account.name}`;
  const fix = fixOf(id, `${said} ${subject} ${roleArn}`);
  return { id, severity, object, evidence, fix, predictedError: said };
}
