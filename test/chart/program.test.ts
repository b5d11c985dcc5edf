// The program with the arguments and the rights that the chart gives it, every source and the audit on: what it needs it
// has, and what it writes goes with the release.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import { kubeconfigOf } from '../cluster/support/control-plane.ts';
import { eventually } from '../cluster/support/eventually.ts';
import { freePort } from '../cluster/support/ports.ts';
import type { Child } from '../cluster/support/workspace.ts';
import type { ChartCluster } from './support/cluster.ts';
import { startChartCluster } from './support/cluster.ts';
import { NAME, ROOT } from './support/helm.ts';

const values = {
  roleConfigMap: { enabled: true, entries: { 'shop/cart': { RoleARN: 'arn:aws:iam::111122223333:role/cart' } } },
  namespacePolicy: true,
  audit: { interval: '1s' },
  aws: { region: 'eu-central-1' },
};
const release = { release: NAME, namespace: NAME, values };

let cluster: ChartCluster;
let before: string[];
let child: Child;
let metricsPort: number;

beforeAll(async () => {
  cluster = await startChartCluster();
  before = await cluster.everything();
  cluster.install('helm4', release);
  const deployment = await cluster.stored('deployment', NAME, '-n', NAME);
  const podSpec = ownField(ownField(ownField(deployment, 'spec'), 'template'), 'spec');
  const args = ownList(ownList(podSpec, 'containers')[0], 'args').map(String);
  const token = (await cluster.kubectl(['create', 'token', NAME, '-n', NAME])).trim();
  const kubeconfig = join(cluster.workspace.directory, 'chart.kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf({ url: cluster.url, caPem: cluster.caPem, user: { token } }));
  metricsPort = await freePort();
  // The last one of a flag counts: what differs from a pod is where it listens, and how it finds the API server.
  const here = [`--port=${await freePort()}`, `--metrics-port=${metricsPort}`, '--bind-address=127.0.0.1'];
  child = cluster.workspace.start({
    name: 'pod-identity-webhook',
    command: process.execPath,
    args: [join(ROOT, 'dist/main.js'), ...args, ...here, `--kubeconfig=${kubeconfig}`, '--shutdown-delay=0s'],
  });
});

afterAll(async () => cluster.stop());

describe('the program as the chart starts it', () => {
  test('gets ready, with every condition', async () => {
    const text = await eventually({ what: 'readiness', timeoutMs: 60_000, running: child.running }, async () => {
      const response = await fetch(`http://127.0.0.1:${metricsPort}/readyz?verbose`);
      const said = await response.text();
      if (response.status !== 200) throw new Error(said);
      return said;
    });
    const conditions = text.split('\n').filter((line) => line.startsWith('['));
    expect(conditions.filter((line) => !line.startsWith('[+]'))).toEqual([]);
    expect(conditions).not.toEqual([]);
  });

  test('fills the Secret, and sets the caBundle of every entry past the fence', async () => {
    const configuration = await cluster.stored('mutatingwebhookconfigurations', `${NAME}.${NAME}`);
    const bundles = ownList(configuration, 'webhooks').map(
      (entry) => ownString(ownField(entry, 'clientConfig'), 'caBundle') ?? '',
    );
    expect(bundles).toHaveLength(4);
    expect(new Set(bundles).size).toBe(1);
    expect(Buffer.from(bundles[0] ?? '', 'base64').toString()).toMatch(/^-----BEGIN CERTIFICATE-----/);
    const secret = await cluster.stored('secret', `${NAME}-self-signed`, '-n', NAME);
    expect(Object.keys(ownField(secret, 'data') ?? {})).not.toEqual([]);
  });

  test('holds the Lease, which was rendered without a holder, and audits', async () => {
    await eventually({ what: 'an audit', timeoutMs: 30_000, running: child.running }, async () =>
      child.stdout().includes('"stored pods audited"') ? true : undefined,
    );
    const lease = await cluster.stored('lease', `${NAME}-audit`, '-n', NAME);
    expect(ownString(ownField(lease, 'spec'), 'holderIdentity')).toEqual(expect.any(String));
  });

  test('is forbidden nothing', () => {
    expect(child.stderr()).toBe('');
    expect(
      child
        .stdout()
        .split('\n')
        .filter((line) => /forbidden|\b403\b/i.test(line)),
    ).toEqual([]);
  });

  test('leaves nothing behind, whatever it has written', async () => {
    cluster.upgrade('helm4', { ...release, values: { ...values, logging: { level: 'debug' } } });
    const configuration = await cluster.stored('mutatingwebhookconfigurations', `${NAME}.${NAME}`);
    const [entry] = ownList(configuration, 'webhooks');
    expect(ownString(ownField(entry, 'clientConfig'), 'caBundle')).toEqual(expect.any(String));
    await child.stop();
    cluster.uninstall('helm4', release);
    expect(await cluster.everything()).toEqual(before);
  });
});
