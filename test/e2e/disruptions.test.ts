// What happens to a webhook in its life while pods are created ten times a second: what an administrator does costs no
// pod its identity; what breaks costs no pod that says that it needs one, and of the others only those of that moment.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../cluster/support/eventually.ts';
import { roleArnsOf, roleFor, serviceAccount } from '../cluster/support/objects.ts';
import { missingForCluster, missingForDraining, missingForEntering, openCluster } from './support/cluster.ts';
import type { Cluster } from './support/cluster.ts';
import { cutFromApiServer, killContainer, trustedCas } from './support/faults.ts';
import { manifestsOf } from './support/installation.ts';
import { whilePodsAreCreated } from './support/pod-stream.ts';
import type { CreatedPod, Outcome } from './support/pod-stream.ts';
import { createRelease } from './support/release.ts';
import type { Release } from './support/release.ts';
import { createReplicas } from './support/replicas.ts';
import type { Replica, Replicas } from './support/replicas.ts';

const missing = missingForCluster();
const describeCluster = missing === undefined ? describe : describe.skip;
const notEntered = missingForEntering();
const describeEntering = notEntered === undefined ? describe : describe.skip;
const notDrained = missing ?? missingForDraining();
const describeDraining = notDrained === undefined ? describe : describe.skip;

const namespace = 'busy-shop';
const home = 'disturbed-webhook';
const name = 'pod-identity-webhook';
const accounts = ['cart', 'checkout', 'orders', 'search', 'stock'];
const nothing = { without: [], refused: [] };
const signed = 'certificate signed by our own CA';
/** kube-proxy, and a machine that is busy: how long calls may still go to an address that the Service no longer has. */
const PROXY_MS = 2_500;

describeCluster(`disturbed${missing === undefined ? '' : ` (not run: this machine ${missing})`}`, () => {
  let cluster: Cluster;
  let release: Release;
  let replicas: Replicas;

  beforeAll(async () => {
    cluster = await openCluster();
    const { kubeconfig, kubectl, image } = cluster;
    const objects = accounts.map((account) => serviceAccount({ namespace, name: account, roleArn: roleFor(account) }));
    const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    await kubectl(['apply', '-f', '-'], manifestsOf([shop, ...objects]));
    // The shortest life of a certificate that there is: a new one every 40 s.
    const values = { tls: { selfSigned: { leafLifetime: '1m' } } };
    release = createRelease({ helm: 'helm4', kubeconfig, image, name, namespace: home, values });
    await release.install();
    replicas = createReplicas({ cluster, namespace: home, name });
    await replicas.settled();
    await called();
  });

  afterAll(async () => {
    await release?.uninstall();
    await cluster?.kubectl(['delete', 'namespace', namespace, home, '--ignore-not-found', '--timeout=90s']);
    cluster?.close();
  });

  /** Resolves when the API server calls the webhook. */
  async function called(): Promise<void> {
    const spec = { serviceAccountName: 'cart', containers: [{ name: 'app', image: 'registry.example/app:1' }] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'first', namespace }, spec };
    await eventually({ what: 'a first identity', timeoutMs: 30_000, intervalMs: 200 }, async () => {
      const { body } = await cluster.call('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
      return roleArnsOf(body).length > 0 ? true : undefined;
    });
  }

  async function during(happening: string, happens: () => Promise<unknown>): Promise<Outcome> {
    return whilePodsAreCreated({ cluster, namespace, accounts }, happening, happens);
  }

  /** The pods that did not get their identity at once. */
  async function cost(happening: string, happens: () => Promise<unknown>): Promise<Partial<Outcome>> {
    const { without, refused } = await during(happening, happens);
    return { without, refused };
  }

  async function first(): Promise<Replica> {
    const [replica] = await replicas.settled();
    if (replica === undefined) throw new Error('There is no replica.');
    return replica;
  }

  /** The replica that the API server has its connection to. */
  async function busiest(): Promise<Replica> {
    const both = await replicas.settled();
    const decided = async (): Promise<number[]> => Promise.all(both.map((each) => replicas.logged(each, 'decided')));
    const before = await decided();
    await sleep(1_000);
    const after = await decided();
    const grown = after.map((count, index) => count - (before[index] ?? 0));
    const found = both[grown.indexOf(Math.max(...grown))];
    if (found === undefined) throw new Error('There is no replica.');
    return found;
  }

  /** Resolves when each replica has signed itself a certificate after this call. */
  async function newLeaves(): Promise<void> {
    const before = await Promise.all(
      (await replicas.settled()).map(async (each) => [each, await replicas.logged(each, signed)] as const),
    );
    for (const [replica, count] of before) {
      const patience = { what: `a new certificate of ${replica.name}`, timeoutMs: 90_000, intervalMs: 1_000 };
      await eventually(patience, async () => ((await replicas.logged(replica, signed)) > count ? true : undefined));
    }
  }

  async function casBecome(what: string, hold: (cas: readonly string[]) => boolean): Promise<void> {
    await eventually({ what, timeoutMs: 240_000, intervalMs: 500 }, async () =>
      hold(await trustedCas(cluster, `${name}.${home}`)) ? true : undefined,
    );
  }

  test('a rolling restart', async () => {
    const lost = await cost('rolling restart', async () => {
      await cluster.kubectl(['rollout', 'restart', `deployment/${name}`, '-n', home]);
      await cluster.kubectl(['rollout', 'status', `deployment/${name}`, '-n', home, '--timeout=120s']);
      await replicas.settled();
    });
    expect(lost).toEqual(nothing);
  });

  test('a rolling upgrade with another value', async () => {
    const lost = await cost('rolling upgrade', async () => {
      await release.upgrade({ logging: { level: 'debug' } });
      await replicas.settled();
    });
    expect(lost).toEqual(nothing);
  });

  test('one replica after the other is evicted under the PodDisruptionBudget, as a drain of their nodes does it', async () => {
    const lost = await cost('eviction', async () => {
      for (const replica of await replicas.settled()) await replicas.evict(replica);
      await replicas.settled();
    });
    expect(lost).toEqual(nothing);
  });

  describeDraining(`where a node can be drained${because(notDrained)}`, () => {
    test('the nodes of the replicas are drained', async () => {
      const lost = await cost('drain', async () => {
        for (const node of new Set((await replicas.settled()).map((replica) => replica.node))) {
          await cluster.kubectl(['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s']);
          await cluster.kubectl(['uncordon', node]);
        }
        await replicas.settled();
      });
      expect(lost).toEqual(nothing);
    });
  });

  test('every replica gets a new certificate', async () => {
    expect(await cost('new certificates', newLeaves)).toEqual(nothing);
  });

  let before: readonly string[];

  test('a new CA is introduced and takes over', async () => {
    before = await trustedCas(cluster, `${name}.${home}`);
    expect(before).toHaveLength(1);
    const lost = await cost('new CA', async () => {
      const asked = `pod-identity-webhook/rotate-ca=${new Date().toISOString()}`;
      await cluster.kubectl(['annotate', 'secret', `${name}-self-signed`, asked, '-n', home]);
      await casBecome('the next CA to be trusted', (cas) => cas.length === 2 && cas[0] === before[0]);
      await casBecome('the next CA to sign', (cas) => cas.length === 2 && cas[1] === before[0]);
      await newLeaves();
    });
    expect(lost).toEqual(nothing);
  }, 240_000);

  /** Pods without identity that are neither unlabelled nor of the time until the Service was without the replica. */
  function beyondThatMoment({ without }: Outcome, goneAt: number): readonly CreatedPod[] {
    return without.filter(({ required, beganAt }) => required || beganAt > goneAt + PROXY_MS);
  }

  test('the pod of one replica is deleted by force', async () => {
    let goneAt = 0;
    const outcome = await during('deletion by force', async () => {
      const replica = await first();
      await cluster.kubectl(['delete', 'pod', replica.name, '-n', home, '--force', '--grace-period=0']);
      goneAt = await replicas.withoutEndpoint(replica);
      await replicas.settled();
    });
    expect(beyondThatMoment(outcome, goneAt)).toEqual([]);
  });

  describeEntering(`where faults can be made on nodes${because(notEntered)}`, () => {
    test('the container of one replica is killed, of the one that is called more', async () => {
      let goneAt = 0;
      const outcome = await during('SIGKILL', async () => {
        const replica = await busiest();
        await killContainer(cluster, replica);
        goneAt = await replicas.withoutEndpoint(replica);
        await replicas.settled();
      });
      expect(beyondThatMoment(outcome, goneAt)).toEqual([]);
    });

    test('the containers of both replicas are killed at once', async () => {
      let backAt = 0;
      const outcome = await during('SIGKILL to both', async () => {
        const both = await replicas.settled();
        await Promise.all(both.map(async (replica) => killContainer(cluster, replica)));
        await Promise.all(both.map(async (replica) => replicas.withoutEndpoint(replica)));
        await replicas.settled();
        backAt = performance.now();
      });
      expect(beyondThatMoment(outcome, backAt)).toEqual([]);
      expect(outcome.refused.filter(({ required }) => !required)).toEqual([]);
      expect(outcome.refused.length).toBeGreaterThan(0);
    });

    test('no replica reaches the API server for 20 s', async () => {
      const { without, refused } = await during('API server out of reach', async () => {
        const mend = await cutFromApiServer(cluster, await replicas.settled());
        try {
          await sleep(20_000);
        } finally {
          await mend();
        }
        await replicas.settled();
      });
      // Of accounts that are known nothing is missing; of new ones only pods that do not insist are stored without.
      expect(without.filter(({ required, fresh }) => required || !fresh)).toEqual([]);
      expect(refused.filter(({ required, fresh }) => !required || !fresh)).toEqual([]);
      expect(refused.length).toBeGreaterThan(0);
    });
  });

  test('the old CA is trusted no more', async () => {
    const lost = await cost('old CA retired', async () => {
      await casBecome('the old CA to be gone', (cas) => cas.length === 1 && cas[0] !== before[0]);
      await newLeaves();
    });
    expect(lost).toEqual(nothing);
  }, 300_000);
});

function because(reason: string | undefined): string {
  return reason === undefined ? '' : ` (not run: ${reason})`;
}
