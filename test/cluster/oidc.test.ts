// What a real API server publishes of itself, held against what `oidc publish` writes; and `oidc verify` with a real
// token of that cluster, against what was written. For both kinds of keys that clusters sign with.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import type { IssuerSite } from '../support/issuer-site.ts';
import { startIssuerSite } from '../support/issuer-site.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { kubeconfigOf, startControlPlane } from './support/control-plane.ts';

const issuer = 'https://oidc.example.com/cluster-1';
const discoveryPath = '.well-known/openid-configuration';
const jwksPath = 'openid/v1/jwks';
const program = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
}

async function run(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], { env: {} }, (_, stdout, stderr) =>
      resolve({ stdout, stderr, exit: child.exitCode ?? -1 }),
    );
  });
}

describe.each(['rsa', 'ec'] as const)('with %s keys', (serviceAccountKey) => {
  let controlPlane: ControlPlane;
  let site: IssuerSite;
  let out: string;
  let flags: readonly string[];

  beforeAll(async () => {
    controlPlane = await startControlPlane({ serviceAccountIssuer: issuer, serviceAccountKey });
    await controlPlane.kubectl(['create', 'serviceaccount', 'app']);
    site = await startIssuerSite({ names: ['oidc.example.com'] });
    out = join(controlPlane.workspace.directory, 'public');
    const authority = join(controlPlane.workspace.directory, 'site-ca.pem');
    await writeFile(authority, site.caPem);
    flags = [`--issuer=${issuer}`, `--certificate-authority=${authority}`, `--connect-to=${site.address}`];
  });

  afterAll(async () => {
    await site?.close();
    await controlPlane?.stop();
  });

  async function written(path: string, directory = out): Promise<unknown> {
    return JSON.parse(await readFile(join(directory, path), 'utf8'));
  }

  async function serve(directory: string): Promise<void> {
    for (const path of [discoveryPath, jwksPath]) {
      site.pages.set(`/cluster-1/${path}`, { body: await written(path, directory) });
    }
  }

  async function verified(...args: readonly string[]) {
    const { stdout, stderr, exit } = await run('oidc', 'verify', '--output=json', ...flags, ...args);
    const rows = ownList(JSON.parse(stdout), 'checks');
    const results = rows.map((row) => `${ownString(row, 'check')} ${ownString(row, 'result')}`);
    return { results, rows, stderr, exit };
  }

  async function tokenFile(): Promise<string> {
    const file = join(controlPlane.workspace.directory, 'token');
    const args = ['create', 'token', 'app', '--audience=sts.amazonaws.com'];
    // As kubectl prints it, with a newline at its end.
    await writeFile(file, await controlPlane.kubectl(args));
    return file;
  }

  test('writes the keys as the API server has them, from the cluster and from its key file alike', async () => {
    const fromCluster = await run(
      'oidc',
      'publish',
      '--from-cluster',
      `--kubeconfig=${controlPlane.kubeconfig}`,
      `--issuer=${issuer}`,
      `--out=${out}`,
    );
    const keyFile = join(controlPlane.workspace.directory, 'service-accounts.pub');
    const fromFile = await run('oidc', 'publish', `--public-key=${keyFile}`, `--issuer=${issuer}`, `--out=${out}-file`);
    const jwks: unknown = JSON.parse(await controlPlane.kubectl(['get', '--raw', '/openid/v1/jwks']));
    const discovery: unknown = JSON.parse(await controlPlane.kubectl(['get', '--raw', `/${discoveryPath}`]));
    expect([fromCluster.exit, fromFile.exit]).toEqual([0, 0]);
    expect([await written(jwksPath), await written(jwksPath, `${out}-file`)]).toEqual([jwks, jwks]);
    expect(JSON.stringify(await written(jwksPath))).toBe(JSON.stringify(jwks));
    expect(JSON.stringify(await written(discoveryPath))).toBe(JSON.stringify(discovery));
  });

  test('verifies what it has written, with the cluster and a token of it', async () => {
    await serve(out);
    const { results, stderr, exit } = await verified(
      `--kubeconfig=${controlPlane.kubeconfig}`,
      `--token=${await tokenFile()}`,
    );
    expect([results, stderr, exit]).toEqual([
      [
        'issuer-url ok',
        'discovery-certificate warning',
        'discovery ok',
        'discovery-issuer ok',
        'jwks-uri ok',
        'jwks ok',
        'cluster-issuer ok',
        'cluster-keys ok',
        'token-issuer ok',
        'token-audience ok',
        'token-signature ok',
        'token-expiration ok',
      ],
      '',
      0,
    ]);
  });

  test('tells that the documents are those of another cluster, and what STS will say', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const other = join(controlPlane.workspace.directory, 'other.pub');
    await writeFile(other, publicKey.export({ type: 'spki', format: 'pem' }));
    await run('oidc', 'publish', `--public-key=${other}`, `--issuer=${issuer}`, `--out=${out}-other`);
    await serve(`${out}-other`);
    const { rows, exit } = await verified(`--kubeconfig=${controlPlane.kubeconfig}`, `--token=${await tokenFile()}`);
    const failed = rows.filter((row) => ownString(row, 'result') === 'failed');
    const message =
      "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements";
    const stsError = { code: 'InvalidIdentityToken', message };
    expect([failed.map((row) => [ownString(row, 'check'), ownField(row, 'stsError')]), exit]).toEqual([
      [
        ['cluster-keys', stsError],
        ['token-signature', stsError],
      ],
      1,
    ]);
  });

  test('keeps the old key beside the cluster’s own through a rotation', async () => {
    const again = await run(
      'oidc',
      'publish',
      '--from-cluster',
      `--kubeconfig=${controlPlane.kubeconfig}`,
      `--issuer=${issuer}`,
      `--out=${out}-other`,
    );
    expect(again.exit).toBe(0);
    const kids = ownList(await written(jwksPath, `${out}-other`), 'keys').length;
    await serve(`${out}-other`);
    const { exit } = await verified(`--kubeconfig=${controlPlane.kubeconfig}`, `--token=${await tokenFile()}`);
    expect([kids, exit]).toEqual([2, 0]);
  });

  test('says in a sentence which right is missing', async () => {
    const { url, caPem, workspace } = controlPlane;
    const nobody = join(workspace.directory, 'nobody.kubeconfig');
    await writeFile(nobody, kubeconfigOf({ url, caPem, user: {} }));
    const { stdout, stderr, exit } = await run('oidc', 'verify', ...flags, `--kubeconfig=${nobody}`);
    expect([stdout, stderr, exit]).toEqual([
      '',
      `the cluster: the API server answered 403 to /.well-known/openid-configuration: forbidden: User "system:anonymous" cannot get path "/.well-known/openid-configuration"; the caller needs the ClusterRole system:service-account-issuer-discovery\n`,
      2,
    ]);
  });
});
