// The webhook as its users install it: by helm, and by kubectl from plain manifests, beside the webhook that EKS brings.
// It works as soon as the installation says that it is done, and nothing of it is left when it is uninstalled.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import { eventually } from '../cluster/support/eventually.ts';
import { roleArnsOf, roleFor, serviceAccount } from '../cluster/support/objects.ts';
import { report } from '../cluster/support/report.ts';
import type { HelmName } from '../chart/support/helm.ts';
import { missingForCluster, openCluster } from './support/cluster.ts';
import type { Cluster } from './support/cluster.ts';
import { createEksWebhook } from './support/eks-webhook.ts';
import type { EksWebhook } from './support/eks-webhook.ts';
import { everything } from './support/everything.ts';
import { manifestsOf } from './support/installation.ts';
import { createPlainInstallation } from './support/plain-installation.ts';
import { createRelease } from './support/release.ts';
import { createWorkloads } from './support/workload.ts';
import type { Workloads } from './support/workload.ts';

const missing = missingForCluster();
const describeCluster = missing === undefined ? describe : describe.skip;

const namespace = 'installed-shop';
const home = 'pod-identity-webhook';
const tokenFile = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';
/** What a cluster puts into every namespace. */
const ofTheNamespace = [`ConfigMap/${home}/kube-root-ca.crt`, `Namespace/${home}`, `ServiceAccount/${home}/default`];

describeCluster(`installed${missing === undefined ? '' : ` (not run: this machine ${missing})`}`, () => {
  let cluster: Cluster;
  let eks: EksWebhook;
  let workloads: Workloads;
  let before: string[];

  beforeAll(async () => {
    cluster = await openCluster();
    const { kubectl, image } = cluster;
    const account = serviceAccount({ namespace, name: 'checkout', roleArn: roleFor('checkout') });
    await kubectl(['apply', '-f', '-'], manifestsOf([namespaceOf(namespace), account]));
    eks = await createEksWebhook(kubectl);
    workloads = createWorkloads({ kubectl, image });
    before = await everything(kubectl);
  });

  afterAll(async () => {
    await eks?.remove();
    await cluster?.kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=60s']);
    cluster?.close();
  });

  /** Creates pods by a dry run; their roles, in the order in which they were stored. */
  async function rolesRightNow(count: number): Promise<string[][]> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'right-now', namespace },
      spec: { serviceAccountName: 'checkout', containers: [{ name: 'app', image: 'registry.example/app:1' }] },
    };
    const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
    const answers = Array.from({ length: count }, async () => cluster.call('POST', path, pod));
    return (await Promise.all(answers)).map(({ body }) => roleArnsOf(body));
  }

  /** The Service's new addresses reach the API server's node a moment later: on an idle machine within half a second. */
  async function worksSoonAfter(what: string): Promise<boolean> {
    const beganAt = performance.now();
    const patience = { what: 'every pod to get its identity', timeoutMs: 10_000, intervalMs: 250 };
    const all = Array.from({ length: 20 }, () => [roleFor('checkout')]);
    const works = await eventually(patience, async () => {
      return JSON.stringify(await rolesRightNow(20)) === JSON.stringify(all) ? true : undefined;
    });
    report(`${what}: works after ${Math.round(performance.now() - beganAt)} ms`);
    return works;
  }

  async function left(): Promise<string[]> {
    const ids = await everything(cluster.kubectl);
    return ids.filter((id) => !before.includes(id));
  }

  /** Resolves with what is left once it is that, or after a minute with what else is left. */
  async function leftInTheEnd(expected: readonly string[]): Promise<string[]> {
    const patience = { what: 'everything to be gone', timeoutMs: 60_000, intervalMs: 1_000 };
    return eventually(patience, async () => {
      const ids = await left();
      return JSON.stringify(ids) === JSON.stringify(expected) ? ids : undefined;
    }).catch(left);
  }

  function pods(name: string): void {
    test('a pod that does not run as root reads a token of the right audience', async () => {
      const securityContext = { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000 };
      const identity = await workloads.run({ name, namespace, account: 'checkout', securityContext });
      expect({ environment: withoutRegion(identity.environment), token: identity.token }).toEqual({
        environment: { AWS_ROLE_ARN: roleFor('checkout'), AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile },
        token: {
          aud: ['sts.amazonaws.com'],
          sub: `system:serviceaccount:${namespace}:checkout`,
          iss: await issuerOf(cluster),
        },
      });
    });
  }

  describe.each<HelmName>(['helm3', 'helm4'])('by %s', (helm) => {
    let release: ReturnType<typeof createRelease>;
    beforeAll(async () => {
      const { kubeconfig, image } = cluster;
      release = createRelease({ helm, kubeconfig, image, name: home, namespace: home });
      await release.install();
    });

    test('it works once helm install --wait ends', async () => {
      expect(await worksSoonAfter(`${helm} install`)).toBe(true);
    });

    pods(`by-${helm}`);

    test('helm test finds nothing wrong', async () => {
      expect(await release.test()).toMatch(/^Phase:\s+Succeeded$/m);
    });

    test('an upgrade with another value is rolled out, and EKS’s webhook is as it was', async () => {
      await release.upgrade({ logging: { level: 'debug' } });
      const list: unknown = JSON.parse(await cluster.kubectl(['get', 'deployment', '-n', home, '-o', 'json']));
      const [deployment] = ownList(list, 'items');
      const template = ownField(ownField(ownField(deployment, 'spec'), 'template'), 'spec');
      const [container] = ownList(template, 'containers');
      expect(ownList(container, 'args').filter((argument) => String(argument).startsWith('--log-level'))).toEqual([
        '--log-level=debug',
      ]);
      expect(await rolesRightNow(20)).toEqual(Array.from({ length: 20 }, () => [roleFor('checkout')]));
      expect(await eks.bytes()).toBe(eks.created);
    });

    test('an uninstall leaves nothing behind, and EKS’s webhook is as it was', async () => {
      await workloads.remove({ name: `by-${helm}`, namespace });
      await release.uninstall();
      expect(await leftInTheEnd(ofTheNamespace)).toEqual(ofTheNamespace);
      expect(await eks.bytes()).toBe(eks.created);
      await cluster.kubectl(['delete', 'namespace', home, '--timeout=60s']);
      expect(await leftInTheEnd([])).toEqual([]);
    });
  });

  describe('by kubectl apply -k', () => {
    let plain: ReturnType<typeof createPlainInstallation>;
    beforeAll(async () => {
      plain = createPlainInstallation(cluster);
      await plain.apply();
      await cluster.kubectl(['rollout', 'status', `deployment/${home}`, '-n', home, '--timeout=90s']);
    });

    test('it works once the rollout ends', async () => {
      expect(await worksSoonAfter('kubectl apply -k')).toBe(true);
    });

    pods('by-kubectl');

    test('applied once more, it goes on working, and EKS’s webhook is as it was', async () => {
      await plain.apply();
      expect(await rolesRightNow(20)).toEqual(Array.from({ length: 20 }, () => [roleFor('checkout')]));
      expect(await eks.bytes()).toBe(eks.created);
    });

    test('kubectl delete -k leaves nothing behind, and EKS’s webhook is as it was', async () => {
      await workloads.remove({ name: 'by-kubectl', namespace });
      await plain.remove();
      expect(await leftInTheEnd([])).toEqual([]);
      expect(await eks.bytes()).toBe(eks.created);
    });
  });
});

function namespaceOf(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

async function issuerOf({ kubectl }: Pick<Cluster, 'kubectl'>): Promise<string | undefined> {
  return ownString(JSON.parse(await kubectl(['get', '--raw', '/.well-known/openid-configuration'])), 'issuer');
}

/** On AWS the webhook knows the region, elsewhere it does not. */
function withoutRegion(environment: unknown): object {
  const variables = Object.entries(environment ?? {}).filter(([name]) => !/REGION/.test(name));
  return Object.fromEntries(variables);
}
