// Real helm on a real API server: what a release makes, what an upgrade leaves alone, and what is left of it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';
import type { ChartCluster } from './support/cluster.ts';
import { startChartCluster } from './support/cluster.ts';
import { idOf, NAME, objectsOf, render } from './support/helm.ts';
import type { HelmName } from './support/helm.ts';

const SECRET = `${NAME}-self-signed`;
const HELMS: readonly HelmName[] = ['helm3', 'helm4'];

let cluster: ChartCluster;
let before: string[];

beforeAll(async () => {
  cluster = await startChartCluster();
});

beforeEach(async () => {
  before = await cluster.everything();
});

afterAll(async () => cluster.stop());

/** As the webhook writes them: one JSON Patch for the configuration, the Secret whole. */
async function rotate(namespace: string, generation: string): Promise<void> {
  const { kubectl } = cluster;
  const configuration = await cluster.stored('mutatingwebhookconfigurations', configurationOf(namespace));
  const metadata = ownField(configuration, 'metadata');
  const annotations = ownField(metadata, 'annotations') ?? {};
  const patch = [
    { op: 'test', path: '/metadata/resourceVersion', value: ownString(metadata, 'resourceVersion') },
    ...ownList(configuration, 'webhooks').flatMap((entry, index) => [
      { op: 'test', path: `/webhooks/${index}/name`, value: ownString(entry, 'name') },
      { op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: bundleOf(generation) },
    ]),
    {
      op: 'add',
      path: '/metadata/annotations',
      value: { ...(isObject(annotations) ? annotations : {}), 'pod-identity-webhook/ca-generation': generation },
    },
  ];
  const by = '--field-manager=pod-identity-webhook';
  await kubectl([
    'patch',
    'mutatingwebhookconfigurations',
    configurationOf(namespace),
    '--type=json',
    '-p',
    JSON.stringify(patch),
    by,
  ]);
  const secret = await cluster.stored('secret', SECRET, '-n', namespace);
  const filled = { ...secret, data: { 'ca.json': Buffer.from(generation).toString('base64') } };
  await kubectl(['replace', by, '-f', '-'], JSON.stringify(filled));
}

function configurationOf(namespace: string): string {
  return `${NAME}.${namespace}`;
}

function bundleOf(generation: string): string {
  return Buffer.from(`-----BEGIN CERTIFICATE-----${generation}`).toString('base64');
}

interface Kept {
  readonly generation: string | undefined;
  readonly secret: unknown;
  /** Entry → caBundle and timeout. */
  readonly entries: Readonly<Record<string, unknown>>;
}

async function kept(namespace: string): Promise<Kept> {
  const configuration = await cluster.stored('mutatingwebhookconfigurations', configurationOf(namespace));
  const secret = await cluster.stored('secret', SECRET, '-n', namespace);
  const annotations = ownField(ownField(configuration, 'metadata'), 'annotations');
  return {
    generation: ownString(annotations, 'pod-identity-webhook/ca-generation'),
    secret: ownField(secret, 'data'),
    entries: Object.fromEntries(
      ownList(configuration, 'webhooks').map((entry) => [
        (ownString(entry, 'name') ?? '').replace(`.${configurationOf(namespace)}`, ''),
        [ownField(ownField(entry, 'clientConfig'), 'caBundle'), ownField(entry, 'timeoutSeconds')],
      ]),
    ),
  };
}

function keptOf(generation: string, timeoutSeconds: number): Kept {
  const entry = [bundleOf(generation), timeoutSeconds];
  return {
    generation,
    secret: { 'ca.json': Buffer.from(generation).toString('base64') },
    entries: {
      'fail-closed': entry,
      'fail-closed-namespace': entry,
      'fail-open': entry,
      'fail-open-system': entry,
    },
  };
}

describe.each(HELMS)('%s', (helm) => {
  test('installs what it renders, keeps what the webhook has written at every upgrade, and leaves nothing', async () => {
    const namespace = `lifecycle-${helm}`;
    const release = { release: NAME, namespace };
    const said = cluster.install(helm, release);
    expect(said).toMatch(`helm test ${NAME} --namespace ${namespace}`);
    const made = (await cluster.everything()).filter((id) => !before.includes(id) && !isOfHelm(id));
    const rendered = objectsOf(render({ namespace })).filter((object) => !isHook(object));
    expect(made).toEqual(rendered.map(idOf).toSorted());

    await rotate(namespace, '1');
    cluster.upgrade(helm, { ...release, values: { webhook: { timeoutSeconds: 7 } } });
    expect(await kept(namespace)).toEqual(keptOf('1', 7));
    await rotate(namespace, '2');
    cluster.upgrade(helm, { ...release, values: { logging: { level: 'debug' } } });
    expect(await kept(namespace)).toEqual(keptOf('2', 5));
    cluster.helm(helm, ['rollback', NAME, '1', `--namespace=${namespace}`]);
    expect(await kept(namespace)).toEqual(keptOf('2', 5));

    cluster.uninstall(helm, release);
    expect(await cluster.everything()).toEqual(before);
  });

  test('goes from shadow to service, and back: entries come and go, the rest keeps its caBundle', async () => {
    const namespace = `shadow-${helm}`;
    const release = { release: NAME, namespace };
    cluster.install(helm, { ...release, values: { shadow: true } });
    await rotate(namespace, '1');
    cluster.upgrade(helm, { ...release, values: {} });
    const bundle = bundleOf('1');
    expect((await kept(namespace)).entries).toEqual({
      'fail-closed': [undefined, 5],
      'fail-closed-namespace': [undefined, 5],
      'fail-open': [bundle, 5],
      'fail-open-system': [undefined, 5],
    });
    await rotate(namespace, '2');
    cluster.upgrade(helm, { ...release, values: { shadow: true } });
    expect((await kept(namespace)).entries).toEqual({ 'fail-open': [bundleOf('2'), 5] });
    cluster.uninstall(helm, release);
    expect(await cluster.everything()).toEqual(before);
  });

  test('goes to a certificate of one’s own, and leaves nothing of the self-signed mode', async () => {
    const namespace = `modes-${helm}`;
    const release = { release: NAME, namespace };
    cluster.install(helm, release);
    await rotate(namespace, '1');
    const own = { name: 'own', caBundle: bundleOf('own') };
    const next = { ...release, values: { tls: { mode: 'existing-secret', existingSecret: own } } };
    // Helm 4 asks before it takes the caBundle from the webhook; docs/install.md says so.
    if (helm === 'helm4') expect(() => cluster.upgrade(helm, next)).toThrow('conflicts with "pod-identity-webhook"');
    cluster.upgrade(helm, next, helm === 'helm4' ? ['--force-conflicts'] : []);
    const left = (await cluster.everything()).filter((id) => !before.includes(id) && !isOfHelm(id));
    expect(left).toEqual([
      `ClusterRole/${configurationOf(namespace)}`,
      `ClusterRoleBinding/${configurationOf(namespace)}`,
      `Deployment/${namespace}/${NAME}`,
      `MutatingWebhookConfiguration/${configurationOf(namespace)}`,
      `PodDisruptionBudget/${namespace}/${NAME}`,
      `Service/${namespace}/${NAME}`,
      `ServiceAccount/${namespace}/${NAME}`,
    ]);
    const configuration = await cluster.stored('mutatingwebhookconfigurations', configurationOf(namespace));
    const bundles = ownList(configuration, 'webhooks').map((entry) =>
      ownField(ownField(entry, 'clientConfig'), 'caBundle'),
    );
    expect(bundles).toEqual(Array.from({ length: 4 }, () => bundleOf('own')));
    cluster.uninstall(helm, release);
    expect(await cluster.everything()).toEqual(before);
  });

  test('runs two releases side by side, in one namespace and in two', async () => {
    const releases = [
      { release: 'blue', namespace: 'aws' },
      { release: 'green', namespace: 'aws' },
      { release: 'blue', namespace: 'other' },
    ];
    for (const each of releases) cluster.install(helm, each);
    const made = (await cluster.everything()).filter((id) => !before.includes(id));
    expect(made.filter((id) => id.startsWith('MutatingWebhookConfiguration/'))).toEqual([
      'MutatingWebhookConfiguration/blue-pod-identity-webhook.aws',
      'MutatingWebhookConfiguration/blue-pod-identity-webhook.other',
      'MutatingWebhookConfiguration/green-pod-identity-webhook.aws',
    ]);
    for (const each of releases) cluster.uninstall(helm, each);
    expect(await cluster.everything()).toEqual(before);
  });

  test('overwrites no ConfigMap of roles that is there already', async () => {
    const namespace = `roles-${helm}`;
    const release = { release: NAME, namespace };
    const { kubectl } = cluster;
    await kubectl(['create', 'namespace', namespace]);
    await kubectl(['create', 'configmap', NAME, '-n', namespace, '--from-literal=config={}']);
    const configMap = await cluster.stored('configmap', NAME, '-n', namespace);
    const entries = { 'shop/cart': { RoleARN: 'arn:aws:iam::111122223333:role/cart' } };
    expect(() => cluster.install(helm, { ...release, values: { roleConfigMap: { enabled: true, entries } } })).toThrow(
      `ConfigMap "${NAME}" in namespace "${namespace}" exists and cannot be imported into the current release`,
    );
    cluster.install(helm, { release: 'second', namespace, values: { roleConfigMap: { enabled: true } } });
    cluster.uninstall(helm, { release: 'second', namespace });
    expect(await cluster.stored('configmap', NAME, '-n', namespace)).toEqual(configMap);
    await kubectl(['delete', 'configmap', NAME, '-n', namespace]);
    expect(await cluster.everything()).toEqual(before);
  });
});

test('Helm 4 takes a release of Helm 3 over, without forcing anything, and ends it', async () => {
  const namespace = 'take-over';
  const release = { release: NAME, namespace };
  cluster.install('helm3', release);
  await rotate(namespace, '1');
  cluster.upgrade('helm4', { ...release, values: { webhook: { timeoutSeconds: 7 } } });
  expect(await kept(namespace)).toEqual(keptOf('1', 7));
  await rotate(namespace, '2');
  cluster.upgrade('helm4', { ...release, values: { webhook: { timeoutSeconds: 9 } } }, ['--server-side=true']);
  expect(await kept(namespace)).toEqual(keptOf('2', 9));
  await rotate(namespace, '3');
  cluster.upgrade('helm4', { ...release, values: { shadow: true } }, ['--server-side=true']);
  expect((await kept(namespace)).entries).toEqual({ 'fail-open': [bundleOf('3'), 5] });
  cluster.uninstall('helm4', release);
  expect(await cluster.everything()).toEqual(before);
});

/** The record that Helm keeps of each release. */
function isOfHelm(id: string): boolean {
  return /^Secret\/[^/]+\/sh\.helm\.release\./.test(id);
}

function isHook(object: unknown): boolean {
  return ownString(ownField(ownField(object, 'metadata'), 'annotations'), 'helm.sh/hook') !== undefined;
}
