import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NOT_A_JWT } from '../../src/aws/sts-errors.ts';
import { tokenReport } from '../../src/aws/token-findings.ts';
import { timeText } from '../../src/aws/token-checks.ts';
import type { DecodedToken } from '../../src/aws/token.ts';
import { accountOf, claimsFrom, claimsOfServiceAccount, tokenClaims } from '../../src/aws/token.ts';

const ISSUER = 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF';
const NOW = 1_800_000_000;
/** As a cluster of Kubernetes 1.35 writes it. */
const PAYLOAD = {
  aud: ['sts.amazonaws.com'],
  exp: NOW + 82_800,
  iat: NOW - 3600,
  iss: ISSUER,
  jti: 'b5a9e5c0-0000-4000-8000-000000000000',
  'kubernetes.io': {
    namespace: 'prod',
    node: { name: 'ip-10-0-0-1', uid: 'n' },
    pod: { name: 'api-0', uid: 'p' },
    serviceaccount: { name: 'api', uid: 's' },
  },
  nbf: NOW - 3600,
  sub: 'system:serviceaccount:prod:api',
};

function jwt(payload: unknown, header: unknown = { alg: 'RS256', kid: 'k' }): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(payload)}.c2lnbmF0dXJl`;
}

function decoded(payload: unknown, header?: unknown): DecodedToken {
  const token = tokenClaims(jwt(payload, header));
  if (token === undefined) throw new Error('want a token');
  return token;
}

function reported(changes: Readonly<Record<string, unknown>>, header?: unknown) {
  const { stsError, findings } = tokenReport(decoded({ ...PAYLOAD, ...changes }, header), NOW);
  return [stsError?.message ?? null, ...findings.map(({ severity, rule }) => `${severity} ${rule}`)];
}

describe('tokenClaims', () => {
  it('reads what a cluster writes, and forgets the signature', () => {
    const token = tokenClaims(`${jwt(PAYLOAD)}\n`);
    expect(token).toEqual({
      algorithm: 'RS256',
      keyId: 'k',
      isSigned: true,
      signatureBytes: 9,
      length: jwt(PAYLOAD).length,
      claims: {
        issuer: ISSUER,
        subject: 'system:serviceaccount:prod:api',
        audiences: ['sts.amazonaws.com'],
        expiresAt: NOW + 82_800,
        issuedAt: NOW - 3600,
        notBefore: NOW - 3600,
        kubernetes: { namespace: 'prod', serviceAccount: 'api', pod: 'api-0', podUid: 'p', node: 'ip-10-0-0-1' },
        malformed: [],
        payload: PAYLOAD,
      },
    });
  });

  it('reads the token of a Secret, which says less', () => {
    const payload = {
      iss: 'kubernetes/serviceaccount',
      'kubernetes.io/serviceaccount/namespace': 'prod',
      'kubernetes.io/serviceaccount/service-account.name': 'api',
      sub: 'system:serviceaccount:prod:api',
    };
    expect(decoded(payload, {}).claims).toEqual({
      issuer: 'kubernetes/serviceaccount',
      subject: 'system:serviceaccount:prod:api',
      audiences: [],
      kubernetes: { namespace: 'prod', serviceAccount: 'api' },
      malformed: [],
      payload,
    });
  });

  it.each([
    ['nothing', ''],
    ['a word', 'garbage'],
    ['two parts', jwt(PAYLOAD).split('.').slice(0, 2).join('.')],
    ['log lines behind it', `${jwt(PAYLOAD)}\n2026-11-22 started`],
    ['a payload that is no object', jwt([1])],
    ['a payload that is no JSON', `${jwt(PAYLOAD).split('.')[0]}.e30x.c2ln`],
    ['a header that is no JSON', `e30x.${jwt(PAYLOAD).split('.')[1]}.c2ln`],
    ['letters of plain base64', `${jwt(PAYLOAD)}+/=`],
    ['an encrypted token', 'a.b.c.d.e'],
  ])('does not take %s for a token', (_, text) => {
    expect(tokenClaims(text)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.base64String()).map((parts) => parts.join('.')),
        ),
        (text) => {
          expect(tokenClaims(text)?.claims.malformed ?? []).toEqual([]);
        },
      ),
    );
  });
});

describe('claimsFrom', () => {
  it('takes objects only', () => {
    expect([null, undefined, 'x', 1, [PAYLOAD]].map((value) => claimsFrom(value))).toEqual(Array(5).fill(undefined));
  });

  it('names claims of the wrong type, and takes null for none', () => {
    const wrong = claimsFrom({ iss: 1, sub: {}, aud: ['a', 1], exp: '1', iat: 1.5, nbf: Infinity });
    expect([wrong?.malformed, wrong?.audiences]).toEqual([['iss', 'sub', 'aud', 'exp', 'iat', 'nbf'], ['a']]);
    const nothing = claimsFrom({ iss: null, sub: null, aud: null, exp: null, iat: null, nbf: null, azp: null });
    expect([nothing?.malformed, nothing?.audiences]).toEqual([[], []]);
  });

  it('reads own claims only', () => {
    expect(claimsFrom(JSON.parse('{"__proto__": {"iss": "x"}}'))?.issuer).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(PAYLOAD), 'azp'), fc.jsonValue()), (payload) => {
        expect(claimsFrom(payload)?.payload).toBe(payload);
      }),
    );
  });
});

describe('claimsOfServiceAccount', () => {
  it('is what a projected token of the account says to a trust policy', () => {
    const { iss, sub, aud } = PAYLOAD;
    const account = { namespace: 'prod', name: 'api', issuer: ISSUER, audience: 'sts.amazonaws.com' };
    expect(claimsOfServiceAccount(account)).toEqual(claimsFrom({ iss, sub, aud }));
  });
});

describe('accountOf', () => {
  it('takes subjects of ServiceAccounts apart, and no others', () => {
    expect(accountOf('system:serviceaccount:prod:api')).toEqual({ namespace: 'prod', name: 'api' });
    expect(
      ['', 'prod:api', 'system:serviceaccount:prod', 'system:serviceaccount:a:b:c', 'system:node:x'].map(accountOf),
    ).toEqual(Array(5).fill(undefined));
  });
});

describe('tokenReport', () => {
  it('has nothing to say of a healthy token', () => {
    expect(tokenReport(decoded(PAYLOAD), NOW)).toEqual({ stsError: null, findings: [] });
    expect(reported({}, { alg: 'ES256' })).toEqual([null]);
  });

  it.each([
    [{ aud: undefined }, ['Missing a required claim: aud', 'error missing-claim']],
    [
      { exp: undefined, iat: undefined },
      ['Missing a required claim: exp', 'error missing-claim', 'error missing-claim'],
    ],
    [
      { exp: NOW - 1 },
      [
        `Token expired: current date/time ${NOW} must be before the expiration date/time ${NOW - 1}`,
        'error token-expired',
      ],
    ],
    [{ iat: NOW - 500_000 }, ['Token too old: 500000', 'error token-too-old', 'warning older-than-a-day']],
    [{ iat: NOW - 90_000 }, [null, 'warning older-than-a-day']],
    [{ nbf: NOW + 3600 }, ['The web identity token provided could not be validated', 'error token-not-yet-valid']],
    [{ iat: 'now' }, ['The web identity token provided could not be validated', 'error malformed-claim']],
    [
      { iss: 'https://kubernetes.default.svc' },
      ['No OpenIDConnect provider found in your account for https://kubernetes.default.svc', 'error issuer-url'],
    ],
    [{ iss: undefined }, ['Missing a required claim: iss', 'error missing-claim']],
    [{ sub: 'alice' }, [null, 'warning not-a-service-account']],
    [{ sub: undefined }, ['Missing a required claim: sub', 'error missing-claim']],
    [{ aud: ['a', 'b'] }, [null, 'warning several-audiences', 'warning other-audience']],
    [{ aud: ['a', 'sts.amazonaws.com'], azp: 'sts.amazonaws.com' }, [null]],
    [{ aud: 'pods.eks.amazonaws.com' }, [null, 'warning other-audience']],
  ])('finds what is wrong with %j', (changes, want) => {
    expect(reported(changes)).toEqual(want);
  });

  it('keeps the API server’s own audience away from AWS', () => {
    const messages = (audience: string): readonly string[] =>
      tokenReport(decoded({ ...PAYLOAD, aud: [audience] }), NOW).findings.map(({ message }) => message);
    const advice =
      'it is a token for the API server, which must not leave the cluster; take the one at AWS_WEB_IDENTITY_TOKEN_FILE, or kubectl create token --audience=sts.amazonaws.com';
    const usual = 'the provider in IAM must have it among its client ids';
    const of = (audience: string, fix: string): string => `the audience is ${audience}, not sts.amazonaws.com: ${fix}`;
    const own = [ISSUER, 'https://kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'k3s'];
    expect([...own, 'amazonaws.com'].flatMap(messages)).toEqual([
      ...own.map((audience) => of(audience, advice)),
      of('amazonaws.com', usual),
    ]);
  });

  it('finds what STS does not take as a token at all', () => {
    const unsigned = 'The web identity token provided could not be validated';
    expect(reported({}, { alg: 'none' })).toEqual([unsigned, 'error algorithm']);
    expect(reported({}, {})).toEqual([unsigned, 'error algorithm']);
    const cut = tokenClaims(jwt(PAYLOAD).replace(/[^.]*$/, ''));
    expect(cut && tokenReport(cut, NOW)).toMatchObject({ stsError: NOT_A_JWT, findings: [{ rule: 'unsigned' }] });
    const signed = (bytes: number, alg: string): readonly string[] => {
      const token = tokenClaims(jwt(PAYLOAD, { alg }).replace(/[^.]*$/, Buffer.alloc(bytes).toString('base64url')));
      return token === undefined ? ['none'] : tokenReport(token, NOW).findings.map(({ message }) => message);
    };
    const short = (bytes: number, alg: string, want: string): string =>
      `the signature has ${bytes} bytes, and ${alg} makes ${want}; the token may have been cut where it was copied: take the whole file`;
    expect([
      ...signed(256, 'RS256'),
      ...signed(512, 'RS512'),
      ...signed(64, 'ES256'),
      ...signed(132, 'ES512'),
      ...signed(181, 'RS256'),
      ...signed(48, 'ES256'),
    ]).toEqual([short(181, 'RS256', '256 or more'), short(48, 'ES256', '64')]);
    const tooLong =
      "1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: Member must have length less than or equal to 20000";
    expect(reported({ more: 'x'.repeat(20_000) })).toEqual([tooLong, 'error token-too-long']);
  });
});

describe('timeText', () => {
  it('reads as a date, or as the number where there is none', () => {
    expect([0, NOW, NOW + 0.5, 1e20].map(timeText)).toEqual([
      '1970-01-01T00:00:00Z',
      '2027-01-15T08:00:00Z',
      '2027-01-15T08:00:00Z',
      'second 100000000000000000000',
    ]);
  });
});
