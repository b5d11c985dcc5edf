import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { PublicJwk } from '../../src/aws/jwks.ts';
import { countProblems, isSameKey, jwkFrom, jwksDocument, mergedKeys, parseJwks } from '../../src/aws/jwks.ts';

const rsaPair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsa = rsaPair.publicKey.export({ format: 'jwk' });
const shortRsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
const curves = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' };

function ecKey(namedCurve: string): KeyObject {
  return generateKeyPairSync('ec', { namedCurve }).publicKey;
}

function published(members: readonly unknown[]): unknown {
  return parseJwks({ keys: members });
}

function key(kid: string, from: KeyObject = ecKey('P-256')): PublicJwk {
  const parsed = jwkFrom(from, kid);
  if (parsed === undefined || 'problem' in parsed) throw new Error(`${kid} is no key`);
  return parsed.key;
}

describe('parseJwks', () => {
  it('keeps of a key what the API server publishes, in its order', () => {
    const jwks = parseJwks({ keys: [{ ...rsa, kid: 'a', x5t: 'z', alg: 'RS256', use: 'sig' }] });
    expect(JSON.stringify(jwksDocument(jwks?.keys ?? []))).toBe(
      JSON.stringify({ keys: [{ use: 'sig', kty: 'RSA', kid: 'a', alg: 'RS256', n: rsa.n, e: rsa.e }] }),
    );
  });

  it.each(Object.entries(curves))('takes %s with %s', (curve, alg) => {
    const { x, y } = ecKey(curve).export({ format: 'jwk' });
    const member = { kty: 'EC', crv: curve, x, y, kid: 'a' };
    expect(published([member])).toEqual({
      keys: [{ use: 'sig', kty: 'EC', kid: 'a', crv: curve, alg, x, y }],
      unusable: [],
      leaked: [],
    });
  });

  it.each(['RS256', 'RS384', 'RS512'])('keeps %s of an RSA key', (alg) => {
    expect(published([{ ...rsa, kid: 'a', alg }])).toEqual({
      keys: [{ use: 'sig', kty: 'RSA', kid: 'a', alg, n: rsa.n, e: rsa.e }],
      unusable: [],
      leaked: [],
    });
  });

  it.each([
    ['no kid', { ...rsa }, 'key "": it has no kid, and tokens name their key by it'],
    ['an empty kid', { ...rsa, kid: '' }, 'key "": it has no kid, and tokens name their key by it'],
    ['a use of its own', { ...rsa, kid: 'a', use: 'enc' }, 'key "a": its use is "enc"; want sig'],
    ['short RSA', { ...shortRsa, kid: 'a' }, 'key "a": it is RSA of 1024 bits; want 2048 at least'],
    ['RSA for PSS', { ...rsa, kid: 'a', alg: 'PS256' }, 'key "a": its alg is "PS256"; want RS256'],
    [
      'a curve with the algorithm of another',
      { ...ecKey('P-256').export({ format: 'jwk' }), kid: 'a', alg: 'ES384' },
      'key "a": its alg is "ES384"; want ES256',
    ],
    [
      'a curve that STS does not take',
      { ...ecKey('secp256k1').export({ format: 'jwk' }), kid: 'a' },
      'key "a": it is no RSA key and none of P-256, P-384 or P-521, which is all that STS takes',
    ],
    [
      'Ed25519',
      { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'a' },
      'key "a": it is no RSA key and none of P-256, P-384 or P-521, which is all that STS takes',
    ],
    [
      'RSA without its modulus',
      { kty: 'RSA', e: 'AQAB', kid: 'a' },
      'key "a": it is no RSA key and none of P-256, P-384 or P-521, which is all that STS takes',
    ],
    ['no object', 'a', 'key "": it has no kid, and tokens name their key by it'],
  ])('says of %s that it cannot be used', (_, member, problem) => {
    expect(published([member])).toEqual({ keys: [], unusable: [problem], leaked: [] });
  });

  it('takes the public half of a key that was published whole, and tells', () => {
    expect(published([{ ...rsaPair.privateKey.export({ format: 'jwk' }), kid: 'a' }])).toEqual({
      keys: [{ use: 'sig', kty: 'RSA', kid: 'a', alg: 'RS256', n: rsa.n, e: rsa.e }],
      unusable: [],
      leaked: ['"a"'],
    });
    expect(published([{ kty: 'oct', k: 'c2VjcmV0', kid: 'b' }])).toEqual({
      keys: [],
      unusable: ['key "b": it is no RSA key and none of P-256, P-384 or P-521, which is all that STS takes'],
      leaked: ['"b"'],
    });
  });

  it.each([[undefined], [null], ['keys'], [[]], [{}], [{ keys: {} }], [{ __proto__: { keys: [] } }]])(
    'refuses %j',
    (value) => {
      expect(parseJwks(value)).toBeUndefined();
    },
  );
});

describe('mergedKeys', () => {
  const [a, b, c] = [key('a'), key('b'), key('c')];

  it('puts the cluster’s keys first, and keeps what is published', () => {
    expect(mergedKeys({ current: [b, a], published: [c, a], retired: [] })).toEqual({
      keys: [b, a, c],
      kept: ['c'],
      replaced: [],
      problems: [],
    });
  });

  it('leaves out what is retired', () => {
    expect(mergedKeys({ current: [a], published: [b, c], retired: ['b', 'unknown'] })).toEqual({
      keys: [a, c],
      kept: ['c'],
      replaced: [],
      problems: [],
    });
  });

  it('does not retire what the cluster uses', () => {
    expect(mergedKeys({ current: [a], published: [], retired: ['a'] }).problems).toEqual([
      'key "a" is in use: retire it once the API server no longer has it',
    ]);
  });

  it('tells of an id that now means another key', () => {
    const other = key('a');
    expect(mergedKeys({ current: [other], published: [a], retired: [] })).toEqual({
      keys: [other],
      kept: [],
      replaced: ['a'],
      problems: [],
    });
  });

  it('counts each kind of key, and wants one', () => {
    const rsaKey = key('rsa', rsaPair.publicKey);
    const many = (one: PublicJwk, count: number) => Array.from({ length: count }, (_, n) => ({ ...one, kid: `${n}` }));
    expect(countProblems([...many(a, 100), ...many(rsaKey, 100)])).toEqual([]);
    expect(countProblems([...many(a, 101), ...many(rsaKey, 102)])).toEqual([
      '102 RSA keys; AWS reads 100: retire old ones',
      '101 EC keys; AWS reads 100: retire old ones',
    ]);
    expect(countProblems([])).toEqual(['there is no key at all']);
  });
});

describe('isSameKey', () => {
  it('compares the key, not what is said of it', () => {
    const [one, other] = [key('a'), key('b', ecKey('P-384'))];
    const rsaKey = key('rsa', rsaPair.publicKey);
    const rsaOther = key('rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
    expect([
      isSameKey(one, { ...one, kid: 'z' }),
      isSameKey(one, other),
      isSameKey(one, rsaKey),
      isSameKey(rsaKey, one),
      isSameKey(rsaKey, { ...rsaKey, kid: 'z', alg: 'RS512' }),
      isSameKey(rsaKey, rsaOther),
      isSameKey(rsaKey, undefined),
      isSameKey(one, undefined),
    ]).toEqual([true, false, false, false, true, false, false, false]);
  });
});
