// The caBundle of the webhook configuration: what is written, what is never touched, when pods may be sent here.
import { describe, expect, test } from '@jest/globals';
import { ownField, ownList } from '../../src/admission/json.ts';
import { configurationFrom, operationsFor } from '../../src/certificates/webhook-configuration.ts';
import { failureOf } from '../support/failure.ts';
import type { FakeCluster } from '../support/self-signed.ts';
import {
  breakBundle,
  configurationOf,
  createFakeCluster,
  createReplica,
  editConfiguration,
  generationOf,
  isAccepted,
  MINUTE_MS,
  SERVICE,
  stateOf,
  trusted,
} from '../support/self-signed.ts';

const OBJECT = 'MutatingWebhookConfiguration "ours"';

function bundlesOf(cluster: FakeCluster): unknown[] {
  return ownList(cluster.configuration, 'webhooks').map((entry) =>
    ownField(ownField(entry, 'clientConfig'), 'caBundle'),
  );
}

describe('the patch', () => {
  test('tests what was read, and adds to entries of our Service only', async () => {
    const cluster = createFakeCluster();
    await createReplica(cluster).look();
    const state = stateOf(cluster);
    if (state === undefined) throw new Error('the Secret is empty');
    const caBundle = Buffer.from(state.current.certPem).toString('base64');
    const object = {
      metadata: { name: 'ours', resourceVersion: '42', annotations: { team: 'a' } },
      webhooks: [
        { name: 'url', clientConfig: { url: 'https://example.com', caBundle: 'eA==' } },
        { name: 'one', clientConfig: { service: SERVICE } },
        { name: 'other-namespace', clientConfig: { service: { ...SERVICE, namespace: 'other' } } },
        { name: 'two', clientConfig: { service: SERVICE, caBundle: 'eA==' } },
      ],
    };
    expect(operationsFor(configurationFrom(object, SERVICE), state)).toEqual([
      { op: 'test', path: '/metadata/resourceVersion', value: '42' },
      { op: 'test', path: '/webhooks/1/name', value: 'one' },
      { op: 'add', path: '/webhooks/1/clientConfig/caBundle', value: caBundle },
      { op: 'test', path: '/webhooks/3/name', value: 'two' },
      { op: 'add', path: '/webhooks/3/clientConfig/caBundle', value: caBundle },
      { op: 'add', path: '/metadata/annotations/pod-identity-webhook~1ca-generation', value: '1' },
    ]);
    const bare = { ...object, metadata: { name: 'ours', resourceVersion: '42' } };
    expect(operationsFor(configurationFrom(bare, SERVICE), state).at(-1)).toEqual({
      op: 'add',
      path: '/metadata/annotations',
      value: { 'pod-identity-webhook/ca-generation': '1' },
    });
  });

  test('is made anew from what is there, where somebody was faster', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    cluster.before = async (call) => {
      if (call === 'patch-configuration') editConfiguration(cluster, (object) => object);
    };
    expect(await failureOf(replica.look())).toMatchObject({ code: 'conflict' });
    expect(bundlesOf(cluster)).toEqual([undefined]);
    cluster.before = async () => {};
    await replica.look();
    expect(isAccepted(cluster, replica)).toBe(true);
    expect(replica.log.messages()).toEqual([
      'info CA stored',
      'info certificate signed by our own CA',
      'info caBundle written',
    ]);
  });

  test('that is never taken is complained of', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    cluster.before = async (call) => {
      if (call === 'patch-configuration') editConfiguration(cluster, (object) => object);
    };
    for (let look = 0; look < 8; look += 1) await failureOf(replica.look());
    expect(replica.bundle.problem()).toBe(`${OBJECT} has not been read yet`);
    for (let look = 0; look < 3; look += 1) await failureOf(replica.look());
    expect(replica.log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
      {
        problem:
          `${OBJECT} cannot be changed: a test did not hold; ` +
          'look for who else writes it, and for policies that deny the change',
      },
    ]);
  });
});

describe('the caBundle', () => {
  test.each([undefined, '', 'bm90IGEgY2VydGlmaWNhdGU='])('is repaired where somebody made it %j', async (caBundle) => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    const before = bundlesOf(cluster);
    breakBundle(cluster, caBundle);
    await replica.look();
    expect(bundlesOf(cluster)).toEqual(before);
    expect(replica.recorder.of('caBundleWritten')).toEqual([['step'], ['repair']]);
    expect(replica.log.messages().at(-1)).toBe('warn caBundle was changed by somebody else, and is repaired');
    expect(replica.recorder.of('caBundle')).toEqual([['differs'], ['in-sync'], ['differs'], ['in-sync']]);
  });

  test('is written again with its generation, where somebody took that away', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    editConfiguration(cluster, (object) => ({ ...object, metadata: { name: 'ours' } }));
    await replica.look();
    expect(generationOf(cluster)).toBe('1');
  });

  test('of a new entry of ours is filled', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    cluster.configuration = { ...configurationOf(['pods.example.com', 'more.example.com']) };
    await replica.look();
    const [first, second] = bundlesOf(cluster);
    expect([typeof first, second]).toEqual(['string', first]);
  });

  test('is repaired ever more slowly where somebody goes on changing it, and at once after a quiet time', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    const waits: number[] = [];
    for (let change = 0; change < 8; change += 1) {
      breakBundle(cluster, undefined);
      const wait = await replica.look();
      if (trusted(cluster).length > 0) continue;
      waits.push(wait);
      cluster.nowMs += wait;
      await replica.look();
      expect(trusted(cluster)).toHaveLength(1);
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    cluster.nowMs += 11 * MINUTE_MS;
    breakBundle(cluster, undefined);
    await replica.look();
    expect(trusted(cluster)).toHaveLength(1);
  });

  test.each([
    ['cert-manager.io/inject-ca-from', 'eks/webhook'],
    ['cert-manager.io/inject-ca-from-secret', 'eks/webhook'],
    ['cert-manager.io/inject-apiserver-ca', 'true'],
    ['service.beta.openshift.io/inject-cabundle', 'true'],
  ])('that another controller owns by %s is refused, and not fought over', async (annotation, value) => {
    const cluster = createFakeCluster();
    editConfiguration(cluster, (object) => ({
      ...object,
      metadata: { name: 'ours', annotations: { [annotation]: value } },
    }));
    const before = cluster.configuration;
    const replica = createReplica(cluster);
    for (let look = 0; look < 3; look += 1) await replica.look();
    const problem =
      `${OBJECT} is annotated ${annotation}: another controller writes its caBundle; ` +
      'remove the annotation, or give --tls-mode=files with a certificate of that controller';
    expect([cluster.configuration, replica.bundle.problem()]).toEqual([before, problem]);
    expect(replica.log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
      { problem },
    ]);
  });
});

describe('readiness', () => {
  test('is not given by a bundle that somebody else will write anew', async () => {
    const cluster = createFakeCluster();
    await createReplica(cluster).look();
    editConfiguration(cluster, (object) => ({
      ...object,
      metadata: { name: 'ours', annotations: { 'cert-manager.io/inject-ca-from': 'eks/webhook' } },
    }));
    const replica = createReplica(cluster);
    await replica.look();
    expect(replica.bundle.problem()).toContain('another controller writes its caBundle');
  });

  test('waits for the CA in the live configuration, and is never taken back', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    cluster.before = async (call) => {
      if (call === 'patch-configuration') throw Object.assign(new Error('no'), { status: 403 });
    };
    await failureOf(replica.look());
    expect(replica.bundle.problem()).toBe(
      `${OBJECT} cannot be changed: no; grant get, list, watch and patch on it by name`,
    );
    cluster.before = async () => {};
    await replica.look();
    expect(replica.bundle.problem()).toBe('');
    cluster.configuration = undefined;
    await replica.look();
    cluster.before = async () => {
      throw new Error('no route');
    };
    await failureOf(replica.look());
    expect(replica.bundle.problem()).toBe('');
  });

  test('does not wait for longer than a minute for a configuration that does not exist', async () => {
    const cluster = createFakeCluster();
    cluster.configuration = undefined;
    const replica = createReplica(cluster);
    await replica.look();
    const absent = `${OBJECT} does not exist; apply it, or name the right one by --webhook-configuration`;
    cluster.nowMs += MINUTE_MS - 1;
    expect(replica.bundle.problem()).toBe(absent);
    cluster.nowMs += 1;
    expect(replica.bundle.problem()).toBe('');
    expect(replica.log.messages().slice(-2)).toEqual([
      'info certificate signed by our own CA',
      'warn ready without a webhook configuration: there is none to write the caBundle into',
    ]);
    expect(replica.recorder.of('caBundle')).toEqual([['absent']]);
    cluster.configuration = configurationOf(['pods.example.com']);
    await replica.look();
    expect(isAccepted(cluster, replica)).toBe(true);
  });

  test('waits where the configuration is there and has no entry for our Service, or cannot be read', async () => {
    const cluster = createFakeCluster();
    cluster.configuration = configurationOf([]);
    const replica = createReplica(cluster);
    await replica.look();
    cluster.nowMs += 2 * MINUTE_MS;
    expect(replica.bundle.problem()).toBe(
      `no entry of ${OBJECT} points at the Service "eks/pod-identity-webhook"; ` +
        'correct it, or --service-name and --namespace',
    );
    cluster.before = async (call) => {
      if (call === 'read-configuration') throw Object.assign(new Error('forbidden'), { status: 403 });
    };
    await failureOf(replica.look());
    cluster.nowMs += 2 * MINUTE_MS;
    expect(replica.bundle.problem()).toBe(
      `${OBJECT} cannot be read: forbidden; grant get, list, watch and patch on it by name`,
    );
  });
});
