// What a person should know of a token before it is sent to STS: everything STS would refuse, and what is often the mistake.
import type { Finding } from './finding.ts';
import { fault, warning } from './finding.ts';
import { issuerProblems } from './issuer.ts';
import type { StsError } from './sts-errors.ts';
import { noProvider, NOT_VALIDATED, TOKEN_TOO_LONG } from './sts-errors.ts';
import type { Refusal } from './token-checks.ts';
import { tokenRefusals } from './token-checks.ts';
import type { DecodedToken, TokenClaims } from './token.ts';
import { accountOf } from './token.ts';

/** STS, AssumeRoleWithWebIdentity: the algorithms that it takes. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
/** STS, AssumeRoleWithWebIdentity: WebIdentityToken. */
const MAX_LENGTH = 20_000;
const AUDIENCE = 'sts.amazonaws.com';
const DAY_SECONDS = 86_400;

export interface TokenReport {
  /** The first thing that STS would refuse; null where it would look at the policy. */
  readonly stsError: StsError | null;
  /** Errors first. */
  readonly findings: readonly Finding[];
}

export function tokenReport(token: DecodedToken, nowSeconds: number): TokenReport {
  const refusals = [
    ...formRefusals(token),
    ...tokenRefusals(token.claims, { nowSeconds, timesRequired: true }),
    ...issuerRefusals(token.claims),
  ];
  const faults = refusals.map(({ rule, message }) => fault(rule, message));
  return { stsError: refusals[0]?.error ?? null, findings: [...faults, ...warningsOf(token.claims, nowSeconds)] };
}

function formRefusals({ algorithm, length }: DecodedToken): readonly Refusal[] {
  const refusals: Refusal[] = [];
  if (length > MAX_LENGTH) {
    const message = `the token has ${length} characters, and STS takes ${MAX_LENGTH}`;
    refusals.push({ rule: 'token-too-long', message, error: TOKEN_TOO_LONG });
  }
  if (algorithm === undefined || !ALGORITHMS.includes(algorithm)) {
    const message = `the token is signed with ${algorithm ?? 'nothing'}, and STS takes ${ALGORITHMS.join(', ')}; give the API server another signing key`;
    refusals.push({ rule: 'algorithm', message, error: NOT_VALIDATED });
  }
  return refusals;
}

/** An issuer that cannot be a provider in IAM has none there. */
function issuerRefusals({ issuer }: TokenClaims): readonly Refusal[] {
  if (issuer === undefined) return [];
  return issuerProblems(issuer).map((problem) => ({
    rule: 'issuer-url',
    message: `no OIDC provider in IAM can be for the issuer ${issuer}: ${problem}`,
    error: noProvider(issuer),
  }));
}

function warningsOf(
  { subject, audiences, authorizedParty, issuedAt }: TokenClaims,
  nowSeconds: number,
): readonly Finding[] {
  const findings: Finding[] = [];
  if (subject !== undefined && accountOf(subject) === undefined) {
    findings.push(
      warning('not-a-service-account', `the subject is ${subject}, not system:serviceaccount:NAMESPACE:NAME`),
    );
  }
  if (audiences.length > 1 && authorizedParty === undefined) {
    const message = `the token has several audiences (${audiences.join(', ')}), and AWS does not document what STS makes of that; ask for one`;
    findings.push(warning('several-audiences', message));
  }
  if (audiences.length > 0 && !audiences.includes(AUDIENCE)) {
    const message = `the audience is ${audiences.join(', ')}, not ${AUDIENCE}: the provider in IAM must have it among its client ids`;
    findings.push(warning('other-audience', message));
  }
  if (issuedAt !== undefined && nowSeconds - issuedAt > DAY_SECONDS) {
    findings.push(
      warning('older-than-a-day', 'the kubelet renews tokens before they are a day old; read the file again'),
    );
  }
  return findings;
}
