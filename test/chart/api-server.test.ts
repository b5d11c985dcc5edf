// A real API server takes what the chart renders: each shape by a dry run, with every field validated strictly.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isObject, ownField } from '../../src/admission/json.ts';
import type { JsonObject } from '../../src/admission/json.ts';
import type { ChartCluster } from './support/cluster.ts';
import { startChartCluster } from './support/cluster.ts';
import { idOf, objectsOf, render } from './support/helm.ts';
import { shapes } from './support/shapes.ts';

/** Kinds of operators, which this API server does not know: no dry run says anything of them. */
const OF_OPERATORS = ['Certificate', 'Issuer', 'PodMonitor', 'PrometheusRule', 'ServiceMonitor'];

let cluster: ChartCluster;

beforeAll(async () => {
  cluster = await startChartCluster();
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  for (const [name, labels] of Object.entries({
    'pod-identity-webhook': restricted,
    aws: restricted,
    monitoring: {},
    // No standard but privileged lets pods into the node's network.
    'host-network': { 'pod-security.kubernetes.io/enforce': 'privileged' },
  })) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(namespace));
  }
  const runtime = {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: 'gvisor' },
    handler: 'runsc',
  };
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(runtime));
  // A dry run stores nothing, so the accounts of the pods must be there before: here nobody else makes them.
  for (const namespace of ['pod-identity-webhook', 'aws', 'host-network']) {
    for (const account of ['default', 'pod-identity-webhook-check']) {
      await cluster.kubectl(['create', 'serviceaccount', account, '-n', namespace]);
    }
  }
});

afterAll(async () => cluster.stop());

async function dryRun(objects: readonly JsonObject[]): Promise<string[]> {
  const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-o', 'name', '-f', '-'];
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  return (await cluster.kubectl(args, JSON.stringify(list))).trim().split('\n').toSorted();
}

describe.each(shapes)('$name', ({ name, values }) => {
  const objects = objectsOf(render({ values }));

  test('is taken, every field of it', async () => {
    const known = objects.filter(({ kind }) => !OF_OPERATORS.includes(String(kind)));
    expect(await dryRun(known)).toHaveLength(known.length);
    expect(known).not.toEqual([]);
  });

  test('has a pod that the Pod Security Standard of its namespace lets in: restricted, but for the node’s network', async () => {
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    const template = ownField(ownField(deployment, 'spec'), 'template');
    const namespace = name === 'host-network' ? name : ownField(ownField(deployment, 'metadata'), 'namespace');
    if (!isObject(template) || !isObject(template['metadata']) || !isObject(template['spec']))
      throw new Error('no pod');
    const spec = { ...template['spec'], serviceAccountName: 'default' };
    const metadata = { ...template['metadata'], name: 'probe', namespace };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec };
    expect(await dryRun([pod])).toEqual(['pod/probe']);
  });
});

test('only kinds of operators were left out, and each of them is rendered by some shape', () => {
  const kinds = shapes.flatMap(({ values }) => objectsOf(render({ values })).map(({ kind }) => String(kind)));
  expect([...new Set(kinds.filter((kind) => OF_OPERATORS.includes(kind)))].toSorted()).toEqual(OF_OPERATORS);
});

test('a field that Kubernetes does not know is refused by this dry run', async () => {
  const [service] = objectsOf(render({ only: ['templates/service.yaml'] }));
  if (service === undefined || !isObject(service['spec'])) throw new Error('no Service');
  await expect(dryRun([{ ...service, spec: { ...service['spec'], trafficPolicy: 'x' } }])).rejects.toThrow(
    'unknown field "trafficPolicy"',
  );
  expect(idOf(service)).toBe('Service/pod-identity-webhook/pod-identity-webhook');
});
