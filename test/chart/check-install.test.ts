// What helm test runs, with the rights and arguments of its hook, against a real API server and the real webhook.
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ownField, ownList } from '../../src/admission/json.ts';
import { kubeconfigOf } from '../cluster/support/control-plane.ts';
import { eventually } from '../cluster/support/eventually.ts';
import { createWebhook } from '../cluster/support/webhook.ts';
import type { Webhook } from '../cluster/support/webhook.ts';
import { createAuthority } from '../support/certificates.ts';
import type { ChartCluster } from './support/cluster.ts';
import { startChartCluster } from './support/cluster.ts';
import { NAME, objectsOf, render, ROOT } from './support/helm.ts';

const CONFIGURATION = `${NAME}.${NAME}`;
const OBJECT = `MutatingWebhookConfiguration "${CONFIGURATION}"`;
/** Of the one entry that test/cluster registers. */
const ENTRY = `${NAME}.amazonaws.com`;
const hook = objectsOf(render({ only: ['templates/tests/check-install.yaml'] }));

let cluster: ChartCluster;
let webhook: Webhook;
let kubeconfig: string;

beforeAll(async () => {
  cluster = await startChartCluster();
  const { kubectl, workspace, url, caPem } = cluster;
  webhook = await createWebhook({ controlPlane: cluster });
  const rights = { apiVersion: 'v1', kind: 'List', items: hook.filter(({ kind }) => kind !== 'Pod') };
  await kubectl(['apply', '-f', '-'], JSON.stringify(rights));
  const token = (await kubectl(['create', 'token', `${NAME}-check`, '-n', NAME])).trim();
  kubeconfig = join(workspace.directory, 'check.kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf({ url, caPem, user: { token } }));
});

afterAll(async () => cluster.stop());

interface Said {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

async function check(): Promise<Said> {
  const [container] = ownList(
    ownField(
      hook.find(({ kind }) => kind === 'Pod'),
      'spec',
    ),
    'containers',
  );
  const args = ownList(container, 'args').map(String);
  const child = spawn(process.execPath, [join(ROOT, 'dist/main.js'), ...args, `--kubeconfig=${kubeconfig}`], {
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exit: await exit, out, err };
}

/** Until the API server goes by the configuration that was just written. */
async function problem(start: string): Promise<string> {
  return eventually({ what: `check-install to say "${start}"` }, async () => {
    const { exit, out, err } = await check();
    if (exit !== 1 || out !== '') throw new Error(`exit ${String(exit)}: ${out}${err}`);
    if (!err.startsWith(start)) throw new Error(err);
    return err;
  });
}

async function patchEntry(operation: object): Promise<void> {
  const args = ['patch', 'mutatingwebhookconfigurations', CONFIGURATION, '--type=json', '-p'];
  await cluster.kubectl([...args, JSON.stringify([operation])]);
}

describe('check-install with the rights of the hook', () => {
  test('says that there is no configuration', async () => {
    expect(await check()).toEqual({
      exit: 1,
      out: '',
      err: `${OBJECT} does not exist, so the webhook is never called: install the chart again, or name the right one by --webhook-configuration\n`,
    });
  });

  test('says which role a pod gets, once the webhook answers', async () => {
    await webhook.start();
    await webhook.ready();
    await webhook.register('Fail', 'mutated');
    expect(await check()).toEqual({
      exit: 0,
      out: `a pod of ServiceAccount ${NAME}/${NAME}-check gets AWS_ROLE_ARN=arn:aws:iam::111122223333:role/check-install\n`,
      err: '',
    });
    // It was a dry run.
    expect(await cluster.kubectl(['get', 'pods', '-A', '-o', 'name'])).toBe('');
  });

  test('says that no entry takes the pod', async () => {
    await patchEntry({ op: 'add', path: '/webhooks/0/namespaceSelector', value: { matchLabels: { a: 'b' } } });
    expect(await problem('the webhook was not called')).toBe(
      `the webhook was not called: no entry of ${OBJECT} matches pods of namespace "${NAME}": look at webhook.namespaceSelector, objectSelector, excludedNamespaces and matchConditions\n`,
    );
    await patchEntry({ op: 'remove', path: '/webhooks/0/namespaceSelector' });
  });

  test('says that the caBundle is another one’s', async () => {
    const other = Buffer.from((await createAuthority()).caPem).toString('base64');
    await patchEntry({ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: other });
    expect(await problem('the caBundle does not fit')).toMatch(
      `the caBundle does not fit the certificate that the webhook serves; see its log, or wait for a rotation to end: the API server could not call "${ENTRY}": `,
    );
  });

  test('says that the caBundle is missing', async () => {
    await patchEntry({ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' });
    expect(await problem('entry')).toBe(
      `entry "${ENTRY}" of ${OBJECT} has no caBundle, so the API server does not trust the webhook: ` +
        "the log of the webhook (tls.mode self-signed) or of cert-manager's cainjector (tls.mode cert-manager) says why\n",
    );
  });

  test('says that the webhook is away', async () => {
    await webhook.register('Fail', 'mutated');
    await webhook.stop();
    expect(await problem('no pod of the webhook is ready')).toMatch(/connect: connection refused\n$/);
  });

  test('says that it may not create pods', async () => {
    await cluster.kubectl(['delete', 'rolebinding', `${NAME}-check`, '-n', NAME]);
    expect(await problem('this check may not create pods')).toMatch(
      `this check may not create pods in namespace "${NAME}": pods is forbidden: User "system:serviceaccount:${NAME}:${NAME}-check" cannot create resource "pods"`,
    );
  });
});
