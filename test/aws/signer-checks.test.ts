import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, sign } from 'node:crypto';
import type { PublicJwk } from '../../src/aws/jwks.ts';
import { jwkFrom } from '../../src/aws/jwks.ts';
import { checkCluster, checkToken } from '../../src/aws/signer-checks.ts';
import {
  missingClaim,
  NO_VERIFICATION_KEY,
  NOT_A_JWT,
  NOT_VALIDATED,
  noProvider,
  tokenExpired,
} from '../../src/aws/sts-errors.ts';

const issuer = 'https://oidc.example.com';
const now = Date.parse('2026-07-01T00:00:00Z');
const seconds = now / 1000;
const [first, second] = ['a', 'b'].map((kid) => ({ kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }));

function published(kid: string, publicKey = first?.publicKey): PublicJwk {
  const parsed = publicKey === undefined ? undefined : jwkFrom(publicKey, kid);
  if (parsed === undefined || 'problem' in parsed) throw new Error(`${kid} is no key`);
  return parsed.key;
}

function tokenOf(claims: object, header: object = { alg: 'ES256', kid: 'a' }): string {
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  if (first === undefined) throw new Error('want a key');
  const signature = sign('sha256', Buffer.from(signed), { key: first.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

describe('checkCluster', () => {
  const tokens = `the API server's tokens are of "${issuer}"`;
  const other = published('a', second?.publicKey);

  it('is content where every key is published', () => {
    const cluster = { issuer, keys: [published('a')] };
    expect(checkCluster(issuer, cluster, [published('a')])).toEqual([
      { check: 'cluster-issuer', result: 'ok', evidence: tokens },
      { check: 'cluster-keys', result: 'ok', evidence: "all 1 of the API server's keys are published" },
    ]);
    expect(checkCluster(issuer, cluster, [published('old'), published('a')])[1]).toEqual({
      check: 'cluster-keys',
      result: 'ok',
      evidence: "all 1 of the API server's keys are published, and old beside them",
    });
  });

  it('tells which keys are missing, and which are others', () => {
    const cluster = { issuer: 'https://kubernetes.default.svc', keys: [published('a'), published('new')] };
    expect(checkCluster(issuer, cluster, [other])).toEqual([
      {
        check: 'cluster-issuer',
        result: 'failed',
        evidence: `the API server's tokens are of "https://kubernetes.default.svc", and not of "${issuer}", which was given`,
        fix: `give the API server --service-account-issuer=${issuer} before its present one`,
        stsError: noProvider('https://kubernetes.default.svc'),
      },
      {
        check: 'cluster-keys',
        result: 'failed',
        evidence: 'new is not published; a is published with another key',
        fix: `upload what this writes, with the keys that are published: pod-identity-webhook oidc publish --from-cluster --merge-published --issuer=${issuer} --out=public`,
        stsError: NO_VERIFICATION_KEY,
      },
    ]);
  });

  it('keeps no keys where there are none', () => {
    expect(checkCluster(issuer, { issuer, keys: [published('a')] }, [])[1]?.fix).toBe(
      `upload what this writes: pod-identity-webhook oidc publish --from-cluster --issuer=${issuer} --out=public`,
    );
  });

  it.each([
    [issuer, `${issuer}/`, `verify the one that tokens have, --issuer=${issuer}/`],
    [`${issuer}:443/`, issuer, `verify the one that tokens have, --issuer=${issuer}`],
    [
      'https://other.example.com',
      issuer,
      `verify the one that tokens have, --issuer=${issuer}; or, to change what they have, give the API server --service-account-issuer=https://other.example.com before its present one`,
    ],
    [
      `${issuer}:443`,
      'https://kubernetes.default.svc',
      'choose an issuer that IAM takes, and give it to the API server before its present one',
    ],
  ])('advises, where %s was given and tokens are of %s', (given, ofTokens, fix) => {
    expect(checkCluster(given, { issuer: ofTokens, keys: [] }, [])[0]?.fix).toBe(fix);
  });
});

describe('checkToken', () => {
  const claims = { iss: issuer, aud: ['sts.amazonaws.com'], exp: seconds + 60 };
  const options = { issuer, keys: [published('a')], now };
  const lifetime = {
    check: 'token-expiration',
    result: 'ok',
    evidence: 'the token is valid until 2026-07-01T00:01:00.000Z',
  };
  const ofIssuer = { check: 'token-issuer', result: 'ok', evidence: `the token is of "${issuer}"` };
  const forSts = { check: 'token-audience', result: 'ok', evidence: 'the token is for "sts.amazonaws.com"' };
  const fresh = 'take a token of now: kubectl create token, or the file in the pod';

  it('is content with a token of the issuer', async () => {
    expect(await checkToken(tokenOf(claims), options)).toEqual([
      ofIssuer,
      forSts,
      { check: 'token-signature', result: 'ok', evidence: 'ES256 by key "a", which is published' },
      lifetime,
    ]);
  });

  it('judges no signature where the keys are not known', async () => {
    expect(await checkToken(tokenOf(claims), { ...options, keys: undefined })).toEqual([ofIssuer, forSts, lifetime]);
  });

  it.each([
    [
      'another key',
      tokenOf(claims),
      [published('a', second?.publicKey)],
      'published key "a" did not sign this token',
      'look for another key under that id, and for a token that was cut or changed on its way',
      NOT_VALIDATED,
    ],
    [
      'a key that is not published',
      tokenOf(claims),
      [published('b')],
      'key "a" of the token is not published',
      'publish the key: it was rotated, or the documents are those of another cluster',
      NO_VERIFICATION_KEY,
    ],
    [
      'a token without kid',
      tokenOf(claims, { alg: 'ES256' }),
      [published('b')],
      'key "" of the token is not published',
      'publish the key: it was rotated, or the documents are those of another cluster',
      NO_VERIFICATION_KEY,
    ],
    [
      'no signature at all',
      tokenOf(claims, { alg: 'none', kid: 'a' }),
      [published('a')],
      'the token is signed by "none"',
      'sign with RSA, P-256, P-384 or P-521',
      NOT_VALIDATED,
    ],
    [
      'no algorithm',
      tokenOf(claims, { kid: 'a' }),
      [published('a')],
      'the token is signed by ""',
      'sign with RSA, P-256, P-384 or P-521',
      NOT_VALIDATED,
    ],
  ])('fails on %s', async (_, token, keys, evidence, fix, stsError) => {
    expect(await checkToken(token, { ...options, keys })).toEqual([
      ofIssuer,
      forSts,
      { check: 'token-signature', result: 'failed', evidence, fix, stsError },
      lifetime,
    ]);
  });

  it.each([
    [{ iss: 'https://kubernetes.default.svc' }, '"https://kubernetes.default.svc"', 'https://kubernetes.default.svc'],
    [{}, '""', ''],
  ])('fails on the issuer of %j', async (other, shown, named) => {
    const [check] = await checkToken(tokenOf({ exp: seconds + 60, ...other }), options);
    expect(check).toEqual({
      check: 'token-issuer',
      result: 'failed',
      evidence: `the token is of ${shown}, and the issuer is "${issuer}"`,
      fix: 'verify the issuer that is in the tokens, and make the IAM provider for it',
      stsError: noProvider(named),
    });
  });

  it.each([
    [
      { exp: seconds },
      {
        result: 'failed',
        evidence: 'the token expired at 2026-07-01T00:00:00.000Z',
        fix: fresh,
        stsError: tokenExpired({ now: seconds, expiresAt: seconds }),
      },
    ],
    [{}, { result: 'warning', evidence: 'the token has no exp', fix: fresh }],
    [{ exp: 1e15 }, { result: 'ok', evidence: 'the token is valid until 1000000000000000 s after 1970' }],
  ])('reads the lifetime of %j', async (lasting, want) => {
    const checks = await checkToken(tokenOf({ iss: issuer, ...lasting }), options);
    expect(checks.at(-1)).toEqual({ check: 'token-expiration', ...want });
  });

  it.each([
    [
      { aud: ['https://kubernetes.default.svc', 'k3s'] },
      {
        result: 'warning',
        evidence:
          'the token is for "https://kubernetes.default.svc", "k3s", not for "sts.amazonaws.com": STS answers InvalidIdentityToken: Incorrect token audience where the IAM provider does not have it among its client ids',
        fix: 'make one with --audience=sts.amazonaws.com, or add it to the provider',
      },
    ],
    [
      { aud: [] },
      {
        result: 'failed',
        evidence: 'the token is for nobody',
        fix: 'make one with --audience=sts.amazonaws.com',
        stsError: missingClaim('aud'),
      },
    ],
    [
      { aud: 'other', azp: 'sts.amazonaws.com' },
      { result: 'ok', evidence: 'the token is for "sts.amazonaws.com"' },
    ],
  ])('looks at the audience of %j', async (audience, want) => {
    const checks = await checkToken(tokenOf({ ...claims, ...audience }), options);
    expect(checks[1]).toEqual({ check: 'token-audience', ...want });
  });

  it('says that what is no token is none', async () => {
    expect(await checkToken('nothing', options)).toEqual([
      {
        check: 'token',
        result: 'failed',
        evidence: 'it is no JSON Web Token',
        fix: 'give the token as the pod has it',
        stsError: NOT_A_JWT,
      },
    ]);
  });
});
