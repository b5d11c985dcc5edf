// `oidc publish` from key files of openssl, into directories of their own.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import { keyIdOf, keysFromPem } from '../../src/aws/public-keys.ts';
import { runOidcPublish } from '../../src/commands/oidc-publish.ts';
import type { Outcome } from '../support/golden.ts';
import type { IssuerSite } from '../support/issuer-site.ts';
import { startIssuerSite } from '../support/issuer-site.ts';
import { runCommand } from '../support/run-command.ts';

const issuer = 'https://oidc.example.com';
const root = mkdtempSync(join(tmpdir(), 'pod-identity-webhook-publish-'));
const pem: Record<string, string> = {};
const sites: IssuerSite[] = [];
let count = 0;

beforeAll(() => {
  for (const name of ['old', 'new']) pem[`${name}.pub`] = openssl('rsa', name, '-pubout');
  pem['curve.pub'] = openssl('ec', 'curve', '-pubout');
  pem['old.pkcs1'] = openssl('rsa', 'old', '-RSAPublicKey_out');
  pem['old.key'] = readFileSync(join(root, 'old'), 'utf8');
});

afterEach(async () => {
  await Promise.all(sites.splice(0).map(({ close }) => close()));
});

afterAll(() => rmSync(root, { recursive: true }));

function openssl(kind: 'rsa' | 'ec', name: string, form: string): string {
  const run = (...args: readonly string[]): string =>
    execFileSync('openssl', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (!readdirSync(root).includes(name)) {
    if (kind === 'rsa') run('genrsa', '-out', name, '2048');
    else run('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', name);
  }
  return run(kind, '-in', name, form);
}

function newDirectory(): string {
  count += 1;
  return join(root, `out-${count}`);
}

async function publish(out: string, args: readonly string[]): Promise<Outcome> {
  const all = ['oidc', 'publish', `--issuer=${issuer}`, `--out=${out}`, ...args];
  const { out: shown, err, exit } = await runCommand(runOidcPublish, { args: all, files: pem });
  return { out: shown.replaceAll(root, ''), err: err.replaceAll(root, ''), exit };
}

function kidOf(name: string): string {
  return keyIdOf(createPublicKey(pem[name] ?? ''));
}

function read(directory: string, path: string): unknown {
  return JSON.parse(readFileSync(join(directory, path), 'utf8'));
}

function kidsIn(directory: string, path = 'openid/v1/jwks'): readonly unknown[] {
  return ownList(read(directory, path), 'keys').map((key) => ownField(key, 'kid'));
}

function place(directory: string, path: string, document: unknown): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), typeof document === 'string' ? document : JSON.stringify(document));
}

describe('oidc publish', () => {
  it('writes both documents, and says what to do with them', async () => {
    const directory = newDirectory();
    const got = await publish(directory, ['--public-key=new.pub', '--public-key=curve.pub']);
    const out = directory.replace(root, '');
    expect(got).toEqual({
      out: `wrote ${out}/openid/v1/jwks
wrote ${out}/.well-known/openid-configuration
key ${kidOf('new.pub')}  RS256  in use
key ${kidOf('curve.pub')}  ES256  in use
`,
      err: `upload, for everybody to read without credentials, as application/json:
  ${out}/openid/v1/jwks as https://oidc.example.com/openid/v1/jwks
  ${out}/.well-known/openid-configuration as https://oidc.example.com/.well-known/openid-configuration
then start the API server with these, in this order, so that running tokens stay valid:
  --service-account-issuer=https://oidc.example.com
  --service-account-issuer=THE-ISSUER-THAT-IT-HAS-NOW
  --service-account-jwks-uri=https://oidc.example.com/openid/v1/jwks
`,
      exit: 0,
    });
    expect([read(directory, '.well-known/openid-configuration'), read(directory, 'openid/v1/jwks')]).toEqual([
      {
        issuer,
        jwks_uri: `${issuer}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256', 'RS256'],
      },
      { keys: ['new.pub', 'curve.pub'].flatMap((name) => keysFromPem(pem[name] ?? '').keys) },
    ]);
  });

  it('keeps what is published until it is retired, and says the same in JSON', async () => {
    const directory = newDirectory();
    const [oldKid, newKid] = [kidOf('old.pub'), kidOf('new.pub')];
    await publish(directory, ['--public-key=old.pkcs1', `--jwks-uri=${issuer}/keys.json`]);
    const rotated = await publish(directory, ['--public-key=new.pub', '--output=json']);
    expect(JSON.parse(rotated.out)).toEqual({
      issuer,
      jwksUri: `${issuer}/keys.json`,
      files: ['keys.json', '.well-known/openid-configuration'].map((path) => `${directory.replace(root, '')}/${path}`),
      keys: [
        { kid: newKid, alg: 'RS256', inUse: true },
        { kid: oldKid, alg: 'RS256', inUse: false },
      ],
    });
    expect(rotated.err.split('\n')[0]).toBe(
      `key ${oldKid} is published and not the cluster's: --retire=${oldKid} when the last token that it signed has expired, a day after the rotation unless tokens live longer`,
    );
    expect(kidsIn(directory, 'keys.json')).toEqual([newKid, oldKid]);

    expect(await publish(directory, ['--public-key=new.pub', `--retire=${newKid}`])).toEqual({
      out: '',
      err: `key "${newKid}" is in use: retire it once the API server no longer has it\n`,
      exit: 2,
    });
    expect((await publish(directory, ['--public-key=new.pub', `--retire=${oldKid}`])).exit).toBe(0);
    expect(kidsIn(directory, 'keys.json')).toEqual([newKid]);
    expect((await publish(directory, ['--public-key=new.pub', '--retire=slip'])).err.split('\n')[0]).toBe(
      '--retire="slip": no key with this id is published, so none was taken away',
    );
  });

  it('keeps what the issuer publishes now, where it is asked to', async () => {
    const site = await startIssuerSite({ names: ['oidc.example.com'] });
    sites.push(site);
    pem['ca.pem'] = site.caPem;
    site.pages.set('/.well-known/openid-configuration', { body: { issuer, jwks_uri: `${issuer}/keys.json` } });
    site.pages.set('/keys.json', { body: { keys: keysFromPem(pem['old.pub'] ?? '').keys } });
    const directory = newDirectory();
    const args = ['--public-key=new.pub', '--merge-published', `--connect-to=${site.address}`];
    const trusted = [...args, '--certificate-authority=ca.pem'];
    expect((await publish(directory, trusted)).exit).toBe(0);
    expect(kidsIn(directory, 'keys.json')).toEqual([kidOf('new.pub'), kidOf('old.pub')]);

    const lost = 'the keys there would be lost, and nothing was written';
    const untrusted = await publish(newDirectory(), args);
    site.pages.set('/keys.json', { status: 404 });
    const missing = await publish(newDirectory(), trusted);
    site.pages.set('/keys.json', { body: '<html>' });
    const noJson = await publish(newDirectory(), trusted);
    site.pages.set('/.well-known/openid-configuration', { body: { issuer: 'other', jwks_uri: 'https://a.example' } });
    const other = await publish(newDirectory(), trusted);
    const address = `${issuer}/.well-known/openid-configuration`;
    expect([untrusted, missing, noJson, other].map(({ err, exit }) => [err, exit])).toEqual([
      [`--merge-published: ${address}: SELF_SIGNED_CERT_IN_CHAIN; ${lost}\n`, 2],
      [`--merge-published: ${issuer}/keys.json: it answers 404; ${lost}\n`, 2],
      [`--merge-published: what is there is no JSON; ${lost}\n`, 2],
      [`--merge-published: ${address} is no discovery document of ${issuer}; ${lost}\n`, 2],
    ]);
    expect(readdirSync(root).filter((name) => name.startsWith('out-')).length).toBe(count - 4);
  });

  it('loses nothing that it finds in the directory', async () => {
    const discovery = '.well-known/openid-configuration';
    const [other, junk, keys, missing, elsewhere] = [1, 2, 3, 4, 5].map(newDirectory);
    if (!other || !junk || !keys || !missing || !elsewhere) throw new Error('want five directories');
    place(other, discovery, { issuer: 'https://other.example.com', jwks_uri: 'https://other.example.com/k' });
    place(junk, discovery, 'junk');
    place(keys, discovery, { issuer, jwks_uri: `${issuer}/k` });
    place(keys, 'k', '[]');
    place(missing, discovery, { issuer, jwks_uri: `${issuer}/k` });
    place(elsewhere, discovery, { issuer, jwks_uri: 'https://a.example/k' });
    const results = await Promise.all(
      [other, junk, keys, missing, elsewhere].map((directory) => publish(directory, ['--public-key=new.pub'])),
    );
    const lost = 'the keys there would be lost, and nothing was written';
    const named = (directory: string): string => `--out="${directory.replace(root, '')}"`;
    expect(results).toEqual([
      {
        out: '',
        err: `${named(other)}: its documents are of issuer "https://other.example.com"; give each issuer a directory\n`,
        exit: 2,
      },
      { out: '', err: `${named(junk)}: what is there is no JSON; ${lost}\n`, exit: 2 },
      { out: '', err: `${named(keys)}: k is no JSON Web Key Set; ${lost}\n`, exit: 2 },
      { out: '', err: `${named(missing)}: k, where its keys are, is missing; ${lost}\n`, exit: 2 },
      { out: '', err: `${named(elsewhere)}: its keys are elsewhere, at https://a.example/k; ${lost}\n`, exit: 2 },
    ]);
  });

  it('says when an id comes to mean another key', async () => {
    const directory = newDirectory();
    place(directory, '.well-known/openid-configuration', { issuer, jwks_uri: `${issuer}/k` });
    const [key] = keysFromPem(pem['old.pub'] ?? '').keys;
    place(directory, 'k', { keys: [{ ...key, kid: kidOf('new.pub') }] });
    const { err, exit } = await publish(directory, ['--public-key=new.pub']);
    expect([err.split('\n')[0], exit]).toEqual([
      `key ${kidOf('new.pub')} was published with another key, which is gone: its tokens are no longer taken`,
      0,
    ]);
    expect(ownList(read(directory, 'k'), 'keys').map((one) => ownString(one, 'n'))).toEqual(
      keysFromPem(pem['new.pub'] ?? '').keys.map((one) => ('n' in one ? one.n : undefined)),
    );
  });

  it('warns of what is often the mistake, after it has said what it wrote', async () => {
    const shown: string[] = [];
    const args = ['oidc', 'publish', '--issuer=https://my.bucket.s3.eu-west-1.amazonaws.com/', '--public-key=new.pub'];
    await runCommand(
      async ({ io, ...call }) => {
        const stdout = (text: string): void => void shown.push(`out ${text}`);
        const stderr = (text: string): void => void shown.push(`err ${text}`);
        return runOidcPublish({ ...call, io: { ...io, stdout, stderr } });
      },
      { args: [...args, `--out=${newDirectory()}`], files: pem },
    );
    const named = 'err warning: --issuer="https://my.bucket.s3.eu-west-1.amazonaws.com/": it';
    expect(shown.map((text) => text.slice(0, named.length + 10)).slice(0, 4)).toEqual([
      expect.stringMatching(/^out wrote /),
      `${named} ends in a`,
      `${named}s bucket's`,
      'err upload:\n',
    ]);
  });

  it('says in a sentence that a directory cannot be made or written', async () => {
    const directory = newDirectory();
    place(directory, 'file', 'text');
    place(directory, 'taken/.well-known/openid-configuration/x', '');
    symlinkSync(join(directory, 'nowhere'), join(directory, 'link'));
    const tried = ['/proc/nope', `${directory}/file`, `${directory}/file/a`, `${directory}/taken`, `${directory}/link`];
    const said = tried.map(async (out) => (await publish(out, ['--public-key=new.pub'])).err.split('"')[2]);
    const fix = 'give a directory that you may write, as in --out=public\n';
    expect(await Promise.all(said)).toEqual([
      `: no directory can be made there; ${fix}`,
      `: there is a file in its place or on its way; ${fix}`,
      `: there is a file in its place or on its way; ${fix}`,
      `: there is a directory in the place of a document; ${fix}`,
      `: there is a file in its place or on its way; ${fix}`,
    ]);
  });

  const give = 'give the path of a file, or - for standard input';
  const either = 'give either --from-cluster or --public-key=FILE: where the keys are\n';

  it.each([
    [
      ['--issuer=http://a.example', '--out='],
      '--issuer="http://a.example": it is no URL that begins with https://\n--out is missing: give the directory to write, as in --out=public\n',
    ],
    [[], either],
    [
      ['--public-key=new.pub', '--connect-to=127.0.0.1:1', '--certificate-authority=new.pub'],
      `--certificate-authority="new.pub": it holds no certificate in PEM; want a CA in PEM
--connect-to goes with --merge-published: nothing is fetched without it
--certificate-authority goes with --merge-published: nothing is fetched without it
`,
    ],
    [['--from-cluster', '--public-key=new.pub'], either],
    [['--public-key=missing'], `--public-key="missing": there is no such file; ${give}\n`],
    [
      ['--public-key=old.key', '--public-key=new.pub'],
      '--public-key="old.key": block 1 is a private key: keep it where it is, and give its public half: openssl pkey -in FILE -pubout\n',
    ],
    [
      ['--public-key=new.pub', '--jwks-uri=https://elsewhere.example.com/keys'],
      '--jwks-uri="https://elsewhere.example.com/keys": want an address below https://oidc.example.com\n',
    ],
    [
      ['--from-cluster', '--kubeconfig=/nowhere/kubeconfig'],
      `--from-cluster: --kubeconfig="/nowhere/kubeconfig" cannot be read: ENOENT: no such file or directory, open '/nowhere/kubeconfig'; give the path of a kubeconfig\n`,
    ],
  ])('refuses %j', async (args, err) => {
    expect(await publish(newDirectory(), args)).toEqual({ out: '', err, exit: 2 });
  });
});
