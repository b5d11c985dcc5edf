// What happens to a webhook in its life while pods are created ten times a second: what an administrator does costs no
// pod its identity; what breaks costs no pod that says that it needs one, and of the others only those of that moment.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { missingForCluster, missingForDraining, missingForEntering } from './support/cluster.ts';
import { startDisturbance } from './support/disturbance.ts';
import type { Disturbance } from './support/disturbance.ts';
import { cutFromApiServer, killContainer } from './support/faults.ts';
import type { CreatedPod, Outcome } from './support/pod-stream.ts';

const missing = missingForCluster();
const describeCluster = missing === undefined ? describe : describe.skip;
const notEntered = missingForEntering();
const describeEntering = notEntered === undefined ? describe : describe.skip;
const notDrained = missing ?? missingForDraining();
const describeDraining = notDrained === undefined ? describe : describe.skip;

const nothing = { without: [], refused: [] };
/** kube-proxy, and a machine that is busy: how long calls may still go to an address that the Service no longer has. */
const PROXY_MS = 2_500;

/** `performance.now()` */
interface Moment {
  readonly from: number;
  readonly to: number;
}

describeCluster(`disturbed${missing === undefined ? '' : ` (not run: this machine ${missing})`}`, () => {
  let webhook: Disturbance;

  beforeAll(async () => {
    webhook = await startDisturbance();
  });

  afterAll(async () => webhook?.close());

  /** The pods that did not get their identity at once. */
  async function cost(happening: string, happens: () => Promise<unknown>): Promise<Partial<Outcome>> {
    const { without, refused } = await webhook.during(happening, happens);
    return { without, refused };
  }

  test('every replica gets a new certificate', async () => {
    expect(await cost('new certificates', webhook.newLeaves)).toEqual(nothing);
  });

  let before: readonly string[];

  // A step of a rotation waits a minute after the one before it: what comes between this test and the last one costs no time.
  test('a new CA is introduced and takes over', async () => {
    before = await webhook.cas();
    expect(before).toHaveLength(1);
    const lost = await cost('new CA', async () => {
      const asked = `pod-identity-webhook/rotate-ca=${new Date().toISOString()}`;
      await webhook.kubectl('annotate', 'secret', `${webhook.name}-self-signed`, asked);
      await webhook.casBecome('the next CA to be trusted', (cas) => cas.length === 2 && cas[0] === before[0]);
      await webhook.casBecome('the next CA to sign', (cas) => cas.length === 2 && cas[1] === before[0]);
    });
    expect(lost).toEqual(nothing);
  }, 240_000);

  test('a rolling restart', async () => {
    const lost = await cost('rolling restart', async () => {
      await webhook.kubectl('rollout', 'restart', `deployment/${webhook.name}`);
      await webhook.kubectl('rollout', 'status', `deployment/${webhook.name}`, '--timeout=120s');
      await webhook.replicas.settled();
    });
    expect(lost).toEqual(nothing);
  });

  test('a rolling upgrade with another value', async () => {
    const lost = await cost('rolling upgrade', async () => {
      await webhook.release.upgrade({ logging: { level: 'debug' } });
      await webhook.replicas.settled();
    });
    expect(lost).toEqual(nothing);
  });

  test('one replica after the other is evicted under the PodDisruptionBudget, as a drain of their nodes does it', async () => {
    const refusals: number[] = [];
    const lost = await cost('eviction', async () => {
      for (const replica of await webhook.replicas.settled()) refusals.push(await webhook.replicas.evict(replica));
      await webhook.replicas.settled();
    });
    expect(lost).toEqual(nothing);
    // The second has to wait until the first is replaced.
    expect(refusals.map((count) => count > 0)).toEqual([false, true]);
  });

  describeDraining(`where a node can be drained${because(notDrained)}`, () => {
    test('the nodes of the replicas are drained', async () => {
      const lost = await cost('drain', async () => {
        for (const node of new Set((await webhook.replicas.settled()).map((replica) => replica.node))) {
          await webhook.kubectl('drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s');
          await webhook.kubectl('uncordon', node);
        }
        await webhook.replicas.settled();
      });
      expect(lost).toEqual(nothing);
    });
  });

  /** Pods without identity that are labelled, or were not called while the replica broke and the Service still had it. */
  function beyond(moment: Moment, { without }: Outcome): readonly CreatedPod[] {
    const isOfIt = ({ beganAt, acceptedAt }: CreatedPod): boolean =>
      acceptedAt >= moment.from && beganAt <= moment.to + PROXY_MS;
    return without.filter((pod) => pod.required || !isOfIt(pod));
  }

  test('the pod of one replica is deleted by force', async () => {
    const moment = { from: Infinity, to: 0 };
    const outcome = await webhook.during('deletion by force', async () => {
      const replica = await webhook.busiest();
      moment.from = performance.now();
      await webhook.kubectl('delete', 'pod', replica.name, '--force', '--grace-period=0');
      moment.to = await webhook.replicas.withoutEndpoint(replica);
      await webhook.replicas.settled();
    });
    expect(beyond(moment, outcome)).toEqual([]);
  });

  describeEntering(`where faults can be made on nodes${because(notEntered)}`, () => {
    test('the container of one replica is killed, of the one that is called more', async () => {
      const moment = { from: Infinity, to: 0 };
      const outcome = await webhook.during('SIGKILL', async () => {
        const replica = await webhook.busiest();
        moment.from = performance.now();
        await killContainer(webhook.cluster, replica);
        moment.to = await webhook.replicas.withoutEndpoint(replica);
        await webhook.replicas.settled();
      });
      expect(beyond(moment, outcome)).toEqual([]);
    });

    test('the containers of both replicas are killed at once', async () => {
      const moment = { from: Infinity, to: 0 };
      const { without, refused, created } = await webhook.during('SIGKILL to both', async () => {
        const both = await webhook.replicas.settled();
        moment.from = performance.now();
        await Promise.all(both.map(async (replica) => killContainer(webhook.cluster, replica)));
        await Promise.all(both.map(async (replica) => webhook.replicas.withoutEndpoint(replica)));
        await webhook.replicas.settled();
        moment.to = performance.now();
      });
      expect(beyond(moment, { without, refused, created })).toEqual([]);
      expect(refused.filter(({ required }) => !required)).toEqual([]);
      expect(refused.length).toBeGreaterThan(0);
    });

    test('no replica reaches the API server for 20 s', async () => {
      const { without, refused } = await webhook.during('API server out of reach', async () => {
        const mend = await cutFromApiServer(webhook.cluster, await webhook.replicas.settled());
        try {
          await sleep(20_000);
        } finally {
          await mend();
        }
        await webhook.replicas.settled();
      });
      // Of accounts that are known nothing is missing; of new ones only pods that do not insist are stored without.
      expect(without.filter(({ required, fresh }) => required || !fresh)).toEqual([]);
      expect(refused.filter(({ required, fresh }) => !required || !fresh)).toEqual([]);
      expect(refused.length).toBeGreaterThan(0);
    });
  });

  test('the old CA is trusted no more', async () => {
    const lost = await cost('old CA retired', async () => {
      await webhook.casBecome('the old CA to be gone', (cas) => cas.length === 1 && cas[0] !== before[0]);
      // Every API server has heard of it by then.
      await sleep(5_000);
    });
    expect(lost).toEqual(nothing);
  }, 300_000);
});

function because(reason: string | undefined): string {
  return reason === undefined ? '' : ` (not run: ${reason})`;
}
