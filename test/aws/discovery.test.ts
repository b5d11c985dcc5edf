import { describe, expect, it } from '@jest/globals';
import { discoveryDocument, parseDiscovery } from '../../src/aws/discovery.ts';
import type { PublicJwk } from '../../src/aws/jwks.ts';
import { thumbprintOf } from '../../src/aws/thumbprint.ts';

const rsa: PublicJwk = { use: 'sig', kty: 'RSA', kid: 'a', alg: 'RS256', n: 'n', e: 'AQAB' };
const ec: PublicJwk = { use: 'sig', kty: 'EC', kid: 'b', crv: 'P-256', alg: 'ES256', x: 'x', y: 'y' };

describe('discoveryDocument', () => {
  it('is what the API server writes, with the algorithms of the keys', () => {
    const issuer = 'https://oidc.example.com';
    const document = discoveryDocument({
      issuer,
      jwksUri: `${issuer}/keys.json`,
      keys: [rsa, ec, { ...rsa, kid: 'c' }],
    });
    expect(JSON.stringify(document)).toBe(
      JSON.stringify({
        issuer: 'https://oidc.example.com',
        jwks_uri: 'https://oidc.example.com/keys.json',
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256', 'RS256'],
      }),
    );
    expect(parseDiscovery(document)).toEqual({ issuer, jwksUri: `${issuer}/keys.json` });
  });
});

describe('parseDiscovery', () => {
  it.each([[undefined], [[]], [{ issuer: 'a' }], [{ jwks_uri: 'a' }], [{ issuer: 1, jwks_uri: 'a' }]])(
    'refuses %j',
    (value) => {
      expect(parseDiscovery(value)).toBeUndefined();
    },
  );
});

describe('thumbprintOf', () => {
  it('is SHA-1 in lower case', () => {
    expect(thumbprintOf(Buffer.from('abc'))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  });
});
