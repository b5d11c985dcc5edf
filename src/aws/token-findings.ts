// What a person should know of a token before it is sent to STS: everything STS would refuse, and what is often the mistake.
import type { Finding } from './finding.ts';
import { fault, warning } from './finding.ts';
import { issuerProblems } from './issuer.ts';
import type { StsError } from './sts-errors.ts';
import { noProvider } from './sts-errors.ts';
import type { Refusal } from './token-checks.ts';
import { algorithmRefusals, lengthRefusals, signatureRefusals, tokenRefusals } from './token-checks.ts';
import type { DecodedToken, TokenClaims } from './token.ts';
import { accountOf } from './token.ts';

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
    ...lengthRefusals(token),
    ...signatureRefusals(token),
    ...algorithmRefusals(token),
    ...tokenRefusals(token.claims, { nowSeconds, timesRequired: true }),
    ...issuerRefusals(token.claims),
  ];
  const faults = refusals.map(({ rule, message }) => fault(rule, message));
  return { stsError: refusals[0]?.error ?? null, findings: [...faults, ...warningsOf(token.claims, nowSeconds)] };
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

/** Where the authorized party does not say which one counts. */
export function severalAudiences({ audiences, authorizedParty }: TokenClaims): readonly Finding[] {
  if (audiences.length < 2 || authorizedParty !== undefined) return [];
  const message = `the token has several audiences (${audiences.join(', ')}), and AWS does not document what STS makes of that; ask for one`;
  return [warning('several-audiences', message)];
}

function warningsOf(claims: TokenClaims, nowSeconds: number): readonly Finding[] {
  const { subject, audiences, issuedAt } = claims;
  const findings: Finding[] = [];
  if (subject !== undefined && accountOf(subject) === undefined) {
    findings.push(
      warning('not-a-service-account', `the subject is ${subject}, not system:serviceaccount:NAMESPACE:NAME`),
    );
  }
  findings.push(...severalAudiences(claims));
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
