import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Offered, Store } from '../../src/kube/store.ts';
import { createStore } from '../../src/kube/store.ts';

function storeAt(resourceVersion: string, items: Readonly<Record<string, string>> = {}): Store<string> {
  const store = createStore<string>();
  const list = store.begin();
  for (const [key, item] of Object.entries(items)) list.apply({ key, item, resourceVersion });
  list.finish(resourceVersion);
  return store;
}

function offered(store: Store<string>, item: string, resourceVersion: string): Offered {
  return store.offer('a', { item, resourceVersion, epoch: store.epoch() });
}

test('a live answer that is newer than the state is taken, until the watch passes it', () => {
  const store = storeAt('10');
  expect(offered(store, 'live', '12')).toBe('taken');
  expect(store.apply({ key: 'a', item: 'event 11', resourceVersion: '11' })).toBe(true);
  expect(store.get('a')).toBe('live');
  store.apply({ key: 'a', item: 'event 12', resourceVersion: '12' });
  expect(store.get('a')).toBe('event 12');
  store.apply({ key: 'a', item: undefined, resourceVersion: '13' });
  expect([...store.entries()]).toEqual([]);
});

test('a late answer does not bring back what was deleted', () => {
  const store = storeAt('10', { a: 'first' });
  store.apply({ key: 'a', item: undefined, resourceVersion: '14' });
  expect(offered(store, 'first', '9')).toBe('outdated');
  expect(offered(store, 'changed', '14')).toBe('outdated');
  expect(store.get('a')).toBe(undefined);
});

test('a deletion that the live answer has seen already does not delete it', () => {
  const store = storeAt('10', { a: 'first' });
  expect(offered(store, 'created again', '15')).toBe('taken');
  store.apply({ key: 'a', item: undefined, resourceVersion: '14' });
  expect(store.get('a')).toBe('created again');
});

test('a late answer does not overwrite a newer event or a newer answer', () => {
  const store = storeAt('10', { a: 'listed' });
  expect(offered(store, 'old', '10')).toBe('outdated');
  expect(offered(store, 'newer', '12')).toBe('taken');
  expect(offered(store, 'between', '11')).toBe('outdated');
  expect(store.get('a')).toBe('newer');
  store.advance('20');
  expect(offered(store, 'of the past', '19')).toBe('outdated');
});

test('an answer without a comparable version is not kept, nor one before the first list', () => {
  expect(offered(storeAt('10'), 'live', 'v12')).toBe('incomparable');
  expect(offered(storeAt('ten'), 'live', '12')).toBe('incomparable');
  expect(offered(createStore<string>(), 'live', '12')).toBe('incomparable');
});

test('versions beyond the exact numbers of JavaScript keep their order', () => {
  const store = storeAt('9007199254740992');
  expect(offered(store, 'live', '9007199254740993')).toBe('taken');
  expect(offered(store, 'late', '9007199254740992')).toBe('outdated');
  expect(store.get('a')).toBe('live');
});

test('a new list replaces everything at its end, and nothing before', () => {
  const store = storeAt('10', { a: 'old a', b: 'old b' });
  const list = store.begin();
  list.apply({ key: 'b', item: 'new b', resourceVersion: '20' });
  list.apply({ key: 'c', item: 'new c', resourceVersion: '20' });
  list.apply({ key: 'c', item: undefined, resourceVersion: '21' });
  expect(Object.fromEntries(store.entries())).toEqual({ a: 'old a', b: 'old b' });
  list.finish('21');
  expect(Object.fromEntries(store.entries())).toEqual({ b: 'new b' });
  expect([store.size(), store.resourceVersion()]).toEqual([1, '21']);
});

test('a list that is never finished leaves no trace', () => {
  const store = storeAt('10', { a: 'old' });
  store.begin().apply({ key: 'a', item: 'new', resourceVersion: '20' });
  expect(store.get('a')).toBe('old');
});

test('of live answers, a new list keeps those asked for after it began and newer than it', () => {
  const store = storeAt('10');
  const before = store.epoch();
  expect(store.offer('early', { item: 'early', resourceVersion: '90', epoch: before })).toBe('taken');
  const list = store.begin();
  expect(store.offer('late', { item: 'asked before', resourceVersion: '91', epoch: before })).toBe('incomparable');
  expect(store.offer('older', { item: 'older', resourceVersion: '15', epoch: store.epoch() })).toBe('taken');
  expect(store.offer('newer', { item: 'newer', resourceVersion: '25', epoch: store.epoch() })).toBe('taken');
  list.finish('20');
  expect(Object.fromEntries(store.entries())).toEqual({ newer: 'newer' });
  store.apply({ key: 'newer', item: 'event 24', resourceVersion: '24' });
  expect(store.get('newer')).toBe('newer');
});

test('after a restored backup no answer from the undone history stays', () => {
  const store = storeAt('1000');
  offered(store, 'undone', '1005');
  store.begin().finish('500');
  expect(store.get('a')).toBe(undefined);
  store.apply({ key: 'a', item: 'real', resourceVersion: '501' });
  expect(store.get('a')).toBe('real');
});

test('an event or bookmark older than the state is refused', () => {
  const store = storeAt('10', { a: 'as of 10' });
  expect(store.apply({ key: 'a', item: 'old', resourceVersion: '9' })).toBe(false);
  expect(store.advance('9')).toBe(false);
  expect([store.advance('11'), store.get('a'), store.resourceVersion()]).toEqual([true, 'as of 10', '11']);
});

// The history of one object: at each version it holds the text of that version, or nothing.
// Some steps happen in the cluster, the others are what this process sees of it.
const STEPS = ['create-or-change', 'delete', 'other-object', 'see-next', 'ask', 'get-answer', 'relist'] as const;
type Step = (typeof STEPS)[number];

test('whatever the order of events and answers, what is shown never goes back, and is right in the end', () => {
  const steps = fc.array(fc.constantFrom<Step>(...STEPS), { maxLength: 60, size: 'max' });
  fc.assert(fc.property(steps, runHistory), { numRuns: 1000 });
});

function runHistory(steps: readonly Step[]): void {
  const store = storeAt('1');
  const history: (string | undefined)[] = [undefined, undefined];
  let changedAt = 1;
  const answers: { item: string; resourceVersion: string; epoch: number }[] = [];
  let seen = 1;
  let shownAsOf = 1;
  // The newest version from `shownAsOf` on that looks like what is shown: it must exist.
  const check = (): void => {
    const shown = store.get('a');
    const asOf = history.findIndex((text, version) => version >= shownAsOf && text === shown);
    if (asOf < 0) throw new Error(`${shown ?? 'nothing'} is shown after ${history[shownAsOf] ?? 'nothing'}`);
    shownAsOf = Math.max(asOf, seen);
  };
  const see = (version: number): void => {
    seen = version;
    if (history[version] === history[version - 1]) store.advance(String(version));
    else store.apply({ key: 'a', item: history[version], resourceVersion: String(version) });
  };
  for (const what of steps) {
    const now = history.length - 1;
    if (what === 'create-or-change') history.push(`as of ${history.length}`);
    if (what === 'delete') history.push(undefined);
    if (what === 'other-object') history.push(history[now]);
    if (history.length > now + 1 && history[now + 1] !== history[now]) changedAt = now + 1;
    if (what === 'see-next' && seen < now) see(seen + 1);
    const item = history[now];
    if (what === 'ask' && item !== undefined) {
      answers.push({ item, resourceVersion: String(changedAt), epoch: store.epoch() });
    }
    const answer = what === 'get-answer' ? answers.pop() : undefined;
    if (answer !== undefined) store.offer('a', answer);
    if (what === 'relist') {
      const list = store.begin();
      list.apply({ key: 'a', item, resourceVersion: String(now) });
      list.finish(String(now));
      seen = now;
    }
    check();
  }
  while (seen < history.length - 1) see(seen + 1);
  expect(store.get('a')).toBe(history.at(-1));
}
