import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { PublicJwk } from '../../src/aws/jwks.ts';
import { jwkFrom } from '../../src/aws/jwks.ts';
import { keyIdOf } from '../../src/aws/public-keys.ts';
import { signatureVerdict } from '../../src/aws/token-signature.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const curves = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
};

function tokenOf(privateKey: KeyObject, header: object): string {
  const parts = [
    { typ: 'JWT', ...header },
    { iss: 'https://oidc.example.com', sub: 'system:serviceaccount:a:b' },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const hash = `sha${/\d+$/.exec('alg' in header ? String(header.alg) : '')?.[0] ?? '256'}`;
  const signature = sign(hash, Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

function published(key: KeyObject, kid = keyIdOf(key)): PublicJwk {
  const parsed = jwkFrom(key, kid);
  if (parsed === undefined || 'problem' in parsed) throw new Error('want a key that STS takes');
  return parsed.key;
}

describe('signatureVerdict', () => {
  it.each(['RS256', 'RS384', 'RS512'])('is good for %s by an RSA key, whatever the set says', async (alg) => {
    const token = tokenOf(rsa.privateKey, { alg, kid: keyIdOf(rsa.publicKey) });
    expect(await signatureVerdict(token, [published(rsa.publicKey)])).toBe('good');
  });

  it.each(Object.entries(curves))('is good for %s', async (alg, { publicKey, privateKey }) => {
    const token = tokenOf(privateKey, { alg, kid: keyIdOf(publicKey) });
    expect(await signatureVerdict(token, [published(rsa.publicKey), published(publicKey)])).toBe('good');
  });

  it.each([
    ['another key under the kid', { alg: 'RS256', kid: 'a' }, 'signature-wrong'],
    ['an algorithm of another kind of key', { alg: 'ES256', kid: 'a' }, 'signature-wrong'],
    ['a kid that is not published', { alg: 'RS256', kid: 'b' }, 'key-not-published'],
    ['no kid', { alg: 'RS256' }, 'key-not-published'],
    ['no algorithm', { kid: 'a' }, 'algorithm-not-taken'],
    ['none', { alg: 'none', kid: 'a' }, 'algorithm-not-taken'],
    ['the public key as a shared secret', { alg: 'HS256', kid: 'a' }, 'algorithm-not-taken'],
    ['PSS', { alg: 'PS256', kid: 'a' }, 'algorithm-not-taken'],
    // What the token brings along is no key of the issuer.
    ['a key of its own', { alg: 'RS256', kid: 'b', jwk: rsa.publicKey.export({ format: 'jwk' }) }, 'key-not-published'],
  ])('tells %s', async (_, header, verdict) => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    expect(await signatureVerdict(tokenOf(rsa.privateKey, header), [published(other, 'a')])).toBe(verdict);
  });

  it('says that what is no JWT is none', async () => {
    expect(await signatureVerdict('a.b.c', [])).toBe('not-a-token');
  });
});
