// A web identity token as STS judges it: the claims first, then the issuer that the account's provider record names, whose
// documents are fetched (never an address that the token names), then the signature, by STS' algorithms alone.
import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader } from 'jose';
import type { JWTPayload } from 'jose';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import * as errors from '../../src/aws/sts-errors.ts';
import { TOO_OLD_SECONDS } from '../../src/aws/token-checks.ts';
import { ISSUER_UNREACHABLE } from './sts-answers.ts';
import { isRefusal, refusalFrom } from './sts-refusal.ts';
import type { Refusal } from './sts-refusal.ts';
import type { FetchPage } from './sts-web.ts';

/** An OIDC provider in an account's IAM. */
export interface Provider {
  readonly arn: string;
  /** As it was created: https, no port. */
  readonly url: string;
  readonly clientIds: readonly string[];
}

export interface TrustedToken {
  readonly provider: Provider;
  readonly subject: string;
  readonly audience: string;
  /** The claim jti. */
  readonly tokenId: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface TokenOptions {
  /** Those of the role's account. */
  readonly providers: readonly Provider[];
  readonly fetchPage: FetchPage;
  /** Milliseconds. */
  readonly now: () => number;
}

// STS API reference, AssumeRoleWithWebIdentity, WebIdentityToken.
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
// How far clocks may be apart where AWS says it at all: signed requests.
const skewSeconds = 300;
const required = ['iss', 'sub', 'aud', 'exp', 'iat'];

export async function judgeToken(token: string, options: TokenOptions): Promise<TrustedToken | Refusal> {
  const claims = claimsOf(token);
  if (claims === undefined) return refusalFrom(errors.NOT_A_JWT);
  const missing = required.find((claim) => !Object.hasOwn(claims, claim));
  if (missing !== undefined) return refusalFrom(errors.missingClaim(missing));
  const { iss, sub } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string') return refusalFrom(errors.NOT_VALIDATED);
  const untimely = untimelyAt(options.now(), claims);
  if (untimely !== undefined) return untimely;
  // Byte for byte: a slash at the end makes another issuer.
  const provider = options.providers.find(({ url }) => url === iss);
  if (provider === undefined) return refusalFrom(errors.noProvider(iss));
  const audience = audienceOf(claims);
  if (audience === undefined || !provider.clientIds.includes(audience)) return refusalFrom(errors.INCORRECT_AUDIENCE);
  const keySet = await keySetOf(provider.url, options.fetchPage);
  if (isRefusal(keySet)) return keySet;
  const refused = await signatureRefusal(token, keySet);
  return refused ?? { provider, subject: sub, audience, tokenId: ownString(claims, 'jti'), claims: { ...claims } };
}

function claimsOf(token: string): JWTPayload | undefined {
  // Nothing around it: not even the line end with which many editors end a file.
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return undefined;
  try {
    decodeProtectedHeader(token);
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

// Of several audiences the authorized party is the one that counts (OpenID Connect Core 3.1.3.7).
function audienceOf(claims: JWTPayload): string | undefined {
  const authorizedParty = ownString(claims, 'azp');
  if (authorizedParty !== undefined) return authorizedParty;
  const audiences: readonly unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  const [audience] = audiences;
  return audiences.length === 1 && typeof audience === 'string' ? audience : undefined;
}

function untimelyAt(nowMs: number, { exp, iat, nbf }: JWTPayload): Refusal | undefined {
  const now = Math.floor(nowMs / 1000);
  // STS API reference: timestamps are integers.
  if (!isInteger(exp) || !isInteger(iat) || (nbf !== undefined && !isInteger(nbf))) {
    return refusalFrom(errors.NOT_VALIDATED);
  }
  if (now >= exp) return refusalFrom(errors.tokenExpired({ now, expiresAt: exp }));
  if (now - iat >= TOO_OLD_SECONDS) return refusalFrom(errors.tokenTooOld(now - iat));
  if (Math.max(iat, nbf ?? iat) > now + skewSeconds) return refusalFrom(errors.NOT_VALIDATED);
  return undefined;
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value);
}

type KeySet = Parameters<typeof createLocalJWKSet>[0];

async function keySetOf(issuer: string, fetchPage: FetchPage): Promise<KeySet | Refusal> {
  const discovery = await documentAt(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, fetchPage);
  if (isRefusal(discovery)) return discovery;
  if (ownString(discovery, 'issuer') !== issuer) return refusalFrom(errors.NO_VERIFICATION_KEY);
  const keySet = await documentAt(ownString(discovery, 'jwks_uri') ?? issuer, fetchPage);
  if (isRefusal(keySet)) return keySet;
  const keys = ownList(keySet, 'keys').filter((key) => typeof key === 'object' && key !== null);
  const count = (type: string): number => keys.filter((key) => ownField(key, 'kty') === type).length;
  // IAM's limits (user guide, "Create an OpenID Connect identity provider").
  if (keys.length === 0 || count('RSA') > 100 || count('EC') > 100) return refusalFrom(errors.NO_VERIFICATION_KEY);
  return { keys };
}

async function documentAt(url: string, fetchPage: FetchPage): Promise<object> {
  if (!URL.canParse(url)) return refusalFrom(errors.NO_VERIFICATION_KEY);
  const page = await fetchPage(url);
  if ('failure' in page)
    return page.failure === 'certificate' ? refusalFrom(errors.WRONG_THUMBPRINT) : refusalFrom(ISSUER_UNREACHABLE);
  try {
    const document: unknown = JSON.parse(page.text);
    return page.status === 200 && typeof document === 'object' && document !== null
      ? document
      : refusalFrom(errors.NO_VERIFICATION_KEY);
  } catch {
    return refusalFrom(errors.NO_VERIFICATION_KEY);
  }
}

async function signatureRefusal(token: string, keySet: KeySet): Promise<Refusal | undefined> {
  try {
    await compactVerify(token, createLocalJWKSet(keySet), { algorithms });
    return undefined;
  } catch (error) {
    return ownCode(error) === 'ERR_JWKS_NO_MATCHING_KEY'
      ? refusalFrom(errors.NO_VERIFICATION_KEY)
      : refusalFrom(errors.NOT_VALIDATED);
  }
}

function ownCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
