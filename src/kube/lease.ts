// A Lease, by which one of several replicas does what need not be done twice. Clocks of machines differ: whether another
// one's lease has run out is judged by how long it was seen unchanged here, as Kubernetes' own leader election does.
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownString } from '../admission/json.ts';
import { refusalOf } from './answer.ts';
import type { KubeClient } from './client.ts';
import { KubeError } from './error.ts';
import { createNamedObject } from './named-object.ts';

export interface Lease {
  /** Takes it or keeps it; false where another one has it. Rejects with KubeError. */
  hold(signal: AbortSignal): Promise<boolean>;
  /** Whether it is held for sure at this moment. */
  held(): boolean;
  /** Lets another one have it at once. */
  release(signal: AbortSignal): Promise<void>;
}

export interface LeaseOptions {
  readonly client: Pick<KubeClient, 'get' | 'write'>;
  readonly namespace: string;
  readonly name: string;
  /** Names this process among all others. */
  readonly holder: string;
  /** How long it is held after each `hold`. */
  readonly durationSeconds: number;
  /** Milliseconds since 1970, for people to read. */
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly elapsed: () => number;
}

const API_VERSION = 'coordination.k8s.io/v1';

export function createLease(options: LeaseOptions): Lease {
  const { client, namespace, name, holder, durationSeconds, now, elapsed } = options;
  const collection = `/apis/${API_VERSION}/namespaces/${encodeURIComponent(namespace)}/leases`;
  const object = createNamedObject({ client, collection, name });
  let seen: { readonly version: string; readonly at: number } | undefined;
  let heldUntil = -Infinity;

  async function hold(signal: AbortSignal): Promise<boolean> {
    // Counted from before the call: the others may see the change before we hear of it.
    const from = elapsed();
    const isHeld = await taken(await object.read(signal), signal);
    heldUntil = isHeld ? from + durationSeconds * 1_000 : -Infinity;
    return isHeld;
  }

  async function taken(found: JsonObject | undefined, signal: AbortSignal): Promise<boolean> {
    if (found === undefined) return created(signal);
    const spec = specOf(found);
    const current = ownString(spec, 'holderIdentity') ?? '';
    if (current !== '' && current !== holder && !hasRunOut(found)) return false;
    const taking =
      current === holder ? {} : { acquireTime: time(), leaseTransitions: numberIn(spec, 'leaseTransitions') + 1 };
    const change = await object.replace({ ...found, spec: { ...spec, ...record(), ...taking } }, signal);
    // Nothing is tested by what is sent: 422 is a denial, of which people must hear.
    if (change.kind === 'conflict' && change.status !== 409) {
      throw new KubeError(change.message, { code: 'refused', status: change.status });
    }
    return change.kind === 'changed';
  }

  /** A right to create cannot be bound to a name; it is needed once. */
  async function created(signal: AbortSignal): Promise<boolean> {
    const spec = { ...record(), acquireTime: time(), leaseTransitions: 0 };
    const body = { apiVersion: API_VERSION, kind: 'Lease', metadata: { namespace, name }, spec };
    const answer = await client.write(collection, { method: 'POST', contentType: 'application/json', body, signal });
    if (answer.status === 409) return false;
    if (answer.status !== 201) throw refusalOf(collection, answer);
    return true;
  }

  function hasRunOut(found: JsonObject): boolean {
    const version = ownString(ownField(found, 'metadata'), 'resourceVersion') ?? '';
    if (seen?.version !== version) seen = { version, at: elapsed() };
    return elapsed() - seen.at > numberIn(specOf(found), 'leaseDurationSeconds') * 1_000;
  }

  function record(): JsonObject {
    return { holderIdentity: holder, leaseDurationSeconds: durationSeconds, renewTime: time() };
  }

  /** MicroTime, as the API wants it. */
  function time(): string {
    return new Date(now()).toISOString().replace('Z', '000Z');
  }

  return {
    hold,
    held: () => elapsed() < heldUntil,
    async release(signal) {
      heldUntil = -Infinity;
      const found = await object.read(signal);
      if (found === undefined || ownString(specOf(found), 'holderIdentity') !== holder) return;
      // The API server takes no empty holder.
      await object.replace(
        { ...found, spec: { leaseTransitions: numberIn(specOf(found), 'leaseTransitions') } },
        signal,
      );
    },
  };
}

function specOf(lease: JsonObject): JsonObject {
  const spec = ownField(lease, 'spec');
  return isObject(spec) ? spec : {};
}

function numberIn(spec: JsonObject, key: string): number {
  const value = ownField(spec, key);
  return typeof value === 'number' ? value : 0;
}
