// The whole server in self-signed mode, against an API server on loopback: flags, watches, rights and readiness.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { ownField, ownList, ownString } from '../src/admission/json.ts';
import type { App } from '../src/app.ts';
import { startApp } from '../src/app.ts';
import { parseCommandLine } from '../src/cli.ts';
import { configFrom } from '../src/config.ts';
import type { ApiObject } from './support/api-objects.ts';
import type { ApiServer } from './support/api-server.ts';
import { withApiServer } from './support/api-server.ts';
import { until } from './support/until.ts';

const SECRETS = '/api/v1/secrets';
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const SERVICE = { namespace: 'eks', name: 'pod-identity-webhook' };
const running: App[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()));
});

const secretOf = (server: ApiServer): ApiObject | undefined => server.objects.get(SECRETS, 'eks/pod-identity-webhook');

function putSecret(server: ApiServer, fields: object = {}): void {
  server.objects.put(SECRETS, { metadata: { ...SERVICE }, type: 'Opaque', ...fields });
}

function putConfiguration(server: ApiServer, caBundle?: string): void {
  const clientConfig = { service: SERVICE, ...(caBundle === undefined ? {} : { caBundle }) };
  server.objects.put(CONFIGURATIONS, {
    metadata: { name: 'ours' },
    webhooks: [{ name: 'pods.example', clientConfig }],
  });
}

function caPemOf(server: ApiServer): string {
  const entry = ownList(server.objects.get(CONFIGURATIONS, 'ours'), 'webhooks')[0];
  return Buffer.from(ownString(ownField(entry, 'clientConfig'), 'caBundle') ?? '', 'base64').toString('utf8');
}

async function withCluster(use: (server: ApiServer, flags: readonly string[]) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'pod-identity-webhook-self-signed-'));
  try {
    await withApiServer({}, async (server) => {
      const kubeconfig = join(directory, 'kubeconfig');
      await writeFile(kubeconfig, server.kubeConfig().exportConfig());
      const base = [`--kubeconfig=${kubeconfig}`, '--bind-address=127.0.0.1', '--port=0', '--metrics-port=0'];
      await use(server, [...base, '--tls-mode=self-signed', '--webhook-configuration=ours']);
      // Before the API server, which they are watching.
      await Promise.all(running.splice(0).map((app) => app.close()));
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

interface Started {
  readonly app: Promise<App>;
  readonly log: readonly string[];
  readonly stop: () => void;
}

function start(flags: readonly string[]): Started {
  const commandLine = parseCommandLine(flags, {});
  if (commandLine.kind !== 'run') throw new Error(`not the flags of a run: ${flags.join(' ')}`);
  const log: string[] = [];
  const stopping = new AbortController();
  const destination = { write: (line: string) => void log.push(line) };
  const { config } = configFrom(commandLine.flags);
  const app = startApp({ config, destination, stopping: stopping.signal }).then((started) => {
    running.push(started);
    return started;
  });
  return { app, log, stop: () => stopping.abort(new Error('told to end')) };
}

/** A handshake as an API server makes it. */
async function isTrusted({ url }: App, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const options = { host: hostname, port: Number(port), ca, servername: 'pod-identity-webhook.eks.svc' };
    const socket = connect(options, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

test('two servers share one CA, are ready when it is trusted, and take over what changes', async () => {
  await withCluster(async (server, flags) => {
    putSecret(server);
    putConfiguration(server);
    const apps = await Promise.all([start(flags).app, start(flags).app]);
    await Promise.all(apps.map((app) => app.ready()));
    const ca = caPemOf(server);
    expect(await Promise.all(apps.map((app) => isTrusted(app, ca)))).toEqual([true, true]);
    expect(server.objects.get(CONFIGURATIONS, 'ours')?.metadata.annotations).toEqual({
      'pod-identity-webhook/ca-generation': '1',
    });
    putConfiguration(server, 'Z2FyYmFnZQ==');
    await until('the broken bundle to be repaired', () => caPemOf(server) === ca);
    const before = secretOf(server)?.['data'];
    putSecret(server, { data: {} });
    await until('the emptied Secret to be filled', () => ownField(secretOf(server)?.['data'], 'ca.crt') !== undefined);
    expect(secretOf(server)?.['data']).toEqual(before);
    const readyz = await fetch(`${apps[0]?.adminUrl}/readyz?verbose`);
    expect(await readyz.text()).toBe(
      '[+]certificate ok\n[+]own-port ok\n[+]ca-bundle ok\n[+]service-accounts ok\n[+]not-draining ok\nok\n',
    );
  });
});

test('every call about Secret and configuration is one that a right by name allows', async () => {
  await withCluster(async (server, flags) => {
    putSecret(server);
    putConfiguration(server);
    const app = await start(flags).app;
    await app.ready();
    const named = new Set([`${CONFIGURATIONS}/ours`, '/api/v1/namespaces/eks/secrets/pod-identity-webhook']);
    const calls = server.requests.filter(({ path }) => /secrets|webhookconfigurations/.test(path));
    const unnamed = calls.filter(({ path }) => !named.has(path));
    expect([...new Set(unnamed.map(({ path, query }) => `${path} ${query.get('fieldSelector')}`))].toSorted()).toEqual([
      '/api/v1/namespaces/eks/secrets metadata.name=pod-identity-webhook',
      `${CONFIGURATIONS} metadata.name=ours`,
    ]);
    expect(new Set(calls.map(({ kind }) => kind))).toEqual(new Set(['get', 'streaming-list', 'update', 'patch']));
  });
});

test('a server waits for a Secret that does not exist yet, says so, and can be told to end meanwhile', async () => {
  await withCluster(async (server, flags) => {
    putConfiguration(server);
    const [waiting, ending] = [start(flags), start(flags)];
    const isSaid = ({ log }: Started): boolean => log.some((line) => line.includes('does not exist; apply the chart'));
    await until('the missing Secret to be said', () => isSaid(waiting) && isSaid(ending));
    ending.stop();
    await expect(ending.app).rejects.toMatchObject({ message: 'told to end' });
    putSecret(server);
    const app = await waiting.app;
    await app.ready();
    expect(await isTrusted(app, caPemOf(server))).toBe(true);
  });
});

test('faults of the API server end nothing: what is refused is said and tried again', async () => {
  await withCluster(async (server, flags) => {
    putSecret(server);
    putConfiguration(server);
    server.fail('get', { status: 500 }, 2);
    server.fail('get', 'reset', 2);
    server.fail('update', { status: 403 });
    server.fail('update', 'reset');
    server.fail('patch', { status: 503 });
    const { app, log } = start(flags);
    const started = await app;
    await started.ready();
    expect(await isTrusted(started, caPemOf(server))).toBe(true);
    const problems = log.filter((line) => line.includes('cannot be kept'));
    expect(problems.length > 0 && problems.every((line) => !line.includes('PRIVATE KEY'))).toBe(true);
  });
});
