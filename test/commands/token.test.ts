import { describe, expect, it } from '@jest/globals';
import { parseCommandLine } from '../../src/cli.ts';
import { runTokenInspect } from '../../src/commands/token.ts';
import { createTestIo } from '../support/command-io.ts';

const NOW = 1_800_000_000;
const PAYLOAD = {
  aud: ['sts.amazonaws.com'],
  exp: NOW + 82_800,
  iat: NOW - 3600,
  iss: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF',
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

async function inspect(token: string, ...args: readonly string[]) {
  const commandLine = parseCommandLine(['token', 'inspect', ...(args.length === 0 ? ['t'] : args)], {});
  if (commandLine.kind !== 'run') throw new Error('want a run');
  const io = createTestIo({ t: `${token}\n`, '-': token });
  const exit = await runTokenInspect({ ...commandLine, io }, NOW);
  return { ...io.written(), exit };
}

describe('token inspect', () => {
  it('says who, for whom and until when', async () => {
    expect(await inspect(jwt(PAYLOAD))).toEqual({
      out: `who     ServiceAccount prod/api (system:serviceaccount:prod:api)
pod     api-0 on node ip-10-0-0-1
issuer  https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF
for     sts.amazonaws.com
since   2027-01-15T07:00:00Z (60 min ago)
until   2027-01-16T07:00:00Z (in 23 h)
signed  RS256, key k
`,
      err: '',
      exit: 0,
    });
  });

  it('says what STS would answer', async () => {
    const { out, exit } = await inspect(
      jwt({ ...PAYLOAD, exp: NOW - 300_000, 'kubernetes.io': { pod: { name: 'api-0' } } }),
    );
    expect([exit, out]).toEqual([
      1,
      `who     ServiceAccount prod/api (system:serviceaccount:prod:api)
pod     api-0
issuer  https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF
for     sts.amazonaws.com
since   2027-01-15T07:00:00Z (60 min ago)
until   2027-01-11T20:40:00Z (3 days ago)
signed  RS256, key k

STS would answer ExpiredTokenException: Token expired: current date/time 1800000000 must be before the expiration date/time 1799700000

error    token-expired: the token expired at 2027-01-11T20:40:00Z, and it is 2027-01-15T08:00:00Z; read the file again, the kubelet renews it
`,
    ]);
  });

  it('says what is missing', async () => {
    const { out, exit } = await inspect(jwt({ sub: 'alice', iat: NOW }, {}));
    expect([exit, out.split('\n').slice(0, 7)]).toEqual([
      1,
      [
        'who     alice',
        'pod     none: the token is not bound to one',
        'issuer  none',
        'for     nobody',
        'since   2027-01-15T08:00:00Z (0 s ago)',
        'until   for ever',
        'signed  no algorithm, key not named',
      ],
    ]);
    expect((await inspect(jwt({}))).out.split('\n').slice(0, 5)).toEqual([
      'who     nobody',
      'pod     none: the token is not bound to one',
      'issuer  none',
      'for     nobody',
      'since   not said',
    ]);
  });

  it('tells an end that cannot be read from none', async () => {
    const { out } = await inspect(jwt({ ...PAYLOAD, exp: '1' }));
    expect(out.split('\n').find((line) => line.startsWith('until'))).toBe('until   not readable');
  });

  it('is one JSON document, of standard input too', async () => {
    const { out, err, exit } = await inspect(jwt(PAYLOAD), '-', '--output=json');
    expect([exit, err, JSON.parse(out)]).toEqual([
      0,
      '',
      {
        subject: 'system:serviceaccount:prod:api',
        namespace: 'prod',
        serviceAccount: 'api',
        pod: 'api-0',
        podUid: 'p',
        node: 'ip-10-0-0-1',
        issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF',
        audiences: ['sts.amazonaws.com'],
        issuedAt: '2027-01-15T07:00:00Z',
        notBefore: '2027-01-15T07:00:00Z',
        expiresAt: '2027-01-16T07:00:00Z',
        expiresInSeconds: 82_800,
        algorithm: 'RS256',
        keyId: 'k',
        length: jwt(PAYLOAD).length,
        stsError: null,
        findings: [],
      },
    ]);
    expect(JSON.parse((await inspect(jwt({}, {}), '-', '-o', 'json')).out)).toMatchObject({
      subject: null,
      issuer: null,
      audiences: [],
      issuedAt: null,
      expiresAt: null,
      expiresInSeconds: null,
      algorithm: null,
      keyId: null,
      stsError: { code: 'InvalidIdentityToken' },
    });
  });

  it('gives a terminal nothing that it would take for a command', async () => {
    const { out } = await inspect(jwt({ ...PAYLOAD, sub: 'a\u001B[2Jb', iss: 'https://x\n\u009By' }));
    expect(out.split('\n').filter((line) => /^(?:who|issuer)/.test(line))).toEqual([
      'who     a\uFFFD[2Jb',
      'issuer  https://x\uFFFD\uFFFDy',
    ]);
    expect(/[^\n\P{Cc}]/u.test(out)).toBe(false);
  });

  it('never shows the token or its signature', async () => {
    const token = jwt(PAYLOAD);
    const shown = [await inspect(token), await inspect(token, 't', '-o', 'json')].map(({ out, err }) => out + err);
    const parts = token.split('.');
    expect(shown.flatMap((text) => parts.filter((part) => text.includes(part)))).toEqual([]);
    await expect(inspect(`${token} and more`)).rejects.toMatchObject({
      problems: [expect.not.stringContaining(parts[0] ?? '')],
    });
  });

  it.each([
    [
      'garbage',
      't',
      '"t" holds no JSON Web Token; give the file that AWS_WEB_IDENTITY_TOKEN_FILE names, or the output of kubectl create token',
    ],
    ['', 'nowhere', 'FILE="nowhere": there is no such file; give the path of a file, or - for standard input'],
  ])('refuses %j in %s in one sentence', async (token, file, problem) => {
    await expect(inspect(token, file)).rejects.toMatchObject({ code: 'usage', problems: [problem] });
  });
});
