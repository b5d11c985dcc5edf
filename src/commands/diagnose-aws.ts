// What would befall the token of a ServiceAccount on AWS's side: trust policy and provider where they are given, what the
// issuer publishes, and STS's own verdict, which has the last word.
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import { parseRoleArn } from '../aws/arn.ts';
import type { OidcProvider } from '../aws/oidc-provider.ts';
import { providerArnOf } from '../aws/oidc-provider.ts';
import { NOT_AUTHORIZED } from '../aws/sts-errors.ts';
import { claimsOfServiceAccount } from '../aws/token.ts';
import { evaluateTrustPolicy, parseTrustPolicy } from '../aws/trust-policy.ts';
import type { CauseId } from '../diagnosis/cause.ts';
import { causesOf } from '../diagnosis/error.ts';
import type { KubeClient } from '../kube/client.ts';
import { likeliest, reported, textOf } from './aws-problem.ts';
import type { ClusterIssuer } from './cluster-issuer.ts';
import { isOnlyFromHere, issuerProblems } from './diagnose-issuer.ts';
import type { Reported } from './diagnose-report.ts';
import type { StsVerdict } from './diagnose-sts.ts';
import { mintedToken, stsVerdict } from './diagnose-sts.ts';
import type { IssuerFetch } from './issuer-fetch.ts';
import { orHint } from './or-hint.ts';

export interface StsPlace {
  readonly url: string;
  /** By whoever asks; not chosen by the region. */
  readonly isNamed: boolean;
}

export interface AwsQuestion {
  readonly account: AccountKey;
  readonly roleArn: string;
  readonly audience: string;
  /** Where the account has set it itself, and it is not the usual one. */
  readonly audienceFix?: string | undefined;
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
  readonly sts: StsPlace | undefined;
  readonly now: () => number;
  /** Told what cannot be asked from here, which says nothing about the pod. */
  readonly hint: (sentence: string) => void;
  /** Told what was asked, in a few words each. */
  readonly asked: (what: string) => void;
}

/** Never rejects for what cannot be asked: that is a hint, and keeps nothing else from being said. */
export async function awsProblems(question: AwsQuestion): Promise<readonly Reported[]> {
  const { readIssuer, sts, hint } = question;
  const cluster = await orHint(readIssuer(), (why) => hint(`issuer and trust policy were not checked: ${why}`));
  const token =
    sts === undefined
      ? undefined
      : await orHint(mintedToken(question), (why) => hint(`STS was not asked, for want of a token: ${why}`));
  const suspected =
    cluster === undefined
      ? []
      : [...policyProblems(question, cluster), ...(await issuerProblems({ ...question, cluster, token }))];
  if (token === undefined || sts === undefined) return suspected;
  const verdict = await stsVerdict({ ...question, endpoint: sts.url, token });
  return withVerdict(suspected, verdict, { ...question, sts, issuer: cluster?.issuer });
}

/** What STS's words may mean, most likely first. */
function likely(said: string): readonly CauseId[] {
  return causesOf(`calling the AssumeRoleWithWebIdentity operation: ${said}`).map(({ id }) => id);
}

function policyProblems(question: AwsQuestion, { issuer }: ClusterIssuer): Reported[] {
  const { account, roleArn, audience, policy, provider, now } = question;
  if (policy === undefined && provider === undefined) return [];
  question.asked(
    [policy === undefined ? '' : 'the trust policy', provider === undefined ? '' : 'the provider']
      .filter((each) => each !== '')
      .join(' and '),
  );
  const decision = evaluateTrustPolicy({
    policy: parseTrustPolicy(policy ?? trustingPolicy(issuer, roleArn)),
    roleArn,
    claims: claimsOfServiceAccount({ ...account, issuer, audience }),
    ...(provider === undefined ? {} : { provider }),
    nowSeconds: now() / 1000,
  });
  if (decision.verdict === 'allowed') return [];
  const problem = {
    severity: 'error',
    object: `role ${roleArn}`,
    evidence: decision.reason,
    issuer,
    ...question,
  } as const;
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

/** One that lets everybody in, where only the provider is to be judged. */
function trustingPolicy(issuer: string, roleArn: string): string {
  const role = parseRoleArn(roleArn);
  const Federated = role === undefined ? '*' : providerArnOf(issuer, role);
  const statement = { Effect: 'Allow', Principal: { Federated }, Action: 'sts:AssumeRoleWithWebIdentity' };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
}

/** Which part of a statement does not fit says what STS's one text for all of them does not. */
function clauseCause(path: string | undefined): CauseId | undefined {
  if (path === undefined) return undefined;
  if (/:aud"?\]?$/.test(path)) return 'audience-mismatch';
  if (/\.(?:Not)?Action/.test(path)) return 'wrong-action';
  return 'subject-mismatch';
}

/** What STS says itself comes first, with the reason that was found for it. */
function withVerdict(
  suspected: readonly Reported[],
  verdict: StsVerdict,
  question: AwsQuestion & { readonly sts: StsPlace; readonly issuer: string | undefined },
): readonly Reported[] {
  const { sts, hint, account, policy } = question;
  const { url } = sts;
  const problem = { severity: 'error', object: `ServiceAccount ${keyOf(account)}`, ...question } as const;
  if (verdict.kind === 'unreachable' && sts.isNamed) {
    const evidence = `${url} does not answer from here: ${verdict.message}`;
    const said = 'no STS error: a timeout, or "Could not connect to the endpoint URL"';
    return [...suspected, reported({ ...problem, severity: 'warning', id: 'network-to-sts', evidence, said })];
  }
  if (verdict.kind === 'unreachable' || verdict.kind === 'none') {
    const what = verdict.kind === 'none' ? 'STS has not decided' : 'STS does not answer';
    hint(`${what}: ${url}: ${verdict.message}`);
    return suspected;
  }
  question.asked(`STS at ${url}`);
  if (verdict.kind === 'allowed') {
    const but = `; ${url} gives the role to a new token of the account all the same`;
    return suspected
      .filter((each) => !isOnlyFromHere(each))
      .map((each) => ({ ...each, severity: 'warning', evidence: `${each.evidence}${but}` }));
  }
  const said = textOf(verdict);
  const evidence = `${url} refuses a new token of the account: ${said}`;
  const [cause = 'unknown', ...rest] = likely(said);
  const explains = ({ id, predictedError }: Reported): boolean => id === cause || predictedError.startsWith(said);
  const isOneOfSeveral = verdict.code === NOT_AUTHORIZED.code;
  // The policy is judged last: by then STS has read the keys.
  const others = isOneOfSeveral ? suspected.filter((each) => !isOnlyFromHere(each)) : suspected;
  if (others.some(explains)) {
    const explained = others.filter(explains).map((each): Reported => {
      return { ...each, severity: 'error', evidence: `${each.evidence}; ${evidence}`, predictedError: said };
    });
    return [...explained, ...others.filter((each) => !explains(each))];
  }
  if (policy !== undefined && isOneOfSeveral) {
    const left = 'the role does not exist, its policy in IAM is another one, or a policy of the organization denies';
    return [
      reported({
        ...problem,
        said,
        id: 'role-missing',
        evidence: `${evidence}, and the policy given allows it: ${left}`,
      }),
      ...others,
    ];
  }
  const also = isOneOfSeveral
    ? `, as it does for ${rest.join(', ')}; --policy=FILE, of aws iam get-role, tells which`
    : '';
  return [reported({ ...problem, said, id: cause, evidence: `${evidence}${also}` }), ...others];
}
