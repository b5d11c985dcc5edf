import { afterEach, describe, expect, it } from '@jest/globals';
import { createHash, X509Certificate } from 'node:crypto';
import { ownField, ownString } from '../../src/admission/json.ts';
import { runIamProvider } from '../../src/commands/iam-provider.ts';
import type { Outcome } from '../support/golden.ts';
import type { IssuerSite, IssuerSiteOptions } from '../support/issuer-site.ts';
import { startIssuerSite } from '../support/issuer-site.ts';
import { createAuthority } from '../support/certificates.ts';
import { runCommand } from '../support/run-command.ts';

const sites: IssuerSite[] = [];

afterEach(async () => {
  await Promise.all(sites.splice(0).map(({ close }) => close()));
});

async function provider(args: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return runCommand(runIamProvider, {
    args: ['iam', 'provider', '--issuer=https://oidc.example.com', ...args],
    files,
  });
}

async function siteOf(options: IssuerSiteOptions): Promise<IssuerSite> {
  const site = await startIssuerSite(options);
  sites.push(site);
  return site;
}

async function providerOf(options: IssuerSiteOptions, jwksUri = 'https://oidc.example.com/keys.json') {
  const site = await siteOf(options);
  site.pages.set('/.well-known/openid-configuration', {
    body: { issuer: 'https://oidc.example.com', jwks_uri: jwksUri },
  });
  const args = ['--certificate-authority=ca.pem', `--connect-to=${site.address}`, '--output=json'];
  return { site, ...(await provider(args, { 'ca.pem': site.caPem })) };
}

function thumbprintsIn(out: string): unknown {
  return ownField(JSON.parse(out), 'thumbprints');
}

describe('iam provider', () => {
  it('asks nobody, and needs no thumbprint', async () => {
    expect(await provider(['--form=terraform', '--token-audience=a', '--client-id=b', '--client-id=a'])).toEqual({
      out: `# No thumbprint: AWS trusts the public CAs, and uses thumbprints only for a certificate that none of them signed.
# With a CA of your own: --certificate-authority=FILE.
resource "aws_iam_openid_connect_provider" "cluster" {
  url            = "https://oidc.example.com"
  client_id_list = ["a", "b"]
}
`,
      err: '',
      exit: 0,
    });
  });

  it('warns of an issuer that is often the mistake', async () => {
    const { out, err, exit } = await provider(['--issuer=https://oidc.example.com/']);
    expect([out.includes('--url https://oidc.example.com/ '), err, exit]).toEqual([
      true,
      'warning: --issuer="https://oidc.example.com/": it ends in a slash, which then belongs to the issuer in tokens, IAM and trust policies alike; compare them byte by byte\n',
      0,
    ]);
  });

  it('takes the thumbprint of the last certificate where the CA is one’s own', async () => {
    const { site, out, err, exit } = await providerOf({ names: ['oidc.example.com'] });
    const thumbprint = createHash('sha1').update(new X509Certificate(site.caPem).raw).digest('hex');
    expect([JSON.parse(out), err, exit]).toEqual([
      {
        issuer: 'https://oidc.example.com',
        clientIds: ['sts.amazonaws.com'],
        thumbprints: [thumbprint],
        form: 'aws-cli',
        text: `# Thumbprints, as no public CA signs for the issuer: change them before its CA changes.
aws iam create-open-id-connect-provider \\
  --url https://oidc.example.com \\
  --client-id-list sts.amazonaws.com \\
  --thumbprint-list ${thumbprint}
`,
      },
      '',
      0,
    ]);
  });

  it('takes that of the keys’ server, too, which is asked at its own address', async () => {
    const authority = await createAuthority();
    const keys = await siteOf({ names: ['localhost'], authority });
    const host = keys.address.replace('127.0.0.1', 'localhost');
    const { site, out } = await providerOf({ names: ['oidc.example.com'], authority }, `https://${host}/keys.json`);
    const asked = [site, keys].map(({ requests }) => requests.map(({ headers }) => headers.host));
    expect([asked, JSON.stringify(thumbprintsIn(out))]).toEqual([
      [['oidc.example.com'], [host]],
      JSON.stringify([createHash('sha1').update(new X509Certificate(site.caPem).raw).digest('hex')]),
    ]);
  });

  it('says that a thumbprint of the certificate itself does not last', async () => {
    const { err, exit } = await providerOf({ names: ['oidc.example.com'], alone: true });
    expect([err, exit]).toEqual([
      'the server sends its certificate alone, whose thumbprint changes with each renewal: send the CA along\n',
      0,
    ]);
  });

  it('pins nothing that cannot be trusted', async () => {
    const { out, err, exit } = await providerOf({ names: ['other.example.com'] });
    expect([out, err, exit]).toEqual([
      '',
      'https://oidc.example.com/.well-known/openid-configuration: ERR_TLS_CERT_ALTNAME_INVALID; no thumbprint was taken\n',
      2,
    ]);
  });

  it.each([
    [
      ['--issuer=https://oidc.example.com:8443'],
      '--issuer="https://oidc.example.com:8443": it names a port, which IAM does not take: serve it on 443 and leave the port out\n',
    ],
    [['--token-audience='], '--token-audience="": want 1 to 255 characters\n'],
    [
      ['--client-id=', '--issuer='],
      '--issuer is missing: give the URL of the issuer, as in --issuer=https://oidc.example.com\n--client-id="": want 1 to 255 characters\n',
    ],
    [Array.from({ length: 100 }, (_, index) => `--client-id=${index}`), '101 client ids: IAM takes 100\n'],
    [
      ['--connect-to=127.0.0.1:1'],
      '--connect-to goes with --certificate-authority=FILE: nothing is fetched without it\n',
    ],
    [['--form=cdk'], '--form="cdk": want one of aws-cli, terraform\n'],
  ])('refuses %j', async (args, err) => {
    expect(await provider(args)).toEqual({ out: '', err, exit: 2 });
  });

  it('never says less than the whole text in JSON', async () => {
    const [text, json] = [await provider([]), await provider(['-o', 'json'])];
    expect(ownString(JSON.parse(json.out), 'text')).toBe(text.out);
  });
});
