// Beside EKS's own webhook, whose configuration is called pod-identity-webhook: nothing of it changes, and whichever of
// the two is called second has nothing left to do.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';
import { eventually } from '../cluster/support/eventually.ts';
import { pod, roleFor, serviceAccount } from '../cluster/support/objects.ts';
import { logLines, startWebhook } from '../cluster/support/webhook.ts';
import type { Webhook } from '../cluster/support/webhook.ts';
import type { ChartCluster } from './support/cluster.ts';
import { startChartCluster } from './support/cluster.ts';
import type { EksWebhook } from './support/eks-webhook.ts';
import { startEksWebhook } from './support/eks-webhook.ts';
import { NAME, ROOT } from './support/helm.ts';

const EKS = 'pod-identity-webhook';
const release = { release: NAME, namespace: NAME };

let cluster: ChartCluster;
let eks: EksWebhook;

beforeAll(async () => {
  cluster = await startChartCluster();
  eks = await startEksWebhook(roleFor('cart'));
  await cluster.kubectl(['create', 'namespace', 'shop']);
  const account = serviceAccount({ namespace: 'shop', name: 'cart', roleArn: roleFor('cart') });
  await cluster.kubectl(['create', '-f', '-'], JSON.stringify(account));
  await cluster.kubectl(['create', '-f', '-'], JSON.stringify(eks.registration(EKS)));
});

afterAll(async () => {
  await eks.close();
  await cluster.stop();
});

/** Every byte that the API server has of it, resourceVersion and managers, too. */
async function ofEks(): Promise<string> {
  return cluster.kubectl(['get', 'mutatingwebhookconfigurations', EKS, '-o', 'json', '--show-managed-fields']);
}

describe('EKS’s own configuration', () => {
  test.each(['helm3', 'helm4'] as const)('does not change by install, upgrade and uninstall of %s', async (helm) => {
    const before = await ofEks();
    cluster.install(helm, release);
    expect(await ofEks()).toBe(before);
    cluster.upgrade(helm, { ...release, values: { shadow: true } });
    expect(await ofEks()).toBe(before);
    cluster.uninstall(helm, release);
    expect(await ofEks()).toBe(before);
  });

  test.each(['deploy', 'deploy/self-signed'])('does not change by apply and delete of %s', async (directory) => {
    const before = await ofEks();
    // Twice, as whoever changes a manifest does.
    for (const verb of ['apply', 'apply', 'delete']) {
      await cluster.kubectl([verb, '-k', join(ROOT, directory), ...(verb === 'delete' ? ['--wait=false'] : [])]);
      expect(await ofEks()).toBe(before);
    }
    await finished(NAME);
  });

  test.each(['helm3', 'helm4'] as const)('is refused by %s as the name of ours', async (helm) => {
    const before = await ofEks();
    expect(() => cluster.install(helm, { ...release, values: { webhook: { configurationName: EKS } } })).toThrow(
      "is the name of EKS's own configuration, which must not be touched",
    );
    expect(await ofEks()).toBe(before);
  });
});

/** Without its controller nobody ends a namespace that is to be deleted. */
async function finished(namespace: string): Promise<void> {
  const list: unknown = JSON.parse(await cluster.kubectl(['get', 'namespaces', '-o', 'json']));
  const left = ownList(list, 'items').find((item) => ownString(ownField(item, 'metadata'), 'name') === namespace);
  if (left === undefined) return;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, spec: { finalizers: [] } };
  await cluster.kubectl(
    ['replace', '--raw', `/api/v1/namespaces/${namespace}/finalize`, '-f', '-'],
    JSON.stringify(body),
  );
}

describe('of the two', () => {
  let webhook: Webhook;

  beforeAll(async () => {
    webhook = await startWebhook({
      controlPlane: cluster,
      failurePolicy: 'Ignore',
      // What the chart gives on EKS, where the region is known.
      flags: ['--aws-default-region=eu-central-1', '--sts-regional-endpoint'],
    });
  });

  afterAll(async () => webhook.stop());

  /** The reasons of our decisions about a pod, and the pod. */
  async function created(name: string): Promise<{ reasons: unknown[]; env: unknown[]; operations: number[] }> {
    const from = eks.answers.length;
    const body = pod({ namespace: 'shop', name, account: 'cart' });
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify({ ...body, spec: withVolumes(body) }));
    const stored = await cluster.stored('pod', name, '-n', 'shop');
    const [container] = ownList(ownField(stored, 'spec'), 'containers');
    // The log is written a moment after the answer.
    const reasons = await eventually({ what: 'the decision in the log' }, async () => {
      const lines = logLines(webhook).filter((line) => line['pod'] === name);
      return lines.length === 0 ? undefined : lines.map((line) => line['reason']);
    });
    return {
      reasons,
      env: ownList(container, 'env').map((variable) => ownField(variable, 'name')),
      operations: eks.answers.slice(from),
    };
  }

  const variables = [
    'AWS_STS_REGIONAL_ENDPOINTS',
    'AWS_DEFAULT_REGION',
    'AWS_REGION',
    'AWS_ROLE_ARN',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
  ];

  test('ours finds nothing to do where EKS’s comes first, as it does by its name', async () => {
    expect(await created('eks-first')).toEqual({
      reasons: ['already-injected'],
      env: variables,
      operations: [2],
    });
  });

  test('EKS’s finds nothing to do where ours comes first', async () => {
    await cluster.kubectl(['delete', 'mutatingwebhookconfigurations', EKS]);
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify(eks.registration('zz-pod-identity-webhook')));
    await eventually({ what: 'the order to change' }, async () => {
      const body = pod({ namespace: 'shop', name: 'probe', account: 'cart' });
      const from = eks.answers.length;
      await cluster.api.call({ method: 'POST', path: '/api/v1/namespaces/shop/pods?dryRun=All', body });
      return eks.answers.slice(from).join() === '0' ? true : undefined;
    });
    expect(await created('ours-first')).toEqual({ reasons: ['injected'], env: variables, operations: [0] });
  });
});

/** EKS's inserts its volume into a list, which a pod of the controllers always has. */
function withVolumes(body: object): object {
  const spec = ownField(body, 'spec');
  return { ...(isObject(spec) ? spec : {}), volumes: [{ name: 'scratch', emptyDir: {} }] };
}
