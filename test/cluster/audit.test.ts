// Pods that were stored while the webhook was away: the command and the server's gauges find them, and find none after
// the commands that the audit prints were run. One replica audits, and another takes over.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { eventually } from './support/eventually.ts';
import { pod, roleFor, serviceAccount } from './support/objects.ts';
import { freePort } from './support/ports.ts';
import type { Webhook } from './support/webhook.ts';
import { createWebhook, logLines } from './support/webhook.ts';
import type { Child } from './support/workspace.ts';

const program = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const own = 'pod-identity-webhook';
let controlPlane: ControlPlane;
let webhook: Webhook;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  await controlPlane.startControllerManager();
  webhook = await createWebhook({ controlPlane, flags: ['--audit-interval=1s'], rights: ['may-audit'] });
  await webhook.start();
  await webhook.ready();
  await webhook.register('Ignore', 'mutated');
  await controlPlane.kubectl(['create', 'namespace', 'shop']);
  await apply(serviceAccount({ namespace: 'shop', name: 'web', roleArn: roleFor('web') }));
});

afterAll(async () => controlPlane?.stop());

async function apply(...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await controlPlane.kubectl(['apply', '-f', '-'], JSON.stringify(list));
}

/** Without a kubelet no pod becomes ready: only a Deployment that ends the old ones first ever gets to its new ones. */
function deployment(name: string, replicas: number): object {
  const labels = { app: name };
  const containers = [{ name: 'app', image: 'registry.example/app:1' }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'shop', name },
    spec: {
      replicas,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { serviceAccountName: 'web', containers } },
    },
  };
}

async function audit(): Promise<{ readonly found: unknown; readonly exit: number; readonly stderr: string }> {
  return new Promise((resolve) => {
    const args = [program, 'audit', `--kubeconfig=${controlPlane.kubeconfig}`, '-n', 'shop', '-o', 'json'];
    const child = execFile(process.execPath, args, { env: {} }, (_, stdout, stderr) =>
      resolve({ found: stdout === '' ? undefined : JSON.parse(stdout), exit: child.exitCode ?? -1, stderr }),
    );
  });
}

function faultsIn(found: unknown): readonly string[] {
  return ownList(found, 'pods')
    .map((one) => ['fault', 'owner', 'restart'].map((key) => ownString(one, key)).join(': '))
    .toSorted();
}

/** What a namespace has from the second audit on that finds nothing in it. */
const none: readonly string[] = [];

/** Of namespace shop, from what /metrics says. */
function gaugesIn(metrics: string): readonly string[] {
  return metrics
    .split('\n')
    .filter((line) => /^pod_identity_webhook_(?:unmutated|stale)_pods\{namespace="shop"\}/.test(line))
    .map((line) => line.replace('pod_identity_webhook_', '').replace('{namespace="shop"}', ''));
}

async function gauges(wanted: readonly string[], of: () => Promise<string> = webhook.metrics): Promise<void> {
  await eventually({ what: `the gauges ${wanted.join(', ')}`, timeoutMs: 60_000 }, async () => {
    const seen = gaugesIn(await of());
    if (JSON.stringify(seen) === JSON.stringify(wanted)) return true;
    throw new Error(`they are ${seen.join(', ')}`);
  });
}

async function podsOf(count: number): Promise<void> {
  await eventually({ what: `${count} pods` }, async () => {
    const list: unknown = JSON.parse(await controlPlane.kubectl(['get', 'pods', '-n', 'shop', '-o', 'json']));
    const isAlive = (one: unknown): boolean => ownField(ownField(one, 'metadata'), 'deletionTimestamp') === undefined;
    return ownList(list, 'items').filter(isAlive).length === count ? true : undefined;
  });
}

test('finds the pods that were stored while the webhook was away, with the command that restarts each', async () => {
  await webhook.stop();
  await apply(deployment('web', 2), pod({ namespace: 'shop', name: 'bare', account: 'web' }));
  await podsOf(3);
  const { found, exit, stderr } = await audit();
  const restart = 'missed: Deployment/web: kubectl rollout restart deployment/web -n shop';
  expect([faultsIn(found), ownField(found, 'checked'), exit, stderr]).toEqual([
    [restart, restart, 'missed: Pod/bare: kubectl get pod bare -n shop -o yaml | kubectl replace --force -f -'],
    { pods: 3, accounts: 2 },
    1,
    '',
  ]);
  await webhook.start();
  await webhook.ready();
  await gauges(['unmutated_pods 3', 'stale_pods 0']);
});

test('finds none after the printed commands were run', async () => {
  await webhook.register('Ignore', 'mutated');
  await controlPlane.kubectl(['rollout', 'restart', 'deployment/web', '-n', 'shop']);
  const bare = await controlPlane.kubectl(['get', 'pod', 'bare', '-n', 'shop', '-o', 'yaml']);
  await controlPlane.kubectl(['replace', '--force', '-f', '-'], bare);
  await gauges(none);
  await podsOf(3);
  const { found, exit } = await audit();
  expect([found, exit]).toEqual([{ pods: [], accounts: [], checked: { pods: 3, accounts: 2 } }, 0]);
});

test('finds pods whose account has got another role, and an account that is mistyped', async () => {
  await apply(serviceAccount({ namespace: 'shop', name: 'web', roleArn: roleFor('new') }), {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace: 'shop', name: 'typo', annotations: { 'eks.amazon.com/role-arn': roleFor('typo') } },
  });
  await gauges(['unmutated_pods 0', 'stale_pods 3']);
  const { found, exit } = await audit();
  expect([faultsIn(found).map((line) => line.split(':')[0]), exit]).toEqual([['stale', 'stale', 'stale'], 1]);
  expect(ownList(found, 'accounts').map((one) => ownString(one, 'serviceAccount'))).toEqual(['typo']);
  await controlPlane.kubectl(['rollout', 'restart', 'deployment/web', '-n', 'shop']);
  await controlPlane.kubectl(['delete', 'pod', 'bare', '-n', 'shop']);
  await apply(pod({ namespace: 'shop', name: 'bare', account: 'web' }));
  await gauges(none);
});

test('is done by one replica, and by another one as soon as that ends', async () => {
  await apply(serviceAccount({ namespace: 'shop', name: 'web', roleArn: roleFor('newer') }));
  await gauges(['unmutated_pods 0', 'stale_pods 3']);
  const other = await secondReplica();
  await other.ready();
  // Several turns of both.
  const audits = (): number => logLines(webhook).filter(({ msg }) => msg === 'stored pods audited').length;
  const before = audits();
  await eventually({ what: 'three more audits of the first' }, async () => (audits() > before + 2 ? true : undefined));
  expect([gaugesIn(await other.metrics()), other.child.stdout().includes('stored pods audited')]).toEqual([[], false]);
  const lease = await controlPlane.kubectl(['get', 'leases', '-n', own, '-o', 'jsonpath={.items[*].metadata.name}']);
  expect(lease).toBe('pod-identity-webhook-audit');
  await webhook.stop();
  await gauges(['unmutated_pods 0', 'stale_pods 3'], other.metrics);
});

async function secondReplica(): Promise<{ child: Child; metrics(): Promise<string>; ready(): Promise<void> }> {
  const { directory } = controlPlane.workspace;
  const metricsPort = await freePort();
  const child = controlPlane.workspace.start({
    name: 'the second replica',
    command: process.execPath,
    args: [
      program,
      'serve',
      `--kubeconfig=${webhook.kubeconfig}`,
      '--port=0',
      `--metrics-port=${metricsPort}`,
      '--bind-address=127.0.0.1',
      `--tls-key=${join(directory, 'tls.key')}`,
      `--tls-cert=${join(directory, 'tls.crt')}`,
      `--service-name=${own}`,
      `--namespace=${own}`,
      '--shutdown-delay=0s',
      '--audit-interval=1s',
    ],
  });
  const asked = async (path: string): Promise<Response> => fetch(`http://127.0.0.1:${metricsPort}/${path}`);
  return {
    child,
    metrics: async () => (await asked('metrics')).text(),
    ready: async () => {
      await eventually({ what: 'the second replica', running: child.running }, async () =>
        (await asked('readyz')).status === 200 ? true : undefined,
      );
    },
  };
}
