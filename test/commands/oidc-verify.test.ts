// `oidc verify` against a real HTTPS server on loopback, which stands where the issuer's name points.
import { afterEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:net';
import { ownField, ownList } from '../../src/admission/json.ts';
import { jwkFrom } from '../../src/aws/jwks.ts';
import { keyIdOf } from '../../src/aws/public-keys.ts';
import { readClusterIssuer } from '../../src/commands/cluster-issuer.ts';
import type { VerifyWorld } from '../../src/commands/oidc-verify.ts';
import { runOidcVerify } from '../../src/commands/oidc-verify.ts';
import type { IssuerSite, IssuerSiteOptions } from '../support/issuer-site.ts';
import { startIssuerSite } from '../support/issuer-site.ts';
import { createAuthority } from '../support/certificates.ts';
import { runCommand } from '../support/run-command.ts';

const issuer = 'https://oidc.example.com/cluster';
const discoveryPath = '/cluster/.well-known/openid-configuration';
const jwksPath = '/cluster/openid/v1/jwks';
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const kid = keyIdOf(publicKey);
const now = Date.parse('2026-07-01T00:00:00Z');
const sites: IssuerSite[] = [];
// Even where the tests run in a pod, they have no cluster but one that is named.
const world: VerifyWorld = {
  now: () => now,
  readCluster: async (options) => readClusterIssuer({ ...options, root: '/nowhere' }),
};

afterEach(async () => {
  await Promise.all(sites.splice(0).map(({ close }) => close()));
});

async function site(options: IssuerSiteOptions = {}): Promise<IssuerSite> {
  const started = await startIssuerSite({ names: ['oidc.example.com'], ...options });
  sites.push(started);
  started.pages.set(discoveryPath, { body: { issuer, jwks_uri: `https://oidc.example.com${jwksPath}` } });
  const parsed = jwkFrom(publicKey, kid);
  started.pages.set(jwksPath, { body: { keys: parsed !== undefined && 'key' in parsed ? [parsed.key] : [] } });
  return started;
}

interface Verify {
  readonly args?: readonly string[];
  readonly token?: string;
  /** Without the CA of the site. */
  readonly stranger?: boolean;
}

async function verify({ address, caPem }: IssuerSite, { args = [], token, stranger = false }: Verify = {}) {
  return runCommand((call) => runOidcVerify(call, world), {
    args: [
      'oidc',
      'verify',
      `--issuer=${issuer}`,
      `--connect-to=${address}`,
      ...(stranger ? [] : ['--certificate-authority=ca.pem']),
      ...(token === undefined ? [] : ['--token=token']),
      ...args,
    ],
    files: { 'ca.pem': caPem, ...(token === undefined ? {} : { token }) },
  });
}

function tokenOf(claims: object = {}): string {
  const parts = [
    { alg: 'RS256', kid },
    { iss: issuer, aud: ['sts.amazonaws.com'], exp: now / 1000 + 600, ...claims },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

/** Checks that are not ok, in their order. */
function unwell(out: string): readonly string[] {
  return out.split('\n').filter((line) => /^(?:FAIL|warn|skip)/.test(line));
}

describe('oidc verify', () => {
  it('finds a good issuer good, anonymously, and the thumbprint that IAM wants of a CA of one’s own', async () => {
    const good = await site();
    const { out, err, exit } = await verify(good, { token: tokenOf() });
    const shown = out
      .replaceAll(/[0-9a-f]{40}/g, 'THUMBPRINT')
      .replaceAll(/until 20[0-9T:.-]+Z, of/g, 'until THEN, of');
    expect([shown, err, exit]).toEqual([
      `ok    issuer-url             https://oidc.example.com/cluster is a URL that IAM takes
warn  discovery-certificate  2 certificates, valid until THEN, of a CA of your own
      fix: IAM needs the thumbprint of the last one: THUMBPRINT
ok    discovery              https://oidc.example.com/cluster/.well-known/openid-configuration is there for everybody
ok    discovery-issuer       the document says "https://oidc.example.com/cluster", as it must
ok    jwks-uri               https://oidc.example.com/cluster/openid/v1/jwks is a public address
ok    jwks                   https://oidc.example.com/cluster/openid/v1/jwks is there for everybody, with 1 key
skip  cluster-keys           no cluster to compare with: give --kubeconfig=FILE
ok    token-issuer           the token is of "https://oidc.example.com/cluster"
ok    token-audience         the token is for "sts.amazonaws.com"
ok    token-signature        RS256 by key "${kid}", which is published
ok    token-expiration       the token is valid until 2026-07-01T00:10:00.000Z
`,
      '',
      0,
    ]);
    expect(
      good.requests.map(({ path, headers }) => [path, headers.host, headers.authorization, headers.cookie]),
    ).toEqual([
      [discoveryPath, 'oidc.example.com', undefined, undefined],
      [jwksPath, 'oidc.example.com', undefined, undefined],
    ]);
  });

  it('gives one JSON document', async () => {
    const { out, exit } = await verify(await site(), { args: ['--output=json'] });
    const document: unknown = JSON.parse(out);
    expect([exit, ownField(document, 'verdict'), ownList(document, 'checks')[4]]).toEqual([
      0,
      'ok',
      {
        check: 'jwks-uri',
        result: 'ok',
        evidence: 'https://oidc.example.com/cluster/openid/v1/jwks is a public address',
        fix: null,
        stsError: null,
      },
    ]);
  });

  it('tells a certificate that nobody can trust, and goes on', async () => {
    const { out, exit } = await verify(await site(), { stranger: true });
    expect([unwell(out).map((line) => line.split(' (')[0]), exit]).toEqual([
      [
        'FAIL  discovery-certificate  https://oidc.example.com/cluster/.well-known/openid-configuration: SELF_SIGNED_CERT_IN_CHAIN',
        'skip  cluster-keys           no cluster to compare with: give --kubeconfig=FILE',
        'skip  token-signature        no token to verify: give --token=FILE',
      ],
      1,
    ]);
  });

  it('tells a certificate of another name', async () => {
    const { out, exit } = await verify(await site({ names: ['other.example.com'] }));
    expect([unwell(out)[0]?.split(' (')[0], exit]).toEqual([
      'FAIL  discovery-certificate  https://oidc.example.com/cluster/.well-known/openid-configuration: ERR_TLS_CERT_ALTNAME_INVALID',
      1,
    ]);
  });

  it('tells a certificate that has expired', async () => {
    const [notBefore, notAfter] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-02T00:00:00Z')];
    const { out, exit } = await verify(await site({ notBefore, notAfter }));
    expect([unwell(out)[0], exit]).toEqual([
      'FAIL  discovery-certificate  https://oidc.example.com/cluster/.well-known/openid-configuration: CERT_HAS_EXPIRED (2 certificates, valid until 2026-01-02T00:00:00.000Z)',
      1,
    ]);
  });

  it('tells a server that sends its certificate alone', async () => {
    const { out, exit } = await verify(await site({ alone: true }));
    expect([
      /^warn {2}discovery-certificate {2}1 certificate,/m.test(out),
      / send the CA along$/m.test(out),
      exit,
    ]).toEqual([true, true, 0]);
  });

  it.each([
    [
      'a document of another issuer',
      discoveryPath,
      { issuer: `${issuer}/`, jwks_uri: `https://oidc.example.com${jwksPath}` },
      'discovery-issuer',
    ],
    ['no JSON', discoveryPath, '<html>', 'discovery'],
    ['keys at a private address', discoveryPath, { issuer, jwks_uri: 'http://10.0.0.1/jwks' }, 'jwks-uri'],
    ['no keys', jwksPath, { keys: [] }, 'jwks'],
  ])('fails on %s', async (_, path, body, check) => {
    const broken = await site();
    broken.pages.set(path, { body });
    const { out, exit } = await verify(broken);
    expect([
      unwell(out)
        .filter((line) => line.startsWith('FAIL'))[0]
        ?.split(/ +/)[1],
      exit,
    ]).toEqual([check, 1]);
  });

  it.each([
    [{ status: 403 }, 'answers 403 to a caller without credentials'],
    [
      { status: 301, headers: { location: 'https://elsewhere.example.com/' } },
      'answers 301 to a caller without credentials',
    ],
  ])('follows nobody, and shows no credentials: %j', async (page, evidence) => {
    const broken = await site();
    broken.pages.set(discoveryPath, page);
    const { out, exit } = await verify(broken);
    expect([out.includes(evidence), broken.requests.length, exit]).toEqual([true, 1, 1]);
  });

  it('asks another server of the keys at its own address', async () => {
    const authority = await createAuthority();
    const [moved, keys] = [await site({ authority }), await site({ names: ['localhost'], authority })];
    const host = keys.address.replace('127.0.0.1', 'localhost');
    moved.pages.set(discoveryPath, { body: { issuer, jwks_uri: `https://${host}${jwksPath}` } });
    const { out } = await verify(moved);
    expect([moved, keys].map(({ requests }) => requests.map(({ path, headers }) => [headers.host, path]))).toEqual([
      [['oidc.example.com', discoveryPath]],
      [[host, jwksPath]],
    ]);
    expect(out.split('\n').find((line) => line.includes('there for everybody, with'))).toBe(
      `ok    jwks                   https://${host}${jwksPath} is there for everybody, with 1 key`,
    );
  });

  it('reads no more than a megabyte', async () => {
    const broken = await site();
    broken.pages.set(jwksPath, { body: ' '.repeat(2_000_000) });
    const { out, exit } = await verify(broken);
    expect([/jwks +.*does not answer: more than 1048576 bytes/.test(out), exit]).toEqual([true, 1]);
  });

  it('fails on a token of another key, of another issuer, or of yesterday', async () => {
    const good = await site();
    const [head = '', claims = ''] = tokenOf().split('.');
    const forged = `${head}.${claims}.${Buffer.alloc(256).toString('base64url')}`;
    const results = await Promise.all(
      [forged, tokenOf({ iss: 'https://kubernetes.default.svc' }), tokenOf({ exp: now / 1000 - 86_400 })].map(
        async (token) => {
          const { out, exit } = await verify(good, { token });
          return [
            unwell(out)
              .filter((line) => line.startsWith('FAIL'))
              .map((line) => line.split(/ +/)[1]),
            exit,
          ];
        },
      ),
    );
    expect(results).toEqual([
      [['token-signature'], 1],
      [['token-issuer'], 1],
      [['token-expiration'], 1],
    ]);
  });

  it.each(['nothing', `Bearer ${tokenOf()}`, `"${tokenOf()}"`, '{"token": "a"}'])(
    'takes no verdict from what is no token',
    async (token) => {
      expect(await verify(await site(), { token })).toEqual({
        out: '',
        err: '"token" holds no JSON Web Token; give the file that AWS_WEB_IDENTITY_TOKEN_FILE names, or the output of kubectl create token\n',
        exit: 2,
      });
    },
  );

  it('never shows the token', async () => {
    const token = tokenOf();
    const { out, err } = await verify(await site(), { token, args: ['--output=json'] });
    expect(token.split('.').filter((part) => (out + err).includes(part))).toEqual([]);
  });

  it('says in a sentence what keeps it from verifying', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await new Promise((resolve) => void server.close(resolve));
    const started = await site();
    const closed = { ...started, address: `127.0.0.1:${port}` };
    const run = async (...args: readonly string[]) =>
      runCommand(runOidcVerify, { args: ['oidc', 'verify', ...args], files: { junk: 'junk' } });
    expect([
      await verify(closed),
      await verify(started, { args: ['--kubeconfig=/nowhere/kubeconfig'] }),
      await run(),
      await run('--issuer=http://oidc.example.com', '--connect-to=a', '--certificate-authority=junk'),
      await run('--issuer=https://oidc.example.com', '--token=missing'),
    ]).toEqual([
      {
        out: '',
        err: `${issuer}/.well-known/openid-configuration cannot be reached from here: connect ECONNREFUSED 127.0.0.1:${port}\n`,
        exit: 2,
      },
      {
        out: '',
        err: `the cluster: --kubeconfig="/nowhere/kubeconfig" cannot be read: ENOENT: no such file or directory, open '/nowhere/kubeconfig'; give the path of a kubeconfig\n`,
        exit: 2,
      },
      {
        out: '',
        err: '--issuer is missing: give the URL of the issuer, as in --issuer=https://oidc.example.com\n',
        exit: 2,
      },
      {
        out: '',
        err: `--issuer="http://oidc.example.com": want an https:// URL
--certificate-authority="junk": it holds no certificate in PEM; want a CA in PEM
--connect-to="a": want HOST:PORT
`,
        exit: 2,
      },
      {
        out: '',
        err: '--token="missing": there is no such file; give the path of a file, or - for standard input\n',
        exit: 2,
      },
    ]);
  });
});
