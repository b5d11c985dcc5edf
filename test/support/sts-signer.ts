// An issuer's signing key and the tokens that it signs: those of a kube-apiserver, and those that none would sign.
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';

export type Algorithm = 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA';

export interface Signer {
  readonly keyId: string;
  /** As a member of a published key set. */
  readonly jwk: object;
  /** The claims as they are given, and no others. */
  sign(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

export function createSigner(algorithm: Algorithm): Signer {
  return signerFrom(newKey(algorithm), algorithm);
}

/** Of a private key that exists. */
export function signerFrom(key: KeyObject, algorithm: Algorithm): Signer {
  const published = createPublicKey(key);
  // What kube-apiserver calls its keys: the hash of what `openssl rsa -pubout` writes.
  const keyId = createHash('sha256')
    .update(published.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  return {
    keyId,
    jwk: { use: 'sig', kid: keyId, alg: algorithm, ...published.export({ format: 'jwk' }) },
    sign: (claims, header = {}) =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg: algorithm, kid: keyId, ...header }).sign(key),
  };
}

function newKey(algorithm: Algorithm): KeyObject {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519').privateKey;
  const namedCurve = curves[algorithm];
  return namedCurve === undefined
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    : generateKeyPairSync('ec', { namedCurve }).privateKey;
}
