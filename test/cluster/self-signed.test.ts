// Certificates without anybody else, on a real API server that calls by Service under failurePolicy Fail: replicas agree
// on one CA, and no call fails while leaves are renewed and the CA is replaced.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SelfSignedInstallation } from './self-signed-replicas.ts';
import { CONFIGURATION, createInstallation, handshake, liveState, NAMESPACE } from './self-signed-replicas.ts';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { eventually } from './support/eventually.ts';
import { pod, roleArnsOf, roleFor, rolesByPod } from './support/objects.ts';
import { report } from './support/report.ts';
import { createPodsSteadily } from './support/steady-pods.ts';

let controlPlane: ControlPlane;
let installation: SelfSignedInstallation;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  await controlPlane.kubectl(['apply', '-f', join(import.meta.dirname, 'manifests/shop.yaml')]);
  installation = await createInstallation(controlPlane);
});

afterAll(async () => {
  await installation.close();
  await controlPlane.stop();
});

async function isMutated(): Promise<true | undefined> {
  const path = '/api/v1/namespaces/shop/pods?dryRun=All';
  const body = pod({ namespace: 'shop', name: 'probe', account: 'checkout' });
  const answer = await controlPlane.api.call({ method: 'POST', path, body });
  return roleArnsOf(answer.body)[0] === roleFor('checkout') ? true : undefined;
}

test('two replicas that start with an empty Secret agree on one CA, and the API server trusts both', async () => {
  const { replicas, register } = installation;
  await Promise.all(replicas.map((replica) => replica.start()));
  await register();
  await Promise.all(replicas.map((replica) => replica.ready()));
  const live = await liveState(controlPlane);
  expect(live).toEqual({
    generation: '1',
    trusted: [expect.any(String)],
    foreign: undefined,
    secret: { 'ca.crt': expect.any(String), 'ca.key': expect.any(String), 'state.json': expect.any(String) },
  });
  expect(await Promise.all(replicas.map(({ port }) => handshake(port, live.trusted)))).toEqual([
    expect.any(String),
    expect.any(String),
  ]);
  await eventually({ what: 'pods to be mutated' }, isMutated);
});

test('a replica that is started anew changes nothing', async () => {
  const before = await liveState(controlPlane);
  const [first] = installation.replicas;
  await first?.stop();
  await first?.start();
  await first?.ready();
  expect(await liveState(controlPlane)).toEqual(before);
});

test('a bundle that somebody broke is repaired', async () => {
  const before = await liveState(controlPlane);
  const broken = Date.now();
  const patch = JSON.stringify([{ op: 'remove', path: '/webhooks/1/clientConfig/caBundle' }]);
  await controlPlane.kubectl(['patch', 'mutatingwebhookconfiguration', CONFIGURATION, '--type=json', '-p', patch]);
  await eventually({ what: 'the bundle to be repaired' }, async () =>
    (await liveState(controlPlane)).trusted.length > 0 ? true : undefined,
  );
  report(`the broken bundle was repaired after ${Date.now() - broken} ms`);
  expect(await liveState(controlPlane)).toEqual(before);
  await eventually({ what: 'pods to be mutated again' }, isMutated);
});

// The minute between two steps is a rule, and the longest leaf lives for another: this takes four.
test('no call fails while the CA is rotated by hand and leaves are renewed', async () => {
  const enough = new AbortController();
  const creating = createPodsSteadily({
    api: controlPlane.api,
    namespace: 'shop',
    accounts: ['checkout'],
    everyMs: 100,
    until: enough.signal,
  });
  // Said at the end; what goes on meanwhile must not be cut short by it.
  creating.catch(() => undefined);
  const annotation = `pod-identity-webhook/rotate-ca=${new Date().toISOString()}`;
  await controlPlane.kubectl(['annotate', '-n', NAMESPACE, `secret/${NAMESPACE}`, annotation]);
  const [old] = (await liveState(controlPlane)).trusted;
  const leaves = installation.replicas.map(() => new Set<string>());
  const stages: string[] = [];
  for (const deadline = Date.now() + 330_000; stages.at(-1) !== '4: 1' && Date.now() < deadline;) {
    const { generation, trusted } = await liveState(controlPlane);
    const stage = `${generation ?? 'none'}: ${trusted.length}`;
    if (stages.at(-1) !== stage) stages.push(stage);
    for (const [index, { port }] of installation.replicas.entries()) {
      leaves[index]?.add(await handshake(port, trusted));
    }
    await sleep(200);
  }
  // And a little longer: the API server must be content with the new CA alone.
  await sleep(2_000);
  enough.abort();
  const pods = await creating;
  expect(stages).toEqual(['1: 1', '2: 2', '3: 2', '4: 1']);
  expect((await liveState(controlPlane)).trusted).not.toEqual([old]);
  const stored: unknown = JSON.parse(await controlPlane.kubectl(['get', 'pods', '-n', 'shop', '-o', 'json']));
  expect(rolesByPod(stored)).toEqual(pods.map(({ name }) => [name, [roleFor('checkout')]]));
  report(`${pods.length} pods created during the rotation; leaves seen: ${leaves.map(({ size }) => size).join(', ')}`);
  // A leaf lives for a minute, of which forty seconds are used: four minutes need more than one.
  expect(leaves.map(({ size }) => size > 3)).toEqual([true, true]);
  const metrics = await Promise.all(installation.replicas.map((replica) => replica.metrics()));
  expect(metrics.map((text) => text.match(/^pod_identity_webhook_ca_bundle_in_sync .*$/m)?.[0])).toEqual([
    'pod_identity_webhook_ca_bundle_in_sync 1',
    'pod_identity_webhook_ca_bundle_in_sync 1',
  ]);
}, 400_000);

test('the log has neither keys nor errors', () => {
  const output = installation.replicas.map((replica) => replica.output()).join('');
  const lines = output.split('\n').filter((line) => line.includes('"level":"error"'));
  // Before the configuration was created there was none.
  expect(lines.filter((line) => !line.includes('does not exist; apply it'))).toEqual([]);
  expect(output.includes('PRIVATE KEY')).toBe(false);
});
