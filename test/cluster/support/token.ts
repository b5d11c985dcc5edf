// Tokens as AWS STS looks at them: the signature by the issuer's published keys, then the claims.
import { createPublicKey, verify } from 'node:crypto';
import { isObject, ownField, ownList, ownString } from '../../../src/admission/json.ts';
import type { JsonObject } from '../../../src/admission/json.ts';

export interface VerifiedToken {
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/** Throws unless one of the keys has the token's key id and has signed it by RS256. */
export function verifiedToken(token: string, keySet: unknown): VerifiedToken {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const fields = decoded(header);
  const jwk = ownList(keySet, 'keys').find((key) => ownField(key, 'kid') === ownField(fields, 'kid'));
  if (!isObject(jwk)) throw new Error(`No published key has the token's key id ${ownString(fields, 'kid') ?? ''}.`);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  if (!verify('RSA-SHA256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))) {
    throw new Error('The signature of the token is not of the key that its header names.');
  }
  return { header: fields, claims: decoded(payload) };
}

function decoded(part: string): JsonObject {
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  if (!isObject(value)) throw new Error('A part of the token is no JSON object.');
  return value;
}
