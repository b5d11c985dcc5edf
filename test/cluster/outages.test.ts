// What is stored while one side is away: the webhook that has not heard from the API server yet, and the API server
// that ends and comes back while pods are being created.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { eventually } from './support/eventually.ts';
import { createGate } from './support/gate.ts';
import { pod, roleArnsOf, roleFor, rolesByPod } from './support/objects.ts';
import { createPodsPersistently } from './support/persistent-pods.ts';
import { report } from './support/report.ts';
import { createWebhook, logLines, startWebhook } from './support/webhook.ts';

let controlPlane: ControlPlane;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  await controlPlane.kubectl(['apply', '-f', join(import.meta.dirname, 'manifests/shop.yaml')]);
});

afterAll(async () => controlPlane.stop());

test('makes the API server ask again, even under Ignore, until the webhook knows the accounts', async () => {
  const gate = await createGate(Number(new URL(controlPlane.url).port));
  const webhook = await createWebhook({ controlPlane, apiUrl: `https://127.0.0.1:${gate.port}` });
  try {
    // Registered before it runs, as an installer may do. Fail first: only a refusal shows that the registration counts.
    await webhook.register('Fail', 'refused');
    await webhook.register('Ignore', 'unmutated');
    await webhook.start();

    const began = performance.now();
    const creating = controlPlane.kubectl(
      ['create', '-f', '-'],
      JSON.stringify(pod({ namespace: 'shop', name: 'early', account: 'checkout' })),
    );
    await eventually({ what: 'the first answer of the webhook' }, async () => {
      return logLines(webhook).some((line) => line['reason'] === 'not-synced') ? true : undefined;
    });
    gate.open();
    await creating;
    report(`a pod created before the webhook was ready took ${(performance.now() - began).toFixed(0)} ms`);

    const stored: unknown = JSON.parse(await controlPlane.kubectl(['get', 'pod', 'early', '-n', 'shop', '-o', 'json']));
    expect(roleArnsOf(stored)).toEqual([roleFor('checkout')]);
    const decisions = logLines(webhook).filter((line) => line['pod'] === 'early');
    expect(decisions.at(0)).toMatchObject({ decision: 'unknown', reason: 'not-synced' });
    expect(decisions.at(-1)).toMatchObject({ decision: 'patch', reason: 'injected' });
  } finally {
    await webhook.stop();
    await gate.close();
  }
});

test('loses no role while the API server is restarted', async () => {
  const namespace = 'restart';
  await startWebhook({ controlPlane, failurePolicy: 'Fail' });
  await controlPlane.kubectl(['create', 'namespace', namespace]);
  const enough = new AbortController();
  const pods = createPodsPersistently({ api: controlPlane.api, namespace, until: enough.signal });
  const acceptedBefore: number[] = [];
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await sleep(500);
    acceptedBefore.push(pods.accepted.length);
    await controlPlane.restartApiServer(signal);
  }
  await sleep(500);
  enough.abort();
  await pods.done;

  const stored: unknown = JSON.parse(await controlPlane.kubectl(['get', 'pods', '-n', namespace, '-o', 'json']));
  expect(rolesByPod(stored)).toEqual(pods.accepted.toSorted().map((name) => [name, [roleFor(name)]]));
  const [first = 0, second = 0] = acceptedBefore;
  const phases = [first, second - first, pods.accepted.length - second];
  // Without pods before, between and after the restarts there was nothing to lose.
  expect(phases.map((accepted) => accepted > 0)).toEqual([true, true, true]);
  report(`pods accepted before, between and after two restarts: ${phases.join(', ')}`);
  report(`answers: ${[...pods.answers].map(([answer, times]) => `${answer} ${times}`).join(', ')}`);
});

// The webhook knows this account from its first list: only its watch can tell it of the change.
test('hears of changes after those restarts', async () => {
  const roleArn = roleFor('changed');
  const annotation = `eks.amazonaws.com/role-arn=${roleArn}`;
  await controlPlane.kubectl(['annotate', '--overwrite', '-n', 'shop', 'serviceaccount/checkout', annotation]);
  const changed = performance.now();
  await eventually({ what: 'the changed role', timeoutMs: 40_000 }, async () => {
    const path = '/api/v1/namespaces/shop/pods?dryRun=All';
    const body = pod({ namespace: 'shop', name: 'dry', account: 'checkout' });
    const answer = await controlPlane.api.call({ method: 'POST', path, body });
    return roleArnsOf(answer.body)[0] === roleArn ? true : undefined;
  });
  const tookMs = performance.now() - changed;
  const manifest = JSON.stringify(pod({ namespace: 'shop', name: 'after', account: 'checkout' }));
  await controlPlane.kubectl(['create', '-f', '-'], manifest);
  const stored: unknown = JSON.parse(await controlPlane.kubectl(['get', 'pod', 'after', '-n', 'shop', '-o', 'json']));
  expect(roleArnsOf(stored)).toEqual([roleArn]);
  report(`the changed role was injected ${tookMs.toFixed(0)} ms after the change`);
});
