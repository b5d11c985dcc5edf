// Whether what an issuer publishes fits what the cluster signs with: its keys, and a token of it.
import type { Check } from './check.ts';
import { failed, passed, warned } from './check.ts';
import type { PublicJwk } from './jwks.ts';
import { issuerProblems } from './issuer.ts';
import { isSameKey } from './jwks.ts';
import { isSameButSlash } from './oidc-provider.ts';
import { publishCommand } from './publish-command.ts';
import { shellWord } from './shell-word.ts';
import {
  INCORRECT_AUDIENCE,
  missingClaim,
  NO_VERIFICATION_KEY,
  NOT_A_JWT,
  NOT_VALIDATED,
  noProvider,
  tokenExpired,
} from './sts-errors.ts';
import { signatureVerdict } from './token-signature.ts';
import type { TokenClaims } from './token.ts';
import { tokenClaims } from './token.ts';

const AUDIENCE = 'sts.amazonaws.com';

export interface ClusterKeys {
  /** What the API server's own discovery document says. */
  readonly issuer: string;
  readonly keys: readonly PublicJwk[];
}

/** Whether the API server's own documents agree with what is public. */
export function checkCluster(issuer: string, cluster: ClusterKeys, published: readonly PublicJwk[]): readonly Check[] {
  const tokens = `the API server's tokens are of ${JSON.stringify(cluster.issuer)}`;
  const missing = cluster.keys.filter((key) => !published.some(({ kid }) => kid === key.kid)).map(({ kid }) => kid);
  const other = cluster.keys.filter((key) => published.some((one) => one.kid === key.kid && !isSameKey(one, key)));
  const kept = published.length > 0;
  const fix = `upload what this writes${kept ? ', with the keys that are published' : ''}: ${publishCommand(issuer, kept)}`;
  const notThere = [
    ...missing.map((kid) => `${kid} is not published`),
    ...other.map(({ kid }) => `${kid} is published with another key`),
  ];
  return [
    cluster.issuer === issuer
      ? passed('cluster-issuer', tokens)
      : failed('cluster-issuer', `${tokens}, and not of ${JSON.stringify(issuer)}, which was given`, {
          fix: issuerFix(issuer, cluster.issuer),
          stsError: noProvider(cluster.issuer),
        }),
    notThere.length === 0
      ? passed('cluster-keys', keysSeen(cluster.keys, published))
      : failed('cluster-keys', notThere.join('; '), { fix, stsError: NO_VERIFICATION_KEY }),
  ];
}

/** Which of the two is meant to be, nobody knows here; but not one that IAM refuses, and a slash is a slip. */
function issuerFix(given: string, ofTokens: string): string {
  const change = `give the API server ${shellWord(`--service-account-issuer=${given}`)} before its present one`;
  const isGood = issuerProblems(given).length === 0;
  if (issuerProblems(ofTokens).length > 0)
    return isGood ? change : 'choose an issuer that IAM takes, and give it to the API server before its present one';
  const verify = `verify the one that tokens have, ${shellWord(`--issuer=${ofTokens}`)}`;
  return isGood && !isSameButSlash(given, ofTokens) ? `${verify}; or, to change what they have, ${change}` : verify;
}

function keysSeen(keys: readonly PublicJwk[], published: readonly PublicJwk[]): string {
  const extra = published.filter((key) => !keys.some(({ kid }) => kid === key.kid)).map(({ kid }) => kid);
  const all = `all ${keys.length} of the API server's keys are published`;
  return extra.length === 0 ? all : `${all}, and ${extra.join(', ')} beside them`;
}

export interface TokenOptions {
  readonly issuer: string;
  /** Nothing that is known of what is published is undefined. */
  readonly keys: readonly PublicJwk[] | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Whether STS would find the token to be of this issuer. Its subject is for the trust policy. */
export async function checkToken(token: string, { issuer, keys, now }: TokenOptions): Promise<readonly Check[]> {
  const decoded = tokenClaims(token);
  if (decoded === undefined) {
    return [
      failed('token', 'it is no JSON Web Token', { fix: 'give the token as the pod has it', stsError: NOT_A_JWT }),
    ];
  }
  const { claims, keyId = '', algorithm = '' } = decoded;
  const of = `the token is of ${JSON.stringify(claims.issuer ?? '')}`;
  return [
    claims.issuer === issuer
      ? passed('token-issuer', of)
      : failed('token-issuer', `${of}, and the issuer is ${JSON.stringify(issuer)}`, {
          fix: 'verify the issuer that is in the tokens, and make the IAM provider for it',
          stsError: noProvider(claims.issuer ?? ''),
        }),
    checkAudience(claims),
    ...(keys === undefined ? [] : [checkVerdict(await signatureVerdict(token, keys), { keyId, algorithm })]),
    checkLifetime(claims.expiresAt, now),
  ];
}

/** What the provider in IAM takes is not known here; each of ours has the first. */
function checkAudience({ audiences, authorizedParty }: TokenClaims): Check {
  const presented = authorizedParty === undefined ? audiences : [authorizedParty];
  const given = `the token is for ${presented.map((audience) => JSON.stringify(audience)).join(', ') || 'nobody'}`;
  if (presented.includes(AUDIENCE)) return passed('token-audience', given);
  const fix = `make one with --audience=${AUDIENCE}`;
  if (presented.length === 0) return failed('token-audience', given, { fix, stsError: missingClaim('aud') });
  const answer = `${INCORRECT_AUDIENCE.code}: ${INCORRECT_AUDIENCE.message}`;
  const otherwise = `STS answers ${answer} where the IAM provider does not have it among its client ids`;
  return warned('token-audience', `${given}, not for "${AUDIENCE}": ${otherwise}`, `${fix}, or add it to the provider`);
}

function checkVerdict(
  verdict: Awaited<ReturnType<typeof signatureVerdict>>,
  { keyId, algorithm }: { readonly keyId: string; readonly algorithm: string },
): Check {
  const key = JSON.stringify(keyId);
  if (verdict === 'good') return passed('token-signature', `${algorithm} by key ${key}, which is published`);
  if (verdict === 'algorithm-not-taken') {
    const evidence = `the token is signed by ${JSON.stringify(algorithm)}`;
    return failed('token-signature', evidence, {
      fix: 'sign with RSA, P-256, P-384 or P-521',
      stsError: NOT_VALIDATED,
    });
  }
  if (verdict === 'key-not-published') {
    const fix = 'publish the key: it was rotated, or the documents are those of another cluster';
    return failed('token-signature', `key ${key} of the token is not published`, {
      fix,
      stsError: NO_VERIFICATION_KEY,
    });
  }
  const fix = 'look for another key under that id, and for a token that was cut or changed on its way';
  return failed('token-signature', `published key ${key} did not sign this token`, { fix, stsError: NOT_VALIDATED });
}

function checkLifetime(expiresAt: number | undefined, now: number): Check {
  const fix = 'take a token of now: kubectl create token, or the file in the pod';
  if (expiresAt === undefined) return warned('token-expiration', 'the token has no exp', fix);
  const until = timeOf(expiresAt);
  const seconds = Math.floor(now / 1000);
  if (seconds < expiresAt) return passed('token-expiration', `the token is valid until ${until}`);
  const stsError = tokenExpired({ now: seconds, expiresAt });
  return failed('token-expiration', `the token expired at ${until}`, { fix, stsError });
}

/** A token may claim any number; beyond these a Date is none (ECMA-262: 8.64e15 ms). */
function timeOf(seconds: number): string {
  return Math.abs(seconds) <= 8.64e12 ? new Date(seconds * 1000).toISOString() : `${seconds} s after 1970`;
}
