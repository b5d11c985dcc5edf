// Another webhook adds a container to pods that ours sees too, before it or after it: what is stored has the identity in
// every container, once.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { isObject, ownList } from '../../src/admission/json.ts';
import type { JsonObject } from '../../src/admission/json.ts';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { withoutSpread } from './support/identities.ts';
import { createKubeletVolume, credentialsFileOf } from './support/kubelet-volume.ts';
import { pod, serviceAccount } from './support/objects.ts';
import type { Addition, SecondWebhook } from './support/second-webhook.ts';
import { startSecondWebhook } from './support/second-webhook.ts';
import { storedPod } from './support/stored.ts';
import type { Webhook } from './support/webhook.ts';
import { logLines, startWebhook } from './support/webhook.ts';

const image = 'registry.example/added:1';
const container = { name: 'added', image };
// Ours is called "pod-identity-webhook…", and the API server goes by the alphabet.
const additions: Addition[] = [
  { label: 'last', configuration: 'zz-mesh-last', list: 'containers', at: 'end', container },
  { label: 'first', configuration: 'zz-mesh-first', list: 'containers', at: 'start', container },
  { label: 'before', configuration: 'aa-mesh-before', list: 'containers', at: 'end', container },
  {
    label: 'sidecar',
    configuration: 'zz-mesh-sidecar',
    list: 'initContainers',
    at: 'start',
    container: { ...container, restartPolicy: 'Always' },
  },
];
const accounts = ['checkout', 'agent'];

let controlPlane: ControlPlane;
let webhook: Webhook;
let second: SecondWebhook;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  const volume = await createKubeletVolume({
    directory: join(controlPlane.workspace.directory, 'credentials'),
    name: 'identities.json',
    content: credentialsFileOf(['shop/agent']),
  });
  const flags = [`--watch-container-credentials-config=${volume.file}`];
  webhook = await startWebhook({ controlPlane, failurePolicy: 'Fail', flags });
  const { kubectl } = controlPlane;
  await kubectl(['apply', '-f', join(import.meta.dirname, 'manifests/shop.yaml')]);
  await kubectl(['create', '-f', '-'], JSON.stringify(serviceAccount({ namespace: 'shop', name: 'agent' })));
  second = await startSecondWebhook({ controlPlane, additions, account: 'default' });
});

afterAll(async () => {
  await second.close();
  await controlPlane.stop();
});

interface StoredPod {
  readonly metadata: object;
  readonly spec: object;
}

/** The stored pod without its name and without the label that has asked for an addition. */
async function stored(account: string, label?: string): Promise<StoredPod> {
  const name = `${account}-${label ?? 'alone'}`;
  const labels: Record<string, string> = label === undefined ? {} : { adds: label };
  const manifest = pod({ namespace: 'shop', name, account, labels });
  await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(manifest));
  const whole = objectIn(withoutSpread(await storedPod(controlPlane.kubectl, name)));
  const metadata = objectIn(whole['metadata']);
  const kept = Object.entries(metadata['labels'] ?? {}).filter(([key]) => key !== 'adds');
  return {
    ...whole,
    metadata: { ...metadata, name: '', labels: Object.fromEntries(kept) },
    spec: objectIn(whole['spec']),
  };
}

function objectIn(value: unknown): JsonObject {
  if (!isObject(value)) throw new Error(`Not an object: ${JSON.stringify(value)}`);
  return value;
}

/** Our decisions on the pod, call by call. */
function reasonsOf(name: string): unknown[] {
  return logLines(webhook)
    .filter((line) => line['pod'] === name)
    .map(({ reason }) => reason);
}

describe.each(accounts)('a pod of the account %s', (account) => {
  let alone: StoredPod;

  beforeAll(async () => {
    alone = await stored(account);
  });

  test('is seen once where nobody else adds to it', () => {
    expect(reasonsOf(`${account}-alone`)).toEqual(['injected']);
  });

  test.each(additions)('is whole with a container that another webhook adds: $label', async (addition) => {
    const { label, list, at } = addition;
    const added = { ...objectIn(ownList(alone.spec, 'containers')[0]), ...addition.container };
    const mounts = ownList(added, 'volumeMounts');
    // The API server mounts its own token after each round of webhooks: into this container after ours has.
    const addedBefore = { ...added, volumeMounts: mounts.toReversed() };
    const others = ownList(alone.spec, list);
    const all = at === 'start' ? [added, ...others] : [...others, label === 'before' ? addedBefore : added];
    expect(await stored(account, label)).toEqual({ ...alone, spec: { ...alone.spec, [list]: all } });
    // Called again because the pod has changed since: for the container that is new, or for that mount.
    expect(reasonsOf(`${account}-${label}`)).toEqual([
      'injected',
      label === 'before' ? 'already-injected' : 'injected',
    ]);
  });
});
