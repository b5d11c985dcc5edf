import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Account, AccountKey, AccountLookup } from '../../src/admission/identity.ts';
import { keyOf } from '../../src/admission/identity.ts';
import type { LiveAnswer, LiveCache } from '../../src/identity/live-lookup.ts';
import type { ServiceAccounts } from '../../src/identity/service-accounts.ts';
import { createServiceAccounts } from '../../src/identity/service-accounts.ts';
import { createTestClock } from '../support/clock.ts';
import type { TestClock } from '../support/clock.ts';
import { createTestLog } from '../support/log.ts';
import type { TestLog } from '../support/log.ts';
import { until } from '../support/until.ts';

const CART = { namespace: 'shop', name: 'cart' };
const NOT_FOUND: AccountLookup = { kind: 'not-found' };
const FAILED: AccountLookup = { kind: 'unknown', reason: 'lookup-failed' };
const cached = { timeoutMs: 4000, live: false };
const live = { timeoutMs: 4000, live: true };

interface Asked {
  readonly key: string;
  readonly signal: AbortSignal;
  readonly answer: (answer: LiveAnswer<Account>) => void;
  readonly fail: (error: Error) => void;
}

interface Scene {
  readonly accounts: ServiceAccounts;
  readonly clock: TestClock;
  readonly log: TestLog;
  /** Questions to the API server, in order; the test answers them. */
  readonly asked: readonly Asked[];
  readonly results: readonly string[];
  readonly cache: Map<string, Account>;
  readonly offers: readonly unknown[];
  readonly state: { synced: boolean; offered: ReturnType<LiveCache<Account>['offer']> };
}

function setScene(options: { readonly maxLookupMs?: number } = {}): Scene {
  const clock = createTestClock();
  const log = createTestLog();
  const asked: Asked[] = [];
  const results: string[] = [];
  const cache = new Map<string, Account>();
  const offers: unknown[] = [];
  const state: Scene['state'] = { synced: true, offered: 'taken' };
  const accounts = createServiceAccounts({
    cache: {
      get: (key) => cache.get(key),
      synced: () => state.synced,
      epoch: () => 7,
      offer(key, offer) {
        offers.push({ key, ...offer });
        return state.offered;
      },
    },
    read: async (key, signal) =>
      new Promise((answer, fail) => {
        asked.push({ key: keyOf(key), signal, answer, fail });
      }),
    now: clock.now,
    sleep: clock.sleep,
    log: log.log,
    recorder: { lookedUp: (result) => void results.push(result) },
    ...options,
  });
  return { accounts, clock, log, asked, results, cache, offers, state };
}

function accountOf(role: string): Account {
  return { annotations: { 'eks.amazonaws.com/role-arn': role } };
}

function found(role: string): AccountLookup {
  return { kind: 'found', account: accountOf(role) };
}

function answerOf(role: string, resourceVersion = '12'): LiveAnswer<Account> {
  return { kind: 'found', item: accountOf(role), resourceVersion };
}

/** What the lookup says without any time passing; undefined where it still waits. */
async function nowOf(lookup: Promise<AccountLookup>): Promise<AccountLookup | undefined> {
  return Promise.race([lookup, setImmediate(undefined)]);
}

test('what the cache holds is answered at once, without the API server', async () => {
  const { accounts, cache, asked, clock } = setScene();
  cache.set('shop/cart', accountOf('one'));
  expect(await nowOf(accounts.lookup(CART, cached))).toEqual(found('one'));
  expect([asked.length, clock.sleeping()]).toEqual([0, 0]);
});

test('nothing is known before the cache was complete once, not even live', async () => {
  const { accounts, cache, asked, state } = setScene();
  cache.set('shop/cart', accountOf('one'));
  state.synced = false;
  const notSynced = { kind: 'unknown', reason: 'not-synced' };
  expect([await accounts.lookup(CART, cached), await accounts.lookup(CART, live)]).toEqual([notSynced, notSynced]);
  expect(asked.length).toBe(0);
});

test('a miss is read from the API server and offered to the cache', async () => {
  const { accounts, asked, offers, results, clock } = setScene();
  const lookup = accounts.lookup(CART, cached);
  asked[0]?.answer(answerOf('one'));
  expect(await lookup).toEqual(found('one'));
  expect(offers).toEqual([{ key: 'shop/cart', item: accountOf('one'), resourceVersion: '12', epoch: 7 }]);
  await setImmediate();
  expect({
    results,
    inFlight: accounts.inFlight(),
    sleeping: clock.sleeping(),
    over: asked[0]?.signal.aborted,
  }).toEqual({
    results: ['found'],
    inFlight: 0,
    sleeping: 0,
    over: true,
  });
});

test('where the cache is newer than the answer, the cache is believed', async () => {
  const { accounts, asked, cache, state } = setScene();
  const lookup = accounts.lookup(CART, cached);
  cache.set('shop/cart', accountOf('created again'));
  state.offered = 'outdated';
  asked[0]?.answer(answerOf('one'));
  expect(await lookup).toEqual(found('created again'));
});

test('an account that was deleted after it was read is given to the pod that asked before', async () => {
  const { accounts, asked, state } = setScene();
  const lookup = accounts.lookup(CART, cached);
  state.offered = 'outdated';
  asked[0]?.answer(answerOf('one'));
  expect(await lookup).toEqual(found('one'));
});

test('where answer and cache cannot be compared, the live answer is believed', async () => {
  const { accounts, asked, cache, state } = setScene();
  cache.set('shop/cart', accountOf('behind'));
  const lookup = accounts.lookup(CART, live);
  state.offered = 'incomparable';
  asked[0]?.answer(answerOf('one'));
  expect(await lookup).toEqual(found('one'));
});

test('pods of one account share one question', async () => {
  const { accounts, asked } = setScene();
  const lookups = Array.from({ length: 100 }, async () => accounts.lookup(CART, cached));
  const other = accounts.lookup({ namespace: 'other', name: 'cart' }, cached);
  asked[0]?.answer(answerOf('one'));
  asked[1]?.answer(answerOf('two'));
  expect(await Promise.all(lookups)).toEqual(Array.from({ length: 100 }, () => found('one')));
  expect([await other, asked.map(({ key }) => key)]).toEqual([found('two'), ['shop/cart', 'other/cart']]);
});

test('each waits for its own time only, and the question goes on for those that wait longer', async () => {
  const { accounts, asked, clock, offers } = setScene();
  const hasty = accounts.lookup(CART, { timeoutMs: 100, live: false });
  const patient = accounts.lookup(CART, { timeoutMs: 900, live: false });
  await clock.pass(100);
  expect([await nowOf(hasty), await nowOf(patient)]).toEqual([FAILED, undefined]);
  await clock.pass(300);
  asked[0]?.answer(answerOf('one'));
  expect([await patient, offers.length, asked.length]).toEqual([found('one'), 1, 1]);
});

test('a question is given up after a second, and asked again by the next pod', async () => {
  const { accounts, asked, clock, results } = setScene();
  const lookup = accounts.lookup(CART, cached);
  await clock.pass(999);
  expect([await nowOf(lookup), asked[0]?.signal.aborted]).toEqual([undefined, false]);
  await clock.pass(1);
  expect([await nowOf(lookup), asked[0]?.signal.aborted, accounts.inFlight()]).toEqual([FAILED, true, 0]);
  const again = accounts.lookup(CART, cached);
  asked[1]?.answer(answerOf('one'));
  expect([await again, results]).toEqual([found('one'), ['failed', 'found']]);
});

test('the grace period is an upper bound of the wait', async () => {
  const { accounts, clock } = setScene({ maxLookupMs: 50 });
  const lookup = accounts.lookup(CART, cached);
  await clock.pass(50);
  expect(await nowOf(lookup)).toEqual(FAILED);
});

test('a failed question is unknown, and one line in the log until the API server answers again', async () => {
  const { accounts, asked, log } = setScene();
  const failing = async (index: number): Promise<AccountLookup> => {
    const lookup = accounts.lookup(CART, cached);
    asked[index]?.fail(new Error('503'));
    return lookup;
  };
  expect([await failing(0), await failing(1)]).toEqual([FAILED, FAILED]);
  const lookup = accounts.lookup(CART, cached);
  asked[2]?.answer(answerOf('one'));
  await lookup;
  await failing(3);
  expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual(
    ['warn', 'debug', 'warn'].map((level) => [
      level,
      { namespace: 'shop', serviceAccount: 'cart', kind: 'ServiceAccount', error: '503' },
    ]),
  );
});

test('an account that does not exist is not found, and not asked for again within a second', async () => {
  const { accounts, asked, clock, cache, results } = setScene();
  const lookup = accounts.lookup(CART, cached);
  asked[0]?.answer({ kind: 'not-found' });
  expect(await lookup).toEqual(NOT_FOUND);
  await clock.pass(999);
  expect([await nowOf(accounts.lookup(CART, cached)), asked.length]).toEqual([NOT_FOUND, 1]);
  cache.set('shop/cart', accountOf('seen by the watch'));
  expect(await accounts.lookup(CART, cached)).toEqual(found('seen by the watch'));
  cache.clear();
  await clock.pass(1);
  const again = accounts.lookup(CART, cached);
  asked[1]?.answer(answerOf('one'));
  expect([await again, results]).toEqual([found('one'), ['not-found', 'found']]);
});

test('a live lookup passes over the cache and over what was not found before', async () => {
  const { accounts, asked, cache } = setScene();
  cache.set('shop/cart', accountOf('behind'));
  const first = accounts.lookup(CART, live);
  asked[0]?.answer({ kind: 'not-found' });
  expect(await first).toEqual(NOT_FOUND);
  const second = accounts.lookup(CART, live);
  asked[1]?.answer(answerOf('one'));
  expect(await second).toEqual(found('one'));
});

test('live lookups that come while a question is on its way share the next one', async () => {
  const { accounts, asked } = setScene();
  const early = accounts.lookup(CART, cached);
  const late = [accounts.lookup(CART, live), accounts.lookup(CART, live)];
  expect(asked.length).toBe(1);
  asked[0]?.answer(answerOf('before the change'));
  expect(await early).toEqual(found('before the change'));
  await setImmediate();
  expect(asked.length).toBe(2);
  asked[1]?.answer(answerOf('after the change'));
  expect(await Promise.all(late)).toEqual([found('after the change'), found('after the change')]);
  expect(accounts.inFlight()).toBe(0);
});

const accountKey = (index: number): AccountKey => ({ namespace: 'shop', name: `account-${index}` });

test('at most 50 questions are on their way, 450 wait for their turn, and further ones are unknown at once', async () => {
  const { accounts, asked, results, cache } = setScene();
  const lookups = Array.from({ length: 510 }, async (_, index) => accounts.lookup(accountKey(index), cached));
  const refused = await Promise.all(lookups.slice(500));
  expect({ asked: asked.length, inFlight: accounts.inFlight(), refused, results }).toEqual({
    asked: 50,
    inFlight: 500,
    refused: Array.from({ length: 10 }, () => FAILED),
    results: Array.from({ length: 10 }, () => 'rejected'),
  });
  // The watch brings all but the last two of those that wait.
  for (let index = 50; index < 498; index += 1) cache.set(`shop/account-${index}`, accountOf('watched'));
  for (const { answer } of asked) answer(answerOf('asked'));
  await until('the last two are asked for', () => asked.length === 52);
  for (const { answer } of asked.slice(50)) answer(answerOf('asked'));
  expect(await Promise.all(lookups.slice(0, 500))).toEqual(
    Array.from({ length: 500 }, (_, index) => found(index >= 50 && index < 498 ? 'watched' : 'asked')),
  );
  await setImmediate();
  expect([asked.slice(50).map(({ key }) => key), accounts.inFlight()]).toEqual([
    ['shop/account-498', 'shop/account-499'],
    0,
  ]);
});

test('who waits for a turn waits for its own time only', async () => {
  const { accounts, asked, clock } = setScene();
  for (let index = 0; index < 50; index += 1) void accounts.lookup(accountKey(index), cached);
  const late = accounts.lookup(CART, { timeoutMs: 300, live: false });
  await clock.pass(300);
  expect([await nowOf(late), asked.length]).toEqual([FAILED, 50]);
});

test('a live lookup that had to wait for its turn is a live one all the same', async () => {
  const { accounts, asked, cache } = setScene();
  for (let index = 0; index < 50; index += 1) void accounts.lookup(accountKey(index), cached);
  cache.set('shop/cart', accountOf('behind'));
  const late = accounts.lookup(CART, live);
  asked[0]?.answer(answerOf('asked'));
  await until('it is asked for', () => asked.length === 51);
  asked[50]?.answer(answerOf('live'));
  expect(await late).toEqual(found('live'));
});

test('10,000 names that never existed leave nothing behind', async () => {
  const { accounts, asked, clock } = setScene();
  for (let index = 0; index < 10_000; index += 1) {
    const lookup = accounts.lookup({ namespace: 'shop', name: `ghost-${index}` }, cached);
    asked[index]?.answer({ kind: 'not-found' });
    if ((await lookup).kind !== 'not-found') throw new Error(`ghost-${index} was found`);
  }
  await setImmediate();
  expect({ asked: asked.length, inFlight: accounts.inFlight(), sleeping: clock.sleeping() }).toEqual({
    asked: 10_000,
    inFlight: 0,
    sleeping: 0,
  });
});

test.each<[string, AccountKey]>([
  ['a way out of the path', { namespace: '..', name: '..' }],
  ['a slash', { namespace: 'shop', name: 'cart/token' }],
  ['a query', { namespace: 'shop', name: 'cart?watch=1' }],
  ['capitals', { namespace: 'Shop', name: 'cart' }],
  ['nothing', { namespace: '', name: '' }],
  ['a namespace of 64 characters', { namespace: 'n'.repeat(64), name: 'cart' }],
  ['a name of 254 characters', { namespace: 'shop', name: 'n'.repeat(254) }],
  ['a dot in a namespace', { namespace: 'shop.eu', name: 'cart' }],
])('a name that Kubernetes does not store is not asked for: %s', async (_what, key) => {
  const { accounts, asked } = setScene();
  expect([await accounts.lookup(key, cached), await accounts.lookup(key, live)]).toEqual([NOT_FOUND, NOT_FOUND]);
  expect(asked.length).toBe(0);
});

test('the names of every object of a class are looked up like any other', async () => {
  const { accounts, asked } = setScene();
  const lookup = accounts.lookup({ namespace: 'constructor', name: 'constructor.1' }, cached);
  asked[0]?.answer(answerOf('one'));
  expect(await lookup).toEqual(found('one'));
});
