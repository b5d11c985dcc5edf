// What a ServiceAccount token claims: who, for whom, from when until when. Nothing here verifies a signature.
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { JsonObject } from './json-object.ts';
import { isJsonObject } from './json-object.ts';
import { ownField, ownText } from './own-field.ts';

/** Times are seconds since 1970. What is absent, or of a type that the claim may not have, is undefined. */
export interface TokenClaims {
  readonly issuer?: string;
  readonly subject?: string;
  /** Empty where there is none. */
  readonly audiences: readonly string[];
  readonly authorizedParty?: string;
  readonly expiresAt?: number;
  readonly issuedAt?: number;
  readonly notBefore?: number;
  readonly kubernetes?: KubernetesClaims;
  /** Claims that are there with a type that they may not have, such as `exp` as text. */
  readonly malformed: readonly string[];
  /** All claims as they stand. */
  readonly payload: JsonObject;
}

/** What the API server says of the pod that a token is bound to. */
export interface KubernetesClaims {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly pod?: string;
  readonly podUid?: string;
  readonly node?: string;
}

/** What a token is beside its claims. */
export interface TokenForm {
  readonly algorithm?: string;
  /** Whether there is a signature, which is not verified here. */
  readonly isSigned: boolean;
  /** Length of that signature. */
  readonly signatureBytes?: number;
  /** Number of characters of the token as it is sent. */
  readonly length: number;
}

/** A token without its signature, which is not kept. */
export interface DecodedToken extends TokenForm {
  readonly keyId?: string;
  readonly claims: TokenClaims;
}

/** Undefined where the text is not a JSON Web Token. Blanks around it do not count. */
export function tokenClaims(jwt: string): DecodedToken | undefined {
  const text = jwt.trim();
  try {
    const header = decodeProtectedHeader(text);
    const claims = claimsFrom(decodeJwt(text));
    if (claims === undefined || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)) return undefined;
    const algorithm = ownText(header, 'alg');
    const keyId = ownText(header, 'kid');
    return {
      ...(algorithm === undefined ? {} : { algorithm }),
      ...(keyId === undefined ? {} : { keyId }),
      claims,
      isSigned: !text.endsWith('.'),
      // Four characters of base64url are three bytes.
      signatureBytes: Math.floor(((text.length - text.lastIndexOf('.') - 1) * 3) / 4),
      length: text.length,
    };
  } catch {
    return undefined;
  }
}

/** The claims of a token's payload; undefined where the value is not a JSON object. */
export function claimsFrom(value: unknown): TokenClaims | undefined {
  if (!isJsonObject(value)) return undefined;
  const issuer = ownText(value, 'iss');
  const subject = ownText(value, 'sub');
  const authorizedParty = ownText(value, 'azp');
  const expiresAt = secondsOf(value, 'exp');
  const issuedAt = secondsOf(value, 'iat');
  const notBefore = secondsOf(value, 'nbf');
  const kubernetes = kubernetesClaimsOf(value);
  return {
    ...(issuer === undefined ? {} : { issuer }),
    ...(subject === undefined ? {} : { subject }),
    audiences: audiencesOf(value),
    ...(authorizedParty === undefined ? {} : { authorizedParty }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(issuedAt === undefined ? {} : { issuedAt }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(kubernetes === undefined ? {} : { kubernetes }),
    malformed: malformedIn(value),
    payload: value,
  };
}

/** The claims of a projected token of a ServiceAccount, as far as a trust policy can see them. */
export function claimsOfServiceAccount(account: {
  readonly namespace: string;
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
}): TokenClaims {
  const { issuer, audience } = account;
  const subject = `system:serviceaccount:${account.namespace}:${account.name}`;
  const payload = { iss: issuer, sub: subject, aud: [audience] };
  return { issuer, subject, audiences: [audience], malformed: [], payload };
}

/** Namespace and name in a subject of the form system:serviceaccount:NAMESPACE:NAME. */
export function accountOf(subject: string): { readonly namespace: string; readonly name: string } | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(subject);
  if (match === null) return undefined;
  const [, namespace = '', name = ''] = match;
  return { namespace, name };
}

function audiencesOf(payload: JsonObject): readonly string[] {
  const audience = ownField(payload, 'aud');
  const list: readonly unknown[] = Array.isArray(audience) ? audience : [audience];
  return list.filter((one) => typeof one === 'string' && one !== '').map(String);
}

function secondsOf(payload: JsonObject, claim: string): number | undefined {
  const value = ownField(payload, claim);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isTextOrTexts(value: unknown): boolean {
  return isText(value) || (Array.isArray(value) && value.every(isText));
}

/** A claim that is null is one that is not there. */
function malformedIn(payload: JsonObject): readonly string[] {
  const rules: readonly (readonly [claim: string, isRight: (value: unknown) => boolean])[] = [
    ['iss', isText],
    ['sub', isText],
    ['aud', isTextOrTexts],
    ['exp', Number.isInteger],
    ['iat', Number.isInteger],
    ['nbf', Number.isInteger],
  ];
  const wrong = rules.filter(([claim, isRight]) => !isRight(ownField(payload, claim) ?? null));
  return wrong.map(([claim]) => claim).filter((claim) => (ownField(payload, claim) ?? null) !== null);
}

/** Bound tokens have `kubernetes.io` as an object; legacy tokens of Secrets have one claim each. */
function kubernetesClaimsOf(payload: JsonObject): KubernetesClaims | undefined {
  const bound = ownField(payload, 'kubernetes.io');
  const legacy = (key: string): string | undefined => ownText(payload, `kubernetes.io/serviceaccount/${key}`);
  const claims = {
    namespace: ownText(bound, 'namespace') ?? legacy('namespace'),
    serviceAccount: ownText(ownField(bound, 'serviceaccount'), 'name') ?? legacy('service-account.name'),
    pod: ownText(ownField(bound, 'pod'), 'name'),
    podUid: ownText(ownField(bound, 'pod'), 'uid'),
    node: ownText(ownField(bound, 'node'), 'name'),
  };
  const known = Object.entries(claims).filter(([, value]) => value !== undefined);
  return known.length === 0 ? undefined : Object.fromEntries(known);
}
