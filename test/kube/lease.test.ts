// A Lease between replicas whose clocks the test turns, on an API server of a few lines.
import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/admission/json.ts';
import { isObject, ownField, ownString } from '../../src/admission/json.ts';
import type { KubeAnswer } from '../../src/kube/answer.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Lease } from '../../src/kube/lease.ts';
import { createLease } from '../../src/kube/lease.ts';
import { failureOf } from '../support/failure.ts';

const { signal } = new AbortController();
const path = '/apis/coordination.k8s.io/v1/namespaces/eks/leases';

function createStore() {
  let stored: JsonObject | undefined;
  let version = 0;
  let refusal: number | undefined;
  const answer = (status: number, body: unknown): KubeAnswer => ({ status, body, retryAfterSeconds: undefined });
  const put = (body: unknown): JsonObject => {
    version += 1;
    const object = isObject(body) ? body : {};
    const metadata = ownField(object, 'metadata');
    stored = { ...object, metadata: { ...(isObject(metadata) ? metadata : {}), resourceVersion: String(version) } };
    return stored;
  };
  const client: Pick<KubeClient, 'get' | 'write'> = {
    get: async (asked) => {
      expect(asked).toBe(`${path}/audit`);
      return stored === undefined ? answer(404, { reason: 'NotFound' }) : answer(200, stored);
    },
    write: async (asked, { method, body }) => {
      expect(asked).toBe(method === 'POST' ? path : `${path}/audit`);
      if (refusal !== undefined) return answer(refusal, { message: 'no' });
      if (method === 'POST') return stored === undefined ? answer(201, put(body)) : answer(409, {});
      const [sent, own] = [body, stored].map((one) => ownString(ownField(one, 'metadata'), 'resourceVersion'));
      return sent === own ? answer(200, put(body)) : answer(409, { message: 'the object has been modified' });
    },
  };
  return { client, spec: () => ownField(stored, 'spec'), refuse: (status: number) => (refusal = status), put };
}

function replica(store: ReturnType<typeof createStore>, holder: string): { lease: Lease; pass(ms: number): void } {
  let ms = 0;
  const lease = createLease({
    client: store.client,
    namespace: 'eks',
    name: 'audit',
    holder,
    durationSeconds: 60,
    now: () => Date.parse('2026-01-01T00:00:00Z') + ms,
    elapsed: () => ms,
  });
  return { lease, pass: (more) => void (ms += more) };
}

describe('createLease', () => {
  it('makes the Lease, keeps it, and holds it for as long as it says', async () => {
    const store = createStore();
    const { lease, pass } = replica(store, 'a');
    expect([lease.held(), await lease.hold(signal), lease.held()]).toEqual([false, true, true]);
    expect(store.spec()).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 60,
      renewTime: '2026-01-01T00:00:00.000000Z',
      acquireTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    pass(59_999);
    expect([lease.held(), await lease.hold(signal)]).toEqual([true, true]);
    expect(store.spec()).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 60,
      renewTime: '2026-01-01T00:00:59.999000Z',
      acquireTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    pass(60_000);
    expect(lease.held()).toBe(false);
  });

  it('lets one replica have it, and another once it has seen no sign of life for as long', async () => {
    const store = createStore();
    const [one, other] = [replica(store, 'a'), replica(store, 'b')];
    expect([await one.lease.hold(signal), await other.lease.hold(signal)]).toEqual([true, false]);
    other.pass(60_000);
    expect(await other.lease.hold(signal)).toBe(false);
    await one.lease.hold(signal);
    other.pass(60_000);
    expect(await other.lease.hold(signal)).toBe(false);
    other.pass(60_001);
    expect([
      await other.lease.hold(signal),
      other.lease.held(),
      await one.lease.hold(signal),
      one.lease.held(),
    ]).toEqual([true, true, false, false]);
    expect(ownField(store.spec(), 'leaseTransitions')).toBe(1);
  });

  it('gives it away at once when it is released, and never another one’s', async () => {
    const store = createStore();
    const [one, other] = [replica(store, 'a'), replica(store, 'b')];
    await one.lease.release(signal);
    await one.lease.hold(signal);
    await other.lease.release(signal);
    expect(ownField(store.spec(), 'holderIdentity')).toBe('a');
    await one.lease.release(signal);
    expect([store.spec(), one.lease.held(), await other.lease.hold(signal)]).toEqual([
      { leaseTransitions: 0 },
      false,
      true,
    ]);
  });

  it('loses a race without a word', async () => {
    const store = createStore();
    const racing: Pick<KubeClient, 'get' | 'write'> = {
      get: store.client.get,
      write: async (asked, options) => {
        // Somebody else is quicker, each time.
        const spec = { holderIdentity: 'c', leaseDurationSeconds: 60 };
        store.put({ metadata: { name: 'audit' }, spec });
        return store.client.write(asked, options);
      },
    };
    const { lease } = replica({ ...store, client: racing }, 'a');
    expect(await lease.hold(signal)).toBe(false);
    store.put({ metadata: { name: 'audit' }, spec: {} });
    expect([await lease.hold(signal), lease.held()]).toEqual([false, false]);
  });

  it('takes a Lease that says nothing', async () => {
    const store = createStore();
    store.put({ metadata: { name: 'audit' } });
    expect(await replica(store, 'a').lease.hold(signal)).toBe(true);
    expect(ownField(store.spec(), 'leaseTransitions')).toBe(1);
  });

  it('says what a policy denies it, although it looks like a conflict', async () => {
    const store = createStore();
    store.put({ metadata: { name: 'audit' } });
    store.refuse(422);
    expect(await failureOf(replica(store, 'a').lease.hold(signal))).toEqual({
      code: 'refused',
      status: 422,
      retryAfterSeconds: undefined,
      message: `the API server answered 422 to ${path}/audit: no`,
    });
  });

  it('says what it may not do', async () => {
    const store = createStore();
    store.refuse(403);
    expect(await failureOf(replica(store, 'a').lease.hold(signal))).toEqual({
      code: 'refused',
      status: 403,
      retryAfterSeconds: undefined,
      message: `the API server answered 403 to ${path}: no`,
    });
  });
});
