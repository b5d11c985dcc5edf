// Would STS give this role to this token? STS's own checks first, then the trust policy as IAM reads it. What neither the
// token nor the policy settles is "cannot-decide", never "allowed".
import { parseRoleArn } from './arn.ts';
import type { RoleArn } from './arn.ts';
import type { Finding } from './finding.ts';
import { fault, note, warning } from './finding.ts';
import type { OidcProvider } from './oidc-provider.ts';
import { providerArnOf } from './oidc-provider.ts';
import type { StsError } from './sts-errors.ts';
import { NOT_AUTHORIZED, ROLE_ARN_INVALID } from './sts-errors.ts';
import type { Refusal } from './token-checks.ts';
import {
  algorithmRefusals,
  lengthRefusals,
  providerRefusals,
  signatureRefusals,
  tokenRefusals,
} from './token-checks.ts';
import { signatureWarnings } from './token-findings.ts';
import type { TokenClaims, TokenForm } from './token.ts';
import { WEB_IDENTITY_ACTION } from './trust-policy-actions.ts';
import { requestContextOf } from './trust-policy-context.ts';
import type { TrustPolicy } from './trust-policy-document.ts';
import { trustPolicyFrom } from './trust-policy-document.ts';
import { doubtsOf } from './trust-policy-doubts.ts';
import type { Check, Outcome } from './trust-policy-evaluate.ts';
import { outcomeOf } from './trust-policy-evaluate.ts';
import { lintTrustPolicy } from './trust-policy-lint.ts';

export interface TrustQuestion {
  readonly policy: TrustPolicy;
  readonly roleArn: string;
  readonly claims: TokenClaims;
  /** Of the token that the claims are from, where there is one. */
  readonly form?: TokenForm;
  /** Null where the account has none for the issuer; left out where that is not known, and then not judged. */
  readonly provider?: OidcProvider | null;
  readonly nowSeconds: number;
  /** Whether a missing `exp` or `iat` is a fault, as it is in a token. */
  readonly timesRequired?: boolean;
}

export interface TrustDecision {
  readonly verdict: 'allowed' | 'denied' | 'cannot-decide' | 'invalid-policy';
  /** One sentence: the first part that decides, with both values. */
  readonly reason: string;
  /** What STS would answer; null where it would give the role, or where that cannot be said. */
  readonly stsError: StsError | null;
  /** The part of the policy that decides, where the policy does. */
  readonly clause?: Check;
  /** Errors first. */
  readonly findings: readonly Finding[];
}

type Verdict = Omit<TrustDecision, 'findings'>;

/** Never throws: what IAM would refuse is in `faults`. */
export function parseTrustPolicy(text: string): TrustPolicy {
  return trustPolicyFrom(text);
}

export function evaluateTrustPolicy(question: TrustQuestion): TrustDecision {
  const { policy, claims, form, provider, nowSeconds, timesRequired = false } = question;
  const role = parseRoleArn(question.roleArn);
  const refusals = [
    ...(form === undefined ? [] : [...lengthRefusals(form), ...signatureRefusals(form)]),
    ...tokenRefusals(claims, { nowSeconds, timesRequired }),
    ...(role === undefined ? [] : providerRefusals(claims, { provider, role })),
    // Which signature it is, STS looks at last: the keys are the provider's.
    ...(form === undefined ? [] : algorithmRefusals(form)),
  ];
  const outcomesFor = (action: string): readonly Outcome[] => outcomesOf(question, { role, action });
  const outcomes = outcomesFor(WEB_IDENTITY_ACTION);
  const doubts = doubtsOf(claims, (action) => policyVerdict(outcomesFor(action)).verdict === 'allowed');
  const findings = [
    ...policy.faults,
    ...refusals.map(({ rule, message }) => fault(rule, message)),
    ...lintTrustPolicy({ policy, role, issuer: claims.issuer, subject: claims.subject }),
    ...denials(outcomes),
    ...doubts,
    ...(form === undefined ? [] : signatureWarnings(form)),
    ...(provider === undefined ? [note('provider-not-checked', PROVIDER_NOT_CHECKED)] : []),
  ];
  return { ...verdictOf({ policy, role, refusals, outcomes, doubts }), findings: bySeverity(findings) };
}

const PROVIDER_NOT_CHECKED =
  'no --provider was given: whether the account has a provider for the issuer, and whether it takes the audience, was not checked';

function outcomesOf(
  { policy, claims, provider }: TrustQuestion,
  { role, action }: { readonly role: RoleArn | undefined; readonly action: string },
): readonly Outcome[] {
  if (role === undefined) return [];
  const providerArn = provider?.arn ?? providerArnOf(claims.issuer ?? '', role);
  const call = { providerArn, action, context: requestContextOf(claims), version: policy.version };
  return policy.statements.map((statement) => outcomeOf(statement, call));
}

interface Known {
  readonly policy: TrustPolicy;
  readonly role: RoleArn | undefined;
  readonly refusals: readonly Refusal[];
  readonly outcomes: readonly Outcome[];
  readonly doubts: readonly Finding[];
}

function verdictOf({ policy, role, refusals, outcomes, doubts }: Known): Verdict {
  const [broken] = policy.faults;
  if (broken !== undefined) {
    return { verdict: 'invalid-policy', reason: `IAM refuses the policy: ${broken.message}`, stsError: null };
  }
  if (role === undefined) return denied('the role ARN is not one of a role', ROLE_ARN_INVALID);
  const [refusal] = refusals;
  if (refusal !== undefined) return denied(refusal.message, refusal.error);
  const verdict = policyVerdict(outcomes);
  const [doubt] = verdict.verdict === 'allowed' ? doubts : [];
  return doubt === undefined ? verdict : { ...verdict, verdict: 'cannot-decide', reason: doubt.message };
}

function denied(reason: string, stsError: StsError): Verdict {
  return { verdict: 'denied', reason, stsError };
}

/** An explicit Deny wins; nothing that is not allowed is. */
function policyVerdict(outcomes: readonly Outcome[]): Verdict {
  const allows = outcomes.filter(({ statement }) => statement.effect === 'Allow');
  const denies = outcomes.filter(({ statement }) => statement.effect === 'Deny');
  const deny = denies.find(({ truth }) => truth === 'yes');
  if (deny !== undefined) {
    const reason = `${deny.statement.path} denies it, whatever other statements allow: ${sentence(deny.deciding)}`;
    return { ...denied(reason, NOT_AUTHORIZED), clause: deny.deciding };
  }
  const allow = allows.find(({ truth }) => truth === 'yes');
  const open = (allow === undefined ? allows : denies).find(({ truth }) => truth === 'unknown');
  if (open !== undefined) return undecided(open);
  return allow === undefined ? notAllowed(allows) : allowedBy(allow);
}

function undecided({ deciding }: Outcome): Verdict {
  const { path, token, policy } = deciding;
  const reason =
    token === 'unknown'
      ? `${path}: whether it holds depends on what a token does not tell; the policy asks for ${policy}`
      : `${path}: IAM leaves open whether it holds; token has ${token}, policy asks for ${policy}`;
  return { verdict: 'cannot-decide', reason, stsError: null, clause: deciding };
}

function allowedBy({ statement, deciding }: Outcome): Verdict {
  const reason = `${statement.path} allows it: ${sentence(deciding)}`;
  return { verdict: 'allowed', reason, stsError: null, clause: deciding };
}

/** The statement that comes furthest is the one that was meant. */
function notAllowed(allows: readonly Outcome[]): Verdict {
  const [meant] = allows.toSorted((one, other) => other.reached - one.reached);
  if (meant === undefined) return denied(`no statement allows ${WEB_IDENTITY_ACTION}`, NOT_AUTHORIZED);
  return { ...denied(sentence(meant.deciding), NOT_AUTHORIZED), clause: meant.deciding };
}

function sentence({ path, token, policy, truth }: Check): string {
  const verb = truth === 'yes' ? 'asks for' : 'allows';
  if (token === 'absent') return `${path}: the token gives STS no such key, policy ${verb} ${policy}`;
  return `${path}: token has ${token}, policy ${verb} ${policy}`;
}

function denials(outcomes: readonly Outcome[]): readonly Finding[] {
  return outcomes
    .filter(({ statement, truth }) => statement.effect === 'Deny' && truth !== 'no')
    .map(({ statement: { path }, truth }) =>
      truth === 'yes'
        ? fault('deny-statement', `${path} denies this token the role, and a Deny wins over every Allow; narrow it`)
        : warning('deny-statement', `${path} denies this token the role where the request fits its Condition`),
    );
}

const ORDER = ['error', 'warning', 'info'];

function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
}
