import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RequestOptions } from 'node:https';
import { stringify } from 'yaml';
import { loadKubeConfig } from '../../src/kube/kubeconfig.ts';
import { failureOf } from '../support/failure.ts';

let directory = '';
const caData = Buffer.from('a CA').toString('base64');

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubeconfig-test-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function written(name: string, text: string): string {
  const file = join(directory, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function kubeconfig(cluster: Record<string, unknown>, user: Record<string, unknown> = {}): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'one', user: 'me' } }],
    clusters: [{ name: 'one', cluster }],
    users: [{ name: 'me', user }],
  });
}

async function refusal(options: Parameters<typeof loadKubeConfig>[0]): Promise<unknown> {
  const { code, message } = await failureOf(Promise.resolve().then(() => loadKubeConfig(options)));
  return { code, message };
}

test('a file gives server, CA and token', async () => {
  const file = written(
    'good',
    kubeconfig({ server: 'https://cluster:6443', 'certificate-authority-data': caData }, { token: 't' }),
  );
  const config = loadKubeConfig({ kubeconfig: file });
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  expect({ server: config.getCurrentCluster()?.server, ca: String(options.ca), headers: options.headers }).toEqual({
    server: 'https://cluster:6443',
    ca: 'a CA',
    headers: { Authorization: 'Bearer t' },
  });
});

test('a tokenFile of a kubeconfig is used, from beside the file', async () => {
  written('token', 'from a file');
  const file = written('with-token-file', kubeconfig({ server: 'https://cluster:6443' }, { tokenFile: 'token' }));
  const options: RequestOptions = {};
  await loadKubeConfig({ kubeconfig: file }).applyToHTTPSOptions(options);
  expect(options.headers).toEqual({ Authorization: 'Bearer from a file' });
});

test('--kube-api takes the place of the server of a file and keeps its CA and user', async () => {
  const file = written(
    'other',
    kubeconfig({ server: 'https://cluster:6443', 'certificate-authority-data': caData }, { token: 't' }),
  );
  const config = loadKubeConfig({ kubeconfig: file, server: 'https://elsewhere' });
  expect({ cluster: config.getCurrentCluster(), token: config.getCurrentUser()?.token }).toEqual({
    cluster: { name: 'one', server: 'https://elsewhere', caData, skipTLSVerify: false },
    token: 't',
  });
});

test('--kube-api alone is called without credentials', () => {
  const config = loadKubeConfig({ server: 'https://cluster:6443' });
  expect({ cluster: config.getCurrentCluster(), user: config.getCurrentUser() }).toEqual({
    cluster: { name: 'kube-api', server: 'https://cluster:6443', skipTLSVerify: false },
    user: { name: 'anonymous' },
  });
});

test('plain HTTP is for kubectl proxy on this machine, or where a kubeconfig asks for it', async () => {
  const server = 'http://cluster:8080';
  const open = written('open', kubeconfig({ server, 'insecure-skip-tls-verify': true }));
  const closed = written('closed', kubeconfig({ server }));
  expect(loadKubeConfig({ server: 'http://127.0.0.1:8001' }).getCurrentCluster()?.server).toBe('http://127.0.0.1:8001');
  expect(loadKubeConfig({ kubeconfig: open }).getCurrentCluster()?.server).toBe(server);
  expect(await refusal({ server })).toEqual({
    code: 'bad-kubeconfig',
    message: `--kube-api="${server}" is not encrypted; give an https:// URL, or http:// on localhost`,
  });
  expect(await refusal({ kubeconfig: closed })).toEqual({
    code: 'bad-kubeconfig',
    message:
      `--kubeconfig="${closed}": server "${server}" is not encrypted; ` +
      'give an https:// server, or say insecure-skip-tls-verify: true for this cluster',
  });
});

test('nothing of a kubeconfig is repeated, whose lines are credentials', async () => {
  const file = written('garbled', 'users: [\n{name: me, user: {token: "secret"}\n');
  expect(await refusal({ kubeconfig: file })).toEqual({
    code: 'bad-kubeconfig',
    message: expect.stringMatching(
      /^--kubeconfig="[^"]*garbled" cannot be read: [^"\n]* \(\d+:\d+\); give the path of a kubeconfig$/,
    ),
  });
});

test('a kubeconfig that cannot be used is refused in one sentence that names it', async () => {
  const empty = written('empty', '');
  const broken = written('broken', '{');
  const noContext = written(
    'no-context',
    kubeconfig({ server: 'https://x' }).replace('current-context: here', 'current-context: there'),
  );
  const noUser = written('no-user', kubeconfig({ server: 'https://x' }).replace('user: me', 'user: you'));
  const noServer = written('no-server', kubeconfig({ server: 'cluster:6443' }));
  const refusals = await Promise.all(
    ['/nowhere', empty, broken, noContext, noUser, noServer].map(async (file) => refusal({ kubeconfig: file })),
  );
  expect(
    refusals.map((entry) =>
      JSON.stringify(entry)
        .replaceAll(directory, '')
        .replace(/read: .*; give/, 'read: …; give'),
    ),
  ).toEqual([
    String.raw`{"code":"bad-kubeconfig","message":"--kubeconfig=\"/nowhere\" cannot be read: …; give the path of a kubeconfig"}`,
    String.raw`{"code":"bad-kubeconfig","message":"--kubeconfig=\"/empty\" cannot be read: …; give the path of a kubeconfig"}`,
    String.raw`{"code":"bad-kubeconfig","message":"--kubeconfig=\"/broken\" cannot be read: …; give the path of a kubeconfig"}`,
    String.raw`{"code":"bad-kubeconfig","message":"--kubeconfig=\"/no-context\": there is no context \"there\"; choose one with kubectl config use-context"}`,
    String.raw`{"code":"bad-kubeconfig","message":"--kubeconfig=\"/no-user\": there is no cluster or user of context \"here\"; choose one with kubectl config use-context"}`,
    String.raw`{"code":"bad-kubeconfig","message":"--kubeconfig=\"/no-server\": server \"cluster:6443\" is not a URL; want https://HOST:PORT"}`,
  ]);
});

test('without cluster, file or URL it says what to give', async () => {
  const root = join(directory, 'outside');
  expect(await refusal({ root })).toEqual({
    code: 'no-cluster',
    message:
      `not running in a cluster (${root}/var/run/secrets/kubernetes.io/serviceaccount/token missing); ` +
      'give --kubeconfig=FILE, or --standalone=DIR to run without a cluster',
  });
});

test('in a cluster the kubelet tells where the API server is', async () => {
  written('inside/var/run/secrets/kubernetes.io/serviceaccount/token', 't\n');
  written('inside/var/run/secrets/kubernetes.io/serviceaccount/ca.crt', 'a CA');
  const root = join(directory, 'inside');
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  try {
    delete process.env['KUBERNETES_SERVICE_HOST'];
    expect(await refusal({ root })).toEqual({
      code: 'no-cluster',
      message:
        'not running in a cluster (KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT missing); ' +
        'give --kubeconfig=FILE, or --standalone=DIR to run without a cluster',
    });
    process.env['KUBERNETES_SERVICE_HOST'] = 'fd00::1';
    process.env['KUBERNETES_SERVICE_PORT'] = '443';
    expect(loadKubeConfig({ root }).getCurrentCluster()?.server).toBe('https://[fd00::1]:443');
  } finally {
    if (host !== undefined) process.env['KUBERNETES_SERVICE_HOST'] = host;
    else delete process.env['KUBERNETES_SERVICE_HOST'];
    if (port !== undefined) process.env['KUBERNETES_SERVICE_PORT'] = port;
    else delete process.env['KUBERNETES_SERVICE_PORT'];
  }
});

test('several files are one, as kubectl has it: the first that names a thing counts, and one that is missing does not', () => {
  const first = written('first', kubeconfig({ server: 'https://first:6443' }, { token: 't' }));
  const second = written(
    'second',
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'there',
      contexts: [{ name: 'there', context: { cluster: 'two', user: 'me' } }],
      clusters: [
        { name: 'one', cluster: { server: 'https://other:6443' } },
        { name: 'two', cluster: { server: 'https://second:6443' } },
      ],
      users: [],
    }),
  );
  const config = loadKubeConfig({ kubeconfig: [join(directory, 'missing'), first, second].join(delimiter) });
  expect({
    current: config.getCurrentCluster()?.server,
    all: config.clusters.map(({ name, server }) => [name, server]),
  }).toEqual({
    current: 'https://first:6443',
    all: [
      ['one', 'https://first:6443'],
      ['two', 'https://second:6443'],
    ],
  });
});
