// What a person should know of a token before it is sent to STS: everything STS would refuse, and what is often the mistake.
import type { Finding } from './finding.ts';
import { fault, warning } from './finding.ts';
import { issuerProblems } from './issuer.ts';
import type { StsError } from './sts-errors.ts';
import { noProvider } from './sts-errors.ts';
import type { Refusal } from './token-checks.ts';
import {
  algorithmRefusals,
  isOfApiServer,
  lengthRefusals,
  signatureRefusals,
  STS_AUDIENCE,
  tokenRefusals,
} from './token-checks.ts';
import type { DecodedToken, TokenClaims, TokenForm } from './token.ts';
import { accountOf } from './token.ts';

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
  return {
    stsError: refusals[0]?.error ?? null,
    findings: [...faults, ...signatureWarnings(token), ...warningsOf(token.claims, nowSeconds)],
  };
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

/** RFC 7518 §3.3 and §3.4: RSA keys have 2048 bits or more, and ECDSA's signatures two numbers of the curve's size. */
const SIGNATURE_BYTES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  RS256: [256, Infinity],
  RS384: [256, Infinity],
  RS512: [256, Infinity],
  ES256: [64, 64],
  ES384: [96, 96],
  ES512: [132, 132],
};

const EXAMPLE_BYTES = 32;

/** Without the key a signature is not verified, but its length tells of a token that was cut. */
export function signatureWarnings({ algorithm = '', isSigned, signatureBytes }: TokenForm): readonly Finding[] {
  const [least, most] = SIGNATURE_BYTES[algorithm] ?? [0, Infinity];
  if (!isSigned || signatureBytes === undefined) return [];
  const isWhole = signatureBytes >= least && signatureBytes <= most;
  // What is shorter was never one: examples have a word there.
  if (isWhole || signatureBytes < EXAMPLE_BYTES) return [];
  const want = least === most ? String(least) : `${least} or more`;
  const message = `the signature has ${signatureBytes} bytes, and ${algorithm} makes ${want}; the token may have been cut where it was copied: take the whole file`;
  return [warning('signature-length', message)];
}

function warningsOf(claims: TokenClaims, nowSeconds: number): readonly Finding[] {
  const { subject, audiences, issuedAt, issuer } = claims;
  const findings: Finding[] = [];
  if (subject !== undefined && accountOf(subject) === undefined) {
    findings.push(
      warning('not-a-service-account', `the subject is ${subject}, not system:serviceaccount:NAMESPACE:NAME`),
    );
  }
  findings.push(...severalAudiences(claims));
  if (audiences.length > 0 && !audiences.includes(STS_AUDIENCE)) {
    const isOwn = audiences.some((audience) => isOfApiServer(audience, issuer));
    const fix = isOwn
      ? `it is a token for the API server, which must not leave the cluster; take the one at AWS_WEB_IDENTITY_TOKEN_FILE, or kubectl create token --audience=${STS_AUDIENCE}`
      : 'the provider in IAM must have it among its client ids';
    const message = `the audience is ${audiences.join(', ')}, not ${STS_AUDIENCE}: ${fix}`;
    findings.push(warning('other-audience', message));
  }
  if (issuedAt !== undefined && nowSeconds - issuedAt > DAY_SECONDS) {
    findings.push(
      warning('older-than-a-day', 'the kubelet renews tokens before they are a day old; read the file again'),
    );
  }
  return findings;
}
