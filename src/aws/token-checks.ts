// What STS refuses a token for before it looks at any policy. The token is judged by itself first, then against the
// provider.
import type { RoleArn } from './arn.ts';
import { ALGORITHMS } from './jwks.ts';
import type { OidcProvider } from './oidc-provider.ts';
import { parseProviderArn, providerName } from './oidc-provider.ts';
import { shellWord } from './shell-word.ts';
import type { StsError } from './sts-errors.ts';
import {
  INCORRECT_AUDIENCE,
  missingClaim,
  noProvider,
  NOT_A_JWT,
  NOT_VALIDATED,
  TOKEN_TOO_LONG,
  tokenExpired,
  tokenTooOld,
} from './sts-errors.ts';
import type { TokenClaims, TokenForm } from './token.ts';

export interface Refusal {
  readonly rule: string;
  /** What is wrong, with both values, and what to do. */
  readonly message: string;
  readonly error: StsError;
}

export interface TokenTimes {
  readonly nowSeconds: number;
  /** Whether `exp` and `iat` must be there, as in a token, or are not judged where they are not. */
  readonly timesRequired: boolean;
}

/** What SDKs' tokens are for wherever nobody chose otherwise. */
export const STS_AUDIENCE = 'sts.amazonaws.com';

/** Clocks differ; STS does not say by how much they may. Kubernetes' own API server allows none, most verifiers five minutes. */
const CLOCK_SKEW_SECONDS = 300;
/** The age at which STS was seen to answer "Token too old" to a token that was valid for longer. */
export const TOO_OLD_SECONDS = 441_398;

/** STS, AssumeRoleWithWebIdentity: WebIdentityToken. */
const MAX_LENGTH = 20_000;

export function lengthRefusals({ length }: TokenForm): readonly Refusal[] {
  if (length <= MAX_LENGTH) return [];
  const message = `the token has ${length} characters, and STS takes ${MAX_LENGTH}`;
  return [{ rule: 'token-too-long', message, error: TOKEN_TOO_LONG }];
}

/** What names an algorithm and has no signature was cut; what says that it has none is a token of the wrong algorithm. */
export function signatureRefusals({ isSigned, algorithm }: TokenForm): readonly Refusal[] {
  if (isSigned || algorithm === 'none') return [];
  const message = 'the token has no signature; it may have been cut where it was copied: take the whole file';
  return [{ rule: 'unsigned', message, error: NOT_A_JWT }];
}

export function algorithmRefusals({ algorithm }: TokenForm): readonly Refusal[] {
  if (algorithm !== undefined && ALGORITHMS.includes(algorithm)) return [];
  const message = `the token is signed with ${algorithm ?? 'nothing'}, and STS takes ${ALGORITHMS.join(', ')}; give the API server another signing key`;
  return [{ rule: 'algorithm', message, error: NOT_VALIDATED }];
}

/** In the order in which STS finds them. */
export function tokenRefusals(claims: TokenClaims, times: TokenTimes): readonly Refusal[] {
  const malformed = claims.malformed.map((claim) => {
    const text = claim === 'aud' ? 'text, or a list of texts' : 'text';
    const want = ['iss', 'sub', 'aud'].includes(claim) ? text : 'a whole number of seconds since 1970';
    const message = `the claim ${claim} is ${shortText(claims.payload[claim])}; want ${want}`;
    return { rule: 'malformed-claim', message, error: NOT_VALIDATED };
  });
  return [...malformed, ...missingClaims(claims, times), ...timeRefusals(claims, times)];
}

/** What is nested is not shown: it may be deeper than the stack. */
function shortText(value: unknown): string {
  if (Array.isArray(value)) return 'a list of something else';
  return typeof value === 'object' ? 'an object' : JSON.stringify(value);
}

function missingClaims(claims: TokenClaims, { timesRequired }: TokenTimes): readonly Refusal[] {
  const required: readonly (readonly [claim: string, isThere: boolean])[] = [
    ['iss', claims.issuer !== undefined],
    ['sub', claims.subject !== undefined],
    ['aud', claims.audiences.length > 0],
    ['exp', claims.expiresAt !== undefined || !timesRequired],
    ['iat', claims.issuedAt !== undefined || !timesRequired],
  ];
  return required
    .filter(([claim, isThere]) => !isThere && !claims.malformed.includes(claim))
    .map(([claim]) => {
      const fix = 'use a projected token (serviceAccountToken) instead of one from a Secret';
      return { rule: 'missing-claim', message: `the token has no ${claim}; ${fix}`, error: missingClaim(claim) };
    });
}

function timeRefusals({ expiresAt, issuedAt, notBefore }: TokenClaims, { nowSeconds }: TokenTimes): readonly Refusal[] {
  const refusals: Refusal[] = [];
  // IAM's guide tells of five minutes after `exp`, and STS was seen to answer "Token expired" 198 seconds after it: what
  // is late is not promised.
  if (expiresAt !== undefined && nowSeconds >= expiresAt) {
    const message = `the token expired at ${timeText(expiresAt)}, and it is ${timeText(nowSeconds)}; read the file again, the kubelet renews it`;
    refusals.push({ rule: 'token-expired', message, error: tokenExpired({ now: Math.floor(nowSeconds), expiresAt }) });
  }
  const age = issuedAt === undefined ? 0 : Math.floor(nowSeconds - issuedAt);
  if (age >= TOO_OLD_SECONDS) {
    const message = `the token was issued ${age} seconds ago, and STS was seen to refuse that age; use a fresh one`;
    refusals.push({ rule: 'token-too-old', message, error: tokenTooOld(age) });
  }
  const begins = Math.max(notBefore ?? 0, issuedAt ?? 0);
  if (begins > nowSeconds + CLOCK_SKEW_SECONDS) {
    const message = `the token begins at ${timeText(begins)}, and it is ${timeText(nowSeconds)}; set the clocks right`;
    refusals.push({ rule: 'token-not-yet-valid', message, error: NOT_VALIDATED });
  }
  return refusals;
}

/** Seconds since 1970, as people read them; the claims of a broken token may lie beyond the calendar. */
export function timeText(seconds: number): string {
  const time = new Date(Math.floor(seconds) * 1000);
  return Number.isNaN(time.getTime()) ? `second ${seconds}` : time.toISOString().replace('.000Z', 'Z');
}

/** `provider` is null where the account of the role has none for the issuer, and undefined where that is not known. */
export function providerRefusals(
  claims: TokenClaims,
  { provider, role }: { readonly provider: OidcProvider | null | undefined; readonly role: RoleArn },
): readonly Refusal[] {
  const { issuer, audiences, authorizedParty } = claims;
  // What the token lacks is a refusal of its own.
  if (issuer === undefined) return [];
  const missing = (message: string): readonly Refusal[] => [
    { rule: 'provider-missing', message, error: noProvider(issuer) },
  ];
  const [wanted = STS_AUDIENCE] = audiences.filter((audience) => !isOfApiServer(audience, issuer));
  const create = `create it in account ${role.accountId}: aws iam create-open-id-connect-provider --url ${shellWord(issuer)} --client-id-list ${shellWord(wanted)}`;
  const isHttps = issuer.startsWith('https://');
  const fix = isHttps ? create : 'STS takes issuers that begin with https:// only';
  // IAM, CreateOpenIDConnectProvider: the URL must begin with https://, so no account has a provider for another.
  if (provider === undefined && isHttps) return [];
  if (provider === undefined || provider === null)
    return missing(`the account of the role has no OIDC provider for ${issuer}; ${fix}`);
  if (!isHttps || providerName(issuer) !== providerName(provider.url)) {
    const url = `https://${providerName(provider.url)}`;
    return missing(
      `the token's issuer is ${issuer}, the provider's is ${url}, and they must be equal to the last slash; ${fix}`,
    );
  }
  const owner = parseProviderArn(provider.arn);
  if (owner !== undefined && (owner.accountId !== role.accountId || owner.partition !== role.partition)) {
    return missing(
      `the provider ${provider.arn} is not in the role's account ${role.accountId} of partition ${role.partition}; ${fix}`,
    );
  }
  const presented = authorizedParty === undefined ? audiences : [authorizedParty];
  const [first] = presented;
  if (first === undefined || presented.some((audience) => provider.clientIds.includes(audience))) return [];
  const add = isOfApiServer(first, issuer)
    ? `it is a token for the API server, and every pod has one: take one for ${provider.clientIds[0] ?? STS_AUDIENCE}, by kubectl create token --audience`
    : `add it: aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${shellWord(provider.arn)} --client-id ${shellWord(first)}`;
  const message = `the token's audience is ${presented.join(', ')}, the provider takes ${provider.clientIds.join(', ') || 'none'}; ${add}`;
  return [{ rule: 'provider-audience', message, error: INCORRECT_AUDIENCE }];
}

/** Whether an audience is the API server's own: every pod has a token for it, which nobody else must be shown. */
export function isOfApiServer(audience: string, issuer: string | undefined): boolean {
  return audience === issuer || /^(?:https:\/\/)?kubernetes\.default\.svc(?:\.|$)|^(?:k3s|rke2)$/.test(audience);
}
