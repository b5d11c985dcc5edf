// What is stored while one side is away: the webhook that has not heard from the API server yet, and the API server
// that ends and comes back while pods are being created.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { eventually } from './support/eventually.ts';
import { createGate } from './support/gate.ts';
import { pod, roleArnsOf, roleFor, rolesByPod, serviceAccount } from './support/objects.ts';
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

test('loses no role while the API server is restarted, and hears of changes afterwards', async () => {
  const namespace = 'restart';
  await startWebhook({ controlPlane, failurePolicy: 'Fail' });
  await controlPlane.kubectl(['create', 'namespace', namespace]);
  const counts = new Map<string, number>();
  const count = (what: string): unknown => counts.set(what, (counts.get(what) ?? 0) + 1);

  // An answer may get lost after its object was stored: 409 is a success then.
  const persistently = async (resource: 'serviceaccounts' | 'pods', body: object): Promise<void> => {
    const path = `/api/v1/namespaces/${namespace}/${resource}`;
    await eventually({ what: `${resource} to be accepted`, timeoutMs: 60_000 }, async () => {
      try {
        const { status } = await controlPlane.api.call({ method: 'POST', path, body });
        count(`${resource} ${status}`);
        return status === 201 || status === 409 ? true : undefined;
      } catch (error) {
        count(`${resource} without answer`);
        throw error;
      }
    });
  };

  const accepted: string[] = [];
  const restarted = new AbortController();
  const worker = async (workerName: string): Promise<void> => {
    for (let index = 0; !restarted.signal.aborted; index += 1) {
      const name = `${workerName}-${String(index).padStart(4, '0')}`;
      await persistently('serviceaccounts', serviceAccount({ namespace, name, roleArn: roleFor(name) }));
      await persistently('pods', pod({ namespace, name, account: name }));
      accepted.push(name);
      // The machine's cores belong to the API server in the first place.
      await sleep(20);
    }
  };
  const restarts = async (): Promise<void> => {
    await sleep(500);
    await controlPlane.restartApiServer('SIGTERM');
    await sleep(500);
    await controlPlane.restartApiServer('SIGKILL');
    await sleep(500);
    restarted.abort();
  };
  await Promise.all([restarts(), worker('a'), worker('b'), worker('c')]);

  const stored: unknown = JSON.parse(await controlPlane.kubectl(['get', 'pods', '-n', namespace, '-o', 'json']));
  expect(rolesByPod(stored)).toEqual(accepted.toSorted().map((name) => [name, [roleFor(name)]]));
  report(
    `${accepted.length} pods over two restarts: ${[...counts].map(([what, times]) => `${what} ${times}`).join(', ')}`,
  );

  // The account is in the cache: only its watch can tell the webhook of the change.
  const changed = performance.now();
  await controlPlane.kubectl([
    'annotate',
    '--overwrite',
    '-n',
    'shop',
    'serviceaccount/checkout',
    `eks.amazonaws.com/role-arn=${roleFor('changed')}`,
  ]);
  await eventually({ what: 'the changed role', timeoutMs: 40_000 }, async () => {
    const path = '/api/v1/namespaces/shop/pods?dryRun=All';
    const body = pod({ namespace: 'shop', name: 'dry', account: 'checkout' });
    const answer = await controlPlane.api.call({ method: 'POST', path, body });
    return roleArnsOf(answer.body)[0] === roleFor('changed') ? true : undefined;
  });
  report(`the changed role was injected ${(performance.now() - changed).toFixed(0)} ms after the change`);
});
