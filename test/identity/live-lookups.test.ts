// Reflector, reader and lookups together, against an API server: what a pod gets while the cache is behind.
import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { accountFrom } from '../../src/admission/annotations.ts';
import type { Account, AccountLookup } from '../../src/admission/identity.ts';
import { ownField } from '../../src/admission/json.ts';
import type { ServiceAccounts } from '../../src/identity/service-accounts.ts';
import { createServiceAccounts } from '../../src/identity/service-accounts.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import { createReader } from '../../src/kube/read.ts';
import type { Reflector } from '../../src/kube/reflector.ts';
import { createReflector } from '../../src/kube/reflector.ts';
import type { ApiServer } from '../support/api-server.ts';
import { SERVICE_ACCOUNTS, withApiServer } from '../support/api-server.ts';
import { createTestLog } from '../support/log.ts';
import { createTestRecorder } from '../support/recorder.ts';
import { ACCOUNTS } from '../support/reflecting.ts';
import { until } from '../support/until.ts';

const ROLE = 'eks.amazonaws.com/role-arn';
const FAILED: AccountLookup = { kind: 'unknown', reason: 'lookup-failed' };

interface Cluster {
  readonly server: ApiServer;
  readonly reflector: Reflector<Account>;
  readonly accounts: ServiceAccounts;
  readonly results: () => readonly unknown[];
  readonly put: (name: string, role: string) => void;
  readonly lookup: (name: string, options?: { readonly live: boolean }) => Promise<AccountLookup>;
}

/** Ten times as long, so that a busy machine is not taken for a dead API server. */
async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds * 10, undefined, { signal }).catch(() => undefined);
}

function trim(object: unknown): Account {
  return accountFrom(ownField(ownField(object, 'metadata'), 'annotations'), 'eks.amazonaws.com');
}

async function withCluster(use: (cluster: Cluster) => Promise<void>): Promise<void> {
  await withApiServer({}, async (server) => {
    const client = createKubeClient({ config: server.kubeConfig() });
    const recorder = createTestRecorder();
    const { log } = createTestLog();
    const common = { client, resource: ACCOUNTS, trim, now: () => performance.now(), sleep, log, recorder };
    const reflector = createReflector({ ...common, random: Math.random });
    const accounts = createServiceAccounts({ ...common, cache: reflector, read: createReader(common) });
    try {
      await reflector.ready();
      await use({
        server,
        reflector,
        accounts,
        results: () => recorder.of('lookedUp').map(([result]) => result),
        put(name, role) {
          const metadata = { namespace: 'shop', name, annotations: { [ROLE]: role, other: 'x' } };
          server.objects.put(SERVICE_ACCOUNTS, { metadata });
        },
        lookup: async (name, { live } = { live: false }) =>
          accounts.lookup({ namespace: 'shop', name }, { timeoutMs: 4000, live }),
      });
    } finally {
      await reflector.close();
      client.close();
    }
  });
}

function found(role: string): AccountLookup {
  return { kind: 'found', account: { annotations: { [ROLE]: role } } };
}

test('accounts that were created this instant are all found, one by one and 50 at once', async () => {
  await withCluster(async ({ server, put, lookup, accounts }) => {
    // The watch brings nothing: each answer is a live one.
    for (const watch of server.watches()) watch.blackHole();
    for (let index = 0; index < 200; index += 1) {
      put(`single-${index}`, `role ${index}`);
      expect(await lookup(`single-${index}`)).toEqual(found(`role ${index}`));
    }
    for (let index = 0; index < 50; index += 1) put(`burst-${index}`, `role ${index}`);
    const burst = await Promise.all(Array.from({ length: 50 }, async (_, index) => lookup(`burst-${index}`)));
    expect(burst).toEqual(Array.from({ length: 50 }, (_, index) => found(`role ${index}`)));
    const asked = server.countOf('get');
    expect(await lookup('single-7')).toEqual(found('role 7'));
    expect([asked, server.countOf('get'), accounts.inFlight()]).toEqual([250, 250, 0]);
  });
}, 30_000);

test('an account that was created again has its new role, and never that of another namespace', async () => {
  await withCluster(async ({ server, put, lookup, reflector }) => {
    put('cart', 'old');
    server.objects.put(SERVICE_ACCOUNTS, {
      metadata: { namespace: 'other', name: 'cart', annotations: { [ROLE]: 'of another' } },
    });
    await until('both are seen', () => reflector.size() === 2);
    server.objects.remove(SERVICE_ACCOUNTS, 'shop/cart');
    await until('it is gone', () => reflector.size() === 1);
    expect(await lookup('cart')).toEqual({ kind: 'not-found' });
    put('cart', 'new');
    await until('it is back', () => reflector.size() === 2);
    expect(await lookup('cart')).toEqual(found('new'));
    server.objects.remove(SERVICE_ACCOUNTS, 'shop/cart');
    server.objects.put(SERVICE_ACCOUNTS, { metadata: { namespace: 'shop', name: 'cart' } });
    await until('it has no role', () => reflector.get('shop/cart')?.annotations[ROLE] === undefined);
    expect(await lookup('cart')).toEqual({ kind: 'found', account: { annotations: {} } });
  });
});

test('a late answer neither brings a deleted account back nor hides a newer role', async () => {
  await withCluster(async ({ server, put, lookup, reflector }) => {
    const [watch] = server.watches();
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Both are created while the watch is away, so that they are asked for.
    const gone = server.watched();
    server.fail('watch', { status: 503, headers: { 'retry-after': '1' } });
    watch?.reset();
    put('cart', 'old');
    put('till', 'old');
    server.fail('get', { until: held }, 2);
    const lookups = [lookup('cart'), lookup('till')];
    await until('both are asked for', () => server.countOf('get') === 2);
    server.objects.remove(SERVICE_ACCOUNTS, 'shop/cart');
    put('till', 'new');
    reflector.relist();
    await until('the list is seen', () => reflector.get('shop/till') !== undefined);
    release?.();
    expect(await lookups[0]).toEqual(found('old'));
    expect([await lookups[1], Object.fromEntries(reflector.entries())]).toEqual([
      found('old'),
      { 'shop/till': { annotations: { [ROLE]: 'new' } } },
    ]);
    await gone;
  });
});

test('while the API server is away, what is known stays and the rest is unknown, never absent', async () => {
  await withCluster(async ({ server, put, lookup, reflector, results }) => {
    put('cart', 'one');
    await until('it is seen', () => reflector.size() === 1);
    await server.stop();
    expect([await lookup('cart'), await lookup('till'), await lookup('cart', { live: true })]).toEqual([
      found('one'),
      FAILED,
      FAILED,
    ]);
    put('till', 'two');
    await server.start();
    expect([await lookup('till'), results()]).toEqual([found('two'), ['failed', 'failed', 'found']]);
  });
});

test('a role that was annotated this instant is found by a live lookup', async () => {
  await withCluster(async ({ server, put, lookup, reflector }) => {
    server.objects.put(SERVICE_ACCOUNTS, { metadata: { namespace: 'shop', name: 'cart' } });
    await until('it is seen', () => reflector.size() === 1);
    for (const watch of server.watches()) watch.blackHole();
    put('cart', 'one');
    expect([await lookup('cart'), await lookup('cart', { live: true }), await lookup('cart')]).toEqual([
      { kind: 'found', account: { annotations: {} } },
      found('one'),
      found('one'),
    ]);
  });
});

test('names that never existed leave neither connections nor items', async () => {
  await withCluster(async ({ server, lookup, reflector, accounts }) => {
    for (let round = 0; round < 10; round += 1) {
      const lookups = Array.from({ length: 50 }, async (_, index) => lookup(`ghost-${round}-${index}`));
      expect(await Promise.all(lookups)).toEqual(Array.from({ length: 50 }, () => ({ kind: 'not-found' })));
    }
    expect({ size: reflector.size(), inFlight: accounts.inFlight(), asked: server.countOf('get') }).toEqual({
      size: 0,
      inFlight: 0,
      asked: 500,
    });
    // One watches, ten are shared by the reads.
    expect([server.connections(), server.accepted()]).toEqual([11, 11]);
  });
}, 30_000);
