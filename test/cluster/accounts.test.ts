// ServiceAccounts that have only just been made or changed: what the webhook's cache cannot know yet, its pods get.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { pod, roleArnsOf, roleFor, rolesByPod, serviceAccount } from './support/objects.ts';
import { report } from './support/report.ts';
import { startWebhook } from './support/webhook.ts';

const required = { 'eks.amazonaws.com/pod-identity-required': 'true' };

let controlPlane: ControlPlane;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  // Ignore is what hides a pod without its role: under Fail it would be refused.
  await startWebhook({ controlPlane, failurePolicy: 'Ignore' });
  await controlPlane.kubectl(['apply', '-f', join(import.meta.dirname, 'manifests/shop.yaml')]);
});

afterAll(async () => controlPlane.stop());

async function created(resource: 'serviceaccounts' | 'pods', namespace: string, body: object): Promise<unknown> {
  const answer = await controlPlane.api.call({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/${resource}`,
    body,
  });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

test('gives all of 200 pods their roles, each created as soon as its account is', async () => {
  const namespace = 'burst';
  await controlPlane.kubectl(['create', 'namespace', namespace]);
  const names = Array.from({ length: 200 }, (_each, index) => `account-${String(index).padStart(3, '0')}`);
  const began = performance.now();
  const queue = [...names];
  const gaps: number[] = [];
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      await created('serviceaccounts', namespace, serviceAccount({ namespace, name, roleArn: roleFor(name) }));
      const known = performance.now();
      const accepted = created('pods', namespace, pod({ namespace, name, account: name }));
      gaps.push(performance.now() - known);
      await accepted;
    }
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  const tookMs = performance.now() - began;
  const stored: unknown = JSON.parse(await controlPlane.kubectl(['get', 'pods', '-n', namespace, '-o', 'json']));
  expect(rolesByPod(stored)).toEqual(names.map((name) => [name, [roleFor(name)]]));
  report(
    `200 accounts and pods in ${tookMs.toFixed(0)} ms, at most ${Math.max(...gaps).toFixed(1)} ms between account and pod`,
  );
});

test('gives the new role after an account was deleted and made again', async () => {
  const { kubectl } = controlPlane;
  const account = { namespace: 'shop', name: 'reborn' };
  const roleAfter = async (roleArn: string, podName: string): Promise<string[]> => {
    await kubectl(['create', '-f', '-'], JSON.stringify(serviceAccount({ ...account, roleArn })));
    await kubectl(['create', '-f', '-'], JSON.stringify(pod({ namespace: 'shop', name: podName, account: 'reborn' })));
    return roleArnsOf(JSON.parse(await kubectl(['get', 'pod', podName, '-n', 'shop', '-o', 'json'])));
  };
  expect(await roleAfter(roleFor('first'), 'reborn-1')).toEqual([roleFor('first')]);
  await kubectl(['delete', 'serviceaccount', 'reborn', '-n', 'shop']);
  expect(await roleAfter(roleFor('second'), 'reborn-2')).toEqual([roleFor('second')]);
});

test('refuses a pod that demands an identity, until its account has one', async () => {
  const { kubectl, api } = controlPlane;
  const account = { namespace: 'shop', name: 'late' };
  await kubectl(['create', '-f', '-'], JSON.stringify(serviceAccount(account)));
  const demanding = pod({ namespace: 'shop', name: 'demanding', account: 'late', labels: required });
  await expect(kubectl(['create', '-f', '-'], JSON.stringify(demanding))).rejects.toMatchObject({
    message:
      'Error from server (Forbidden): error when creating "STDIN": admission webhook ' +
      '"pod-identity-webhook.amazonaws.com" denied the request: the pod\'s label ' +
      'eks.amazonaws.com/pod-identity-required demands an AWS identity, and it would get none: namespace shop, ' +
      'ServiceAccount late, reason no-role: the ServiceAccount names no IAM role; annotate it with ' +
      'eks.amazonaws.com/role-arn=<ARN of the role> and create the pod again',
  });
  await expect(kubectl(['get', 'pod', 'demanding', '-n', 'shop'])).rejects.toMatchObject({
    message: 'Error from server (NotFound): pods "demanding" not found',
  });

  // In the same breath: the webhook's watch cannot have told it, so it has to read the account anew.
  const annotated = await api.call({
    method: 'PATCH',
    path: '/api/v1/namespaces/shop/serviceaccounts/late',
    body: { metadata: { annotations: { 'eks.amazonaws.com/role-arn': roleFor('late') } } },
  });
  expect(annotated.status).toBe(200);
  await created('pods', 'shop', demanding);
  const stored: unknown = JSON.parse(await kubectl(['get', 'pod', 'demanding', '-n', 'shop', '-o', 'json']));
  expect(roleArnsOf(stored)).toEqual([roleFor('late')]);
});
