// What the webhook may not read, or does not know yet: who is held back by that, who is not, and how it ends without a
// restart.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { eventually } from './support/eventually.ts';
import type { StoredIdentity } from './support/identities.ts';
import { identityOf, noIdentity, roleIdentity } from './support/identities.ts';
import type { FakeInstanceMetadata } from './support/instance-metadata.ts';
import { createInstanceMetadata } from './support/instance-metadata.ts';
import { pod, roleFor, serviceAccount } from './support/objects.ts';
import { createWebhook, grant, logLines } from './support/webhook.ts';
import type { Webhook } from './support/webhook.ts';

/** How long a pod that is held back waits in vain. */
const timeoutSeconds = 2;
const heldBack = expect.stringMatching(
  /^Error from server \(InternalError\): .* failed calling webhook "pod-identity-webhook\.amazonaws\.com"/,
);

let controlPlane: ControlPlane;
let metadata: FakeInstanceMetadata;
let webhook: Webhook | undefined;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  metadata = await createInstanceMetadata();
});

afterEach(async () => webhook?.stop());

afterAll(async () => {
  await metadata.close();
  await controlPlane.stop();
});

/** Its pods have accounts; it is neither started nor registered. */
async function webhookWith(flags: readonly string[]): Promise<Webhook> {
  webhook = await createWebhook({ controlPlane, flags, timeoutSeconds });
  await controlPlane.kubectl(['apply', '-f', join(import.meta.dirname, 'manifests/sources.yaml')]);
  return webhook;
}

/** `account` as namespace/name. Rejects with what kubectl says where the pod is refused. */
async function identityOfNewPod(account: string, podName: string): Promise<StoredIdentity> {
  const [namespace = '', name = ''] = account.split('/');
  const manifest = pod({ namespace, name: podName, account: name });
  await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(manifest));
  return identityOf(JSON.parse(await controlPlane.kubectl(['get', 'pod', podName, '-n', namespace, '-o', 'json'])));
}

async function isStored(namespace: string, podName: string): Promise<boolean> {
  return (await controlPlane.kubectl(['get', 'pod', podName, '-n', namespace, '--ignore-not-found'])) !== '';
}

async function logged(running: Webhook, message: string): Promise<void> {
  await eventually({ what: `the line "${message}"` }, async () => {
    return logLines(running).some(({ msg }) => msg === message) ? true : undefined;
  });
}

// Both at once, because what takes time here is waiting until the webhook tries again.
test('without the ConfigMap and without the AWS account, only the pods that need one of them do not get their role', async () => {
  const short = { namespace: 'shop', name: 'short', roleArn: 'team/app' };
  const running = await webhookWith(['--watch-config-map', '--compose-role-arn', `--imds-endpoint=${metadata.url}`]);
  await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(serviceAccount(short)));
  await running.start();
  await running.ready();
  await running.register('Fail', 'mutated');
  expect(await identityOfNewPod('shop/by-annotation', 'annotated')).toEqual(roleIdentity(roleFor('annotation')));
  expect(await identityOfNewPod('shop/by-exact-key', 'unread')).toEqual(noIdentity());
  await expect(identityOfNewPod('shop/short', 'early')).rejects.toMatchObject({ message: heldBack });
  expect(await isStored('shop', 'early')).toBe(false);
  const decisions = logLines(running).filter((line) => line['pod'] === 'early');
  expect(new Set(decisions.map(({ decision, reason }) => `${String(decision)} ${String(reason)}`))).toEqual(
    new Set(['unknown account-id-unknown']),
  );
  const errors = logLines(running).filter(({ level }) => level === 'error');
  expect(errors.map(({ msg, resource, fix }) => ({ msg, resource, fix }))).toEqual([
    { msg: 'may not be read', resource: 'configmaps', fix: 'grant get, list and watch on configmaps' },
  ]);
  expect(metadata.refusals()).toBeGreaterThan(0);

  metadata.answerFromNowOn();
  await grant(controlPlane, 'may-read-config-map');
  await logged(running, 'account and region known from the instance metadata');
  await logged(running, 'ConfigMap read');
  expect(await identityOfNewPod('shop/short', 'late')).toEqual(
    roleIdentity('arn:aws-cn:iam::444455556666:role/team/app'),
  );
  expect(await identityOfNewPod('shop/by-exact-key', 'read')).toEqual(roleIdentity(roleFor('exact-key')));
});

test('where namespaces may not be read, no pod has a role that its namespace could forbid', async () => {
  const running = await webhookWith(['--namespace-policy']);
  // Before it runs, a refusal takes no time.
  await running.register('Fail', 'refused');
  await running.start();
  await expect(identityOfNewPod('guarded/admin', 'admin')).rejects.toMatchObject({ message: heldBack });
  expect(await isStored('guarded', 'admin')).toBe(false);
  const decisions = logLines(running).filter((line) => line['pod'] === 'admin');
  expect(new Set(decisions.map(({ decision }) => decision))).toEqual(new Set(['unknown']));
  const { status, text } = await running.readyz();
  expect([status, text.split('\n').filter((line) => line.startsWith('[-]'))]).toEqual([
    503,
    ['[-]namespaces failed: not listed from the API server yet; see the log for why'],
  ]);

  await grant(controlPlane, 'may-read-namespaces');
  await running.ready();
  await running.register('Fail', 'mutated');
  expect(await identityOfNewPod('guarded/team', 'team')).toEqual(roleIdentity(roleFor('team/app')));
  expect(await identityOfNewPod('guarded/admin', 'forbidden')).toEqual(noIdentity());
});
