// A webhook that is about to be disturbed, and a namespace whose pods need it all the while.
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../cluster/support/eventually.ts';
import { roleArnsOf, roleFor, serviceAccount } from '../../cluster/support/objects.ts';
import { openCluster } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { trustedCas } from './faults.ts';
import { manifestsOf } from './installation.ts';
import { whilePodsAreCreated } from './pod-stream.ts';
import type { Outcome } from './pod-stream.ts';
import { createRelease } from './release.ts';
import type { Release } from './release.ts';
import { createReplicas } from './replicas.ts';
import type { Replica, Replicas } from './replicas.ts';

export interface Disturbance {
  readonly cluster: Cluster;
  readonly release: Release;
  readonly replicas: Replicas;
  /** Of Deployment, Service and, with `-self-signed`, the Secret. */
  readonly name: string;
  /** In the webhook's namespace. */
  kubectl(...words: readonly string[]): Promise<string>;
  /** Creates pods while that happens. */
  during(happening: string, happens: () => Promise<unknown>): Promise<Outcome>;
  /** The replica that the API server calls. */
  busiest(): Promise<Replica>;
  /** Resolves when each replica has signed itself a certificate after this call. */
  newLeaves(): Promise<void>;
  /** The CAs in all entries of the webhook configuration, the one that signs first. */
  cas(): Promise<readonly string[]>;
  /** Resolves when those hold. */
  casBecome(what: string, hold: (cas: readonly string[]) => boolean): Promise<void>;
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}

const namespace = 'busy-shop';
const home = 'disturbed-webhook';
const name = 'pod-identity-webhook';
const accounts = ['cart', 'checkout', 'orders', 'search', 'stock'];

export async function startDisturbance(): Promise<Disturbance> {
  const cluster = await openCluster();
  const { kubeconfig, kubectl, image } = cluster;
  // The shortest life of a certificate that there is: a new one every 40 s.
  const values = { tls: { selfSigned: { leafLifetime: '1m' } } };
  const release = createRelease({ helm: 'helm4', kubeconfig, image, name, namespace: home, values });
  const replicas = createReplicas({ cluster, namespace: home, name });

  const counted = async (each: readonly Replica[], message: string): Promise<number[]> =>
    Promise.all(each.map((replica) => replicas.logged(replica, message)));

  /** Resolves when the API server calls the webhook. */
  async function called(): Promise<void> {
    const spec = { serviceAccountName: 'cart', containers: [{ name: 'app', image: 'registry.example/app:1' }] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'first', namespace }, spec };
    await eventually({ what: 'a first identity', timeoutMs: 30_000, intervalMs: 200 }, async () => {
      const { body } = await cluster.call('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
      return roleArnsOf(body).length > 0 ? true : undefined;
    });
  }

  async function close(): Promise<void> {
    await release.uninstall().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
    await kubectl(['delete', 'namespace', namespace, home, '--ignore-not-found', '--timeout=90s']);
    cluster.close();
  }

  const cas = async (): Promise<readonly string[]> => trustedCas(cluster, `${name}.${home}`);
  const objects = accounts.map((account) => serviceAccount({ namespace, name: account, roleArn: roleFor(account) }));
  const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  try {
    await kubectl(['apply', '-f', '-'], manifestsOf([shop, ...objects]));
    await release.install();
    await replicas.settled();
    await called();
  } catch (error) {
    await close();
    throw error;
  }

  return {
    cluster,
    release,
    replicas,
    name,
    kubectl: async (...words) => kubectl([...words, `--namespace=${home}`]),
    during: async (happening, happens) => whilePodsAreCreated({ cluster, namespace, accounts }, happening, happens),
    busiest: async () => {
      const both = await replicas.settled();
      const before = await counted(both, 'decided');
      await sleep(1_000);
      const grown = (await counted(both, 'decided')).map((count, index) => count - (before[index] ?? 0));
      const found = both[grown.indexOf(Math.max(...grown))];
      if (found === undefined) throw new Error('There is no replica.');
      return found;
    },
    newLeaves: async () => {
      const signed = 'certificate signed by our own CA';
      const both = await replicas.settled();
      const before = await counted(both, signed);
      await eventually({ what: 'new certificates', timeoutMs: 90_000, intervalMs: 1_000 }, async () => {
        const now = await counted(both, signed);
        return now.every((count, index) => count > (before[index] ?? 0)) ? true : undefined;
      });
    },
    cas,
    casBecome: async (what, hold) => {
      await eventually({ what, timeoutMs: 240_000, intervalMs: 500 }, async () =>
        hold(await cas()) ? true : undefined,
      );
    },
    close,
  };
}
