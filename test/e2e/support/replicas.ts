// The webhook's replicas while they are disturbed: which there are, what they have logged, and when the Service no longer
// has one of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { ownField, ownList, ownString } from '../../../src/admission/json.ts';
import { eventually } from '../../cluster/support/eventually.ts';
import type { Cluster } from './cluster.ts';

export interface Replica {
  readonly name: string;
  readonly ip: string;
  readonly node: string;
  /** Without the container engine's name. */
  readonly containerId: string;
}

export interface Replicas {
  /** Resolves with the two of them once nothing of any other is left and both are ready. */
  settled(): Promise<readonly Replica[]>;
  /** How often that message stands in the replica's log. */
  logged(replica: Replica, message: string): Promise<number>;
  /** Evicts the replica as `kubectl drain` does: asks again for as long as the PodDisruptionBudget refuses. Resolves
   * with the number of refusals. */
  evict(replica: Replica): Promise<number>;
  /** Resolves when the Service no longer has the replica's address, with the time: `performance.now()`. */
  withoutEndpoint(replica: Replica): Promise<number>;
}

export interface ReplicasOptions {
  readonly cluster: Pick<Cluster, 'call' | 'kubectl'>;
  readonly namespace: string;
  /** Of Deployment and Service. */
  readonly name: string;
}

const COUNT = 2;

export function createReplicas({ cluster, namespace, name }: ReplicasOptions): Replicas {
  const { call, kubectl } = cluster;
  const selector = `labelSelector=app.kubernetes.io/name%3D${name}`;
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io/service-name%3D${name}`;

  async function readyAddresses(): Promise<unknown[]> {
    return ownList((await call('GET', slices)).body, 'items')
      .flatMap((slice) => ownList(slice, 'endpoints'))
      .filter((endpoint) => ownField(ownField(endpoint, 'conditions'), 'ready') === true)
      .flatMap((endpoint) => ownList(endpoint, 'addresses'));
  }

  return {
    settled: async () =>
      eventually({ what: `${COUNT} ready replicas and no other`, timeoutMs: 120_000, intervalMs: 250 }, async () => {
        const all = ownList((await call('GET', `${pods}?${selector}`)).body, 'items');
        const ready = all.filter(isReady);
        const addresses = await readyAddresses();
        const isSettled = all.length === COUNT && ready.length === COUNT && addresses.length === COUNT;
        return isSettled ? ready.map(replicaFrom) : undefined;
      }),
    logged: async ({ name: pod }, message) => {
      const log = await kubectl(['logs', pod, '-n', namespace, '-c', 'webhook']);
      return log.split('\n').filter((line) => line.includes(JSON.stringify(message))).length;
    },
    evict: async ({ name: pod }) => {
      const metadata = { name: pod, namespace };
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata };
      for (let refusals = 0; ; refusals += 1) {
        const { status, body: answer } = await call('POST', `${pods}/${pod}/eviction`, body);
        if (status === 201) return refusals;
        if (status !== 429) throw new Error(`${pod} is not evicted: ${status} ${ownString(answer, 'message') ?? ''}`);
        await sleep(500);
      }
    },
    withoutEndpoint: async ({ ip }) =>
      eventually({ what: `the Service to be without ${ip}`, timeoutMs: 60_000, intervalMs: 20 }, async () =>
        (await readyAddresses()).includes(ip) ? undefined : performance.now(),
      ),
  };
}

function isReady(pod: unknown): boolean {
  const isDeleted = ownField(ownField(pod, 'metadata'), 'deletionTimestamp') !== undefined;
  const ready = ownList(ownField(pod, 'status'), 'conditions').find((one) => ownField(one, 'type') === 'Ready');
  return !isDeleted && ownField(ready, 'status') === 'True';
}

function replicaFrom(pod: unknown): Replica {
  const status = ownField(pod, 'status');
  const [container] = ownList(status, 'containerStatuses');
  return {
    name: ownString(ownField(pod, 'metadata'), 'name') ?? '',
    ip: ownString(status, 'podIP') ?? '',
    node: ownString(ownField(pod, 'spec'), 'nodeName') ?? '',
    containerId: (ownString(container, 'containerID') ?? '').replace(/^.*:\/\//, ''),
  };
}
