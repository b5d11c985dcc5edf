import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import type { PublicDocument, ServerProof } from '../../src/aws/issuer-checks.ts';
import { checkDiscovery, checkJwks, checkProof, checkUrl } from '../../src/aws/issuer-checks.ts';
import { NO_VERIFICATION_KEY, WRONG_THUMBPRINT } from '../../src/aws/sts-errors.ts';

const issuer = 'https://oidc.example.com';
const url = `${issuer}/.well-known/openid-configuration`;
const jwksUri = `${issuer}/openid/v1/jwks`;
const proof: ServerProof = {
  problem: undefined,
  isPrivate: false,
  thumbprint: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  certificates: 2,
  notAfter: '2027-01-01T00:00:00.000Z',
};
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const anew =
  'upload what this writes: pod-identity-webhook oidc publish --from-cluster --issuer=https://oidc.example.com --out=public';
const key = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'a' };

function document(body: unknown, status = 200): PublicDocument {
  return { url, proof, status, text: typeof body === 'string' ? body : JSON.stringify(body) };
}

describe('checkUrl', () => {
  it.each([
    [issuer, { check: 'issuer-url', result: 'ok', evidence: `${issuer} is a URL that IAM takes` }],
    [
      `${issuer}/`,
      {
        check: 'issuer-url',
        result: 'warning',
        evidence: `${issuer}/: it ends in a slash, which then belongs to the issuer in tokens, IAM and trust policies alike`,
        fix: 'compare them byte by byte',
      },
    ],
    [
      'https://OIDC.example.com/',
      {
        check: 'issuer-url',
        result: 'warning',
        evidence:
          'https://OIDC.example.com/: it ends in a slash, which then belongs to the issuer in tokens, IAM and trust policies alike; its host has capital letters, which then belong to it in tokens, IAM and trust policies alike',
        fix: 'compare them byte by byte',
      },
    ],
    [
      'https://oidc',
      {
        check: 'issuer-url',
        result: 'failed',
        evidence:
          'https://oidc: its host is a name that only your network knows, and STS must reach it: want a public DNS name',
        fix: 'choose another --service-account-issuer, and keep the old one as its second value for running tokens',
      },
    ],
  ])('of %s', (text, check) => {
    expect(checkUrl(text)).toEqual(check);
  });
});

describe('checkProof', () => {
  const chain = '2 certificates, valid until 2027-01-01T00:00:00.000Z';
  const pin = 'IAM needs the thumbprint of the last one: a9993e364706816aba3e25717850c26c9cd0d89d';

  it.each([
    [
      'of a public CA needs no thumbprint',
      {},
      { result: 'ok', evidence: `${chain}, of a public CA: IAM needs no thumbprint` },
    ],
    [
      'of one’s own CA needs one',
      { isPrivate: true },
      { result: 'warning', evidence: `${chain}, of a CA of your own`, fix: pin },
    ],
    [
      'without its CA changes with each renewal',
      { isPrivate: true, certificates: 1 },
      {
        result: 'warning',
        evidence: '1 certificate, valid until 2027-01-01T00:00:00.000Z, of a CA of your own',
        fix: `${pin}; the server sends its certificate alone, so that each renewal changes it: send the CA along`,
      },
    ],
    [
      'that cannot be trusted fails',
      { problem: 'CERT_HAS_EXPIRED' },
      {
        result: 'failed',
        evidence: `${url}: CERT_HAS_EXPIRED (${chain})`,
        fix: 'serve a certificate of a public CA for that name, or give your own CA: --certificate-authority=FILE',
        stsError: WRONG_THUMBPRINT,
      },
    ],
  ])('a certificate %s', (_, change, want) => {
    expect(checkProof('discovery-certificate', { url, proof: { ...proof, ...change } })).toEqual({
      check: 'discovery-certificate',
      ...want,
    });
  });
});

describe('checkDiscovery', () => {
  const ok = [
    { check: 'discovery', result: 'ok', evidence: `${url} is there for everybody` },
    { check: 'discovery-issuer', result: 'ok', evidence: `the document says "${issuer}", as it must` },
    { check: 'jwks-uri', result: 'ok', evidence: `${jwksUri} is a public address` },
  ];

  it('takes what Kubernetes writes', () => {
    const discovery = { issuer, jwksUri };
    expect(checkDiscovery(issuer, document({ issuer, jwks_uri: jwksUri }))).toEqual({ checks: ok, discovery });
  });

  it('compares the issuer byte by byte', () => {
    const discovery = { issuer: `${issuer}/`, jwksUri };
    expect(checkDiscovery(issuer, document({ issuer: `${issuer}/`, jwks_uri: jwksUri }))).toEqual({
      checks: [
        ok[0],
        {
          check: 'discovery-issuer',
          result: 'failed',
          evidence: `the document says "${issuer}/", and the issuer is "${issuer}"`,
          fix: 'publish it for the issuer that is in the tokens, byte by byte, a slash at the end included',
          stsError: NO_VERIFICATION_KEY,
        },
        ok[2],
      ],
      discovery,
    });
  });

  it('wants a public address of the keys', () => {
    const { checks } = checkDiscovery(issuer, document({ issuer, jwks_uri: 'https://10.0.0.1:6443/openid/v1/jwks' }));
    expect(checks[2]).toEqual({
      check: 'jwks-uri',
      result: 'failed',
      evidence:
        'https://10.0.0.1:6443/openid/v1/jwks: its host is an IP address: want a DNS name for which a public CA signs',
      fix: 'publish the document with the public address of the keys, and give it as --service-account-jwks-uri',
      stsError: NO_VERIFICATION_KEY,
    });
  });

  const read = 'let everybody read it: on S3 by a bucket policy, as ACLs and public access are blocked by default';

  it.each([
    ['403', document('', 403), `${url} answers 403 to a caller without credentials`, `publish it, and ${read}`],
    ['401', document('', 401), `${url} answers 401 to a caller without credentials`, `publish it, and ${read}`],
    ['404', document('', 404), `${url} answers 404 to a caller without credentials`, anew],
    ['500', document('', 500), `${url} answers 500 to a caller without credentials`, 'repair its server'],
    ['301', document('', 301), `${url} answers 301 to a caller without credentials`, 'serve it at that address itself'],
    ['no JSON', document('<html>'), `${url} is no JSON`, anew],
    ['no discovery document', document([]), `${url} has no issuer or no jwks_uri`, anew],
  ])('fails on %s', (_, got, evidence, fix) => {
    expect(checkDiscovery(issuer, got)).toEqual({
      checks: [{ check: 'discovery', result: 'failed', evidence, fix, stsError: NO_VERIFICATION_KEY }],
      discovery: undefined,
    });
  });
});

describe('checkJwks', () => {
  it('counts the keys', () => {
    expect(checkJwks(issuer, document({ keys: [key] })).checks).toEqual([
      { check: 'jwks', result: 'ok', evidence: `${url} is there for everybody, with 1 key` },
    ]);
    expect(checkJwks(issuer, document({ keys: [key, { ...key, kid: 'b' }] })).checks).toEqual([
      { check: 'jwks', result: 'ok', evidence: `${url} is there for everybody, with 2 keys` },
    ]);
  });

  it('tells of keys that STS cannot use, and of private ones', () => {
    const whole = { ...pair.privateKey.export({ format: 'jwk' }), kid: 'b' };
    expect(checkJwks(issuer, document({ keys: [key, whole, { kty: 'OKP', kid: 'c' }] })).checks).toEqual([
      { check: 'jwks', result: 'ok', evidence: `${url} is there for everybody, with 2 keys` },
      {
        check: 'jwks-keys',
        result: 'warning',
        evidence: 'key "c": it is no RSA key and none of P-256, P-384 or P-521, which is all that STS takes',
        fix: 'AWS passes over them: sign with RSA, P-256, P-384 or P-521',
      },
      {
        check: 'jwks-private',
        result: 'failed',
        evidence: 'the private half of "b" is public',
        fix: 'give the cluster a new key at once: whoever read it can make tokens of any account',
      },
    ]);
  });

  it.each([
    ['has no keys', document({ keys: [] }), `${url}: there is no key at all`, anew],
    ['is another document', document({}), `${url} is no JSON Web Key Set`, anew],
    ['is missing', document('', 404), `${url} answers 404 to a caller without credentials`, anew],
    ['500', document('', 500), `${url} answers 500 to a caller without credentials`, 'repair its server'],
    [
      'does not answer',
      { url, failure: 'connect ECONNREFUSED' },
      `${url} does not answer: connect ECONNREFUSED`,
      'serve it where jwks_uri says',
    ],
  ])('fails where it %s', (_, got, evidence, fix) => {
    expect(checkJwks(issuer, got).checks).toEqual([
      { check: 'jwks', result: 'failed', evidence, fix, stsError: NO_VERIFICATION_KEY },
    ]);
  });

  it('is skipped where nobody knows where it is', () => {
    expect(checkJwks(issuer, undefined)).toEqual({
      checks: [{ check: 'jwks', result: 'skipped', evidence: 'there is no discovery document that says where it is' }],
      jwks: undefined,
    });
  });
});
