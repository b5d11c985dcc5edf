import { expect, test } from '@jest/globals';
import { SERVICE_ACCOUNTS } from '../support/api-server.ts';
import { ACCOUNTS, putAccount, withReflector } from '../support/reflecting.ts';
import { until } from '../support/until.ts';

const PARTIAL = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
const BINARY_PARTIAL = `application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,${PARTIAL}`;

test('one request lists and then watches, over one connection', async () => {
  await withReflector(
    { prepare: (api) => putAccount(api, 'cart', 'one') },
    async ({ server, reflector, state, put, shows, changes, relists }) => {
      await reflector.ready();
      expect(state()).toEqual({ 'shop/cart': 'one' });
      put('cart', 'two');
      put('till', 'three');
      await shows('till', 'three');
      server.objects.remove(SERVICE_ACCOUNTS, 'shop/cart');
      await shows('cart', undefined);
      expect({ state: state(), changes, relists: relists(), connections: server.connections() }).toEqual({
        state: { 'shop/till': 'three' },
        changes: [undefined, 'shop/cart', 'shop/till', 'shop/cart'],
        relists: 1,
        connections: 1,
      });
      expect(server.requests.map(({ query, accept }) => ({ query: Object.fromEntries(query), accept }))).toEqual([
        {
          query: {
            watch: '1',
            sendInitialEvents: 'true',
            resourceVersionMatch: 'NotOlderThan',
            allowWatchBookmarks: 'true',
            timeoutSeconds: '285',
          },
          accept: BINARY_PARTIAL,
        },
      ]);
    },
  );
});

test('a server that refuses streaming lists is read in pages of 500, and not asked again', async () => {
  await withReflector(
    {
      api: { streamingLists: 'refuse' },
      prepare(server) {
        for (let index = 0; index < 1201; index += 1) putAccount(server, `account-${index}`, 'one');
      },
    },
    async ({ server, reflector, relists, put, shows }) => {
      await reflector.ready();
      await until('the watch is open', () => server.watches().length === 1);
      expect(reflector.size()).toBe(1201);
      const list = server.requests.map(({ kind, query, accept }) => ({
        kind,
        limit: query.get('limit'),
        resourceVersion: query.get('resourceVersion'),
        accept,
      }));
      const page = {
        kind: 'page',
        limit: '500',
        resourceVersion: null,
        accept: PARTIAL.replace('Metadata', 'MetadataList'),
      };
      expect(list.slice(1)).toEqual([
        page,
        page,
        page,
        { kind: 'watch', limit: null, resourceVersion: '2201', accept: BINARY_PARTIAL },
      ]);
      reflector.relist();
      await until('it is listed again', () => relists() === 2);
      expect(server.countOf('streaming-list')).toBe(1);
      put('new', 'two');
      await shows('new', 'two');
    },
  );
});

test('a server that takes a streaming list for a plain watch is read in pages after its silence', async () => {
  await withReflector(
    {
      api: { streamingLists: 'ignore' },
      idleMs: { list: 50, watch: 2000 },
      prepare: (server) => putAccount(server, 'cart', 'one'),
    },
    async ({ server, reflector, state, waits, put, shows }) => {
      await reflector.ready();
      put('till', 'two');
      await shows('till', 'two');
      expect(server.requests.map(({ kind }) => kind)).toEqual(['streaming-list', 'page', 'watch']);
      expect({ state: state(), waits }).toEqual({ state: { 'shop/cart': 'one', 'shop/till': 'two' }, waits: [] });
    },
  );
});

test('a bookmark before the end of the initial events shows that the server does not know of that end', async () => {
  await withReflector(
    { api: { streamingLists: 'ignore' }, prepare: (server) => putAccount(server, 'cart', 'one') },
    async ({ server, reflector, state }) => {
      const watch = await server.watched();
      watch.bookmark();
      await reflector.ready();
      expect(state()).toEqual({ 'shop/cart': 'one' });
    },
  );
});

test('a page that is too old starts the list anew, and the old state is shown until it is complete', async () => {
  await withReflector(
    { api: { streamingLists: 'refuse' } },
    async ({ server, reflector, state, put, shows, relists, causes }) => {
      await reflector.ready();
      put('first', 'one');
      await shows('first', 'one');
      for (let index = 0; index < 1100; index += 1) put(`account-${index}`, 'one');
      await shows('account-1099', 'one');
      const before = state();
      let release: (() => void) | undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      server.fail('page', { until: Promise.resolve() });
      server.fail('page', { until: held });
      reflector.relist();
      const pages = server.countOf('page');
      await until('the second page is asked for', () => server.countOf('page') === pages + 2);
      server.objects.remove(SERVICE_ACCOUNTS, 'shop/first');
      server.objects.compact();
      expect(state()).toEqual(before);
      release?.();
      await until('it is listed again', () => relists() === 2);
      const { 'shop/first': _removed, ...rest } = before;
      expect(state()).toEqual(rest);
      expect(causes).toEqual(['refused-410']);
    },
  );
});

test('the server may end a watch: it goes on from the last bookmark, without list and without wait', async () => {
  await withReflector({}, async ({ server, reflector, clock, waits, causes, relists, put, shows }) => {
    const first = await server.watched();
    await reflector.ready();
    server.objects.age(500);
    first.bookmark();
    put('cart', 'one');
    await shows('cart', 'one');
    server.objects.age(41);
    first.bookmark();
    clock.ms = 285_000;
    const next = server.watched();
    first.end();
    await next;
    server.objects.compact();
    put('till', 'two');
    await shows('till', 'two');
    const [, watch] = server.requests;
    expect({ kind: watch?.kind, from: watch?.query.get('resourceVersion') }).toEqual({ kind: 'watch', from: '1542' });
    expect({ waits, causes, relists: relists() }).toEqual({ waits: [], causes: [], relists: 1 });
  });
});

test('watches that end at once are waited between, longer each time', async () => {
  await withReflector({}, async ({ server, reflector, waits, causes, clock, relists }) => {
    const first = await server.watched();
    await reflector.ready();
    server.fail('watch', { lines: 0, ending: 'end' }, 7);
    clock.ms = 60_000;
    first.end();
    await until('the faults are over', () => waits.length === 7);
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 5000]);
    expect({ causes: [...new Set(causes)], relists: relists() }).toEqual({ causes: ['ended-early'], relists: 1 });
  });
});

test('an API server that is down at the start is asked for ever, and ready comes with it', async () => {
  await withReflector(
    { api: { stopped: true } },
    async ({ server, reflector, waits, causes, log, put, state, cacheState }) => {
      let isReady = false;
      const ready = (async () => {
        await reflector.ready();
        isReady = true;
      })();
      await until('it was tried many times', () => waits.length > 40);
      expect({ isReady, synced: reflector.synced(), cache: cacheState() }).toEqual({
        isReady: false,
        synced: false,
        cache: { size: 0, synced: false, secondsSinceLastByte: undefined },
      });
      put('cart', 'one');
      await server.start();
      await ready;
      expect(state()).toEqual({ 'shop/cart': 'one' });
      expect(waits.slice(0, 9)).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
      expect([...new Set(causes)]).toEqual(['connection']);
      const warnings = log.lines.filter(({ level }) => level === 'warn');
      expect(warnings.length).toBe(Math.ceil(waits.length / 32));
      expect(warnings[0]?.fields).toEqual({
        resource: 'serviceaccounts',
        cause: 'connection',
        error: `connection to the API server failed: connect ECONNREFUSED ${server.url.slice('https://'.length)}`,
        failures: 1,
        waitMs: 100,
      });
    },
  );
});

test('an API server that goes away leaves the state as it is', async () => {
  await withReflector({}, async ({ server, reflector, put, shows, state, waits, clock, cacheState }) => {
    await reflector.ready();
    put('cart', 'one');
    await shows('cart', 'one');
    await server.stop();
    await until('it was tried many times', () => waits.length > 20);
    clock.ms += 90_000;
    expect({ synced: reflector.synced(), state: state(), cache: cacheState() }).toEqual({
      synced: true,
      state: { 'shop/cart': 'one' },
      cache: { size: 1, synced: true, secondsSinceLastByte: 90 },
    });
    put('till', 'two');
    await server.start();
    await shows('till', 'two');
    expect(state()).toEqual({ 'shop/cart': 'one', 'shop/till': 'two' });
  });
});

test('Retry-After is waited for', async () => {
  await withReflector(
    {
      prepare(server) {
        server.fail('streaming-list', { status: 429, headers: { 'retry-after': '4' } });
        server.fail('streaming-list', { status: 503, headers: { 'retry-after': '6' } });
        server.fail('streaming-list', { status: 500 });
      },
    },
    async ({ reflector, waits, causes }) => {
      await reflector.ready();
      expect({ waits, causes }).toEqual({
        waits: [4200, 6300, 400],
        causes: ['refused-429', 'refused-503', 'refused-500'],
      });
    },
  );
});

test('a relist by hand happens at once and shows the old state until it is complete', async () => {
  await withReflector({}, async ({ server, reflector, put, shows, state, waits, relists }) => {
    await reflector.ready();
    put('cart', 'one');
    await shows('cart', 'one');
    server.fail('streaming-list', { lines: 1, ending: 'black-hole' });
    reflector.relist();
    await until('the list is asked for', () => server.countOf('streaming-list') === 2);
    expect(state()).toEqual({ 'shop/cart': 'one' });
    reflector.relist();
    await until('it is listed again', () => relists() === 2);
    expect({ state: state(), waits }).toEqual({ state: { 'shop/cart': 'one' }, waits: [] });
  });
});

test('an object of a cluster-wide resource is known by its name, one by a field selector alone and whole', async () => {
  const resource = {
    name: 'configmap',
    path: '/api/v1/namespaces/eks/configmaps',
    fieldSelector: 'metadata.name=webhook',
  };
  await withReflector(
    {
      resource,
      trim: (object) => JSON.stringify(object),
      prepare(server) {
        server.objects.put('/api/v1/configmaps', {
          metadata: { namespace: 'eks', name: 'webhook' },
          data: { config: '{}' },
        });
        server.objects.put('/api/v1/configmaps', { metadata: { namespace: 'eks', name: 'other' } });
      },
    },
    async ({ server, reflector, state }) => {
      await reflector.ready();
      expect(state()).toEqual({
        'eks/webhook':
          '{"metadata":{"namespace":"eks","name":"webhook","resourceVersion":"1001"},"data":{"config":"{}"}}',
      });
      expect(server.requests.map(({ accept, query }) => [accept, query.get('fieldSelector')])).toEqual([
        ['application/json', 'metadata.name=webhook'],
      ]);
    },
  );
  await withReflector(
    {
      resource: { ...ACCOUNTS, path: '/api/v1/namespaces' },
      prepare: (server) => void server.objects.put('/api/v1/namespaces', { metadata: { name: 'shop' } }),
    },
    async ({ reflector, state }) => {
      await reflector.ready();
      expect(state()).toEqual({ shop: '' });
    },
  );
});

test('closing ends the watch, a list that hangs and a wait, and nothing is asked afterwards', async () => {
  await withReflector({}, async ({ server, reflector }) => {
    await reflector.ready();
    await reflector.close();
    await until('no connection is left', () => server.connections() === 0);
    expect(server.requests.length).toBe(1);
  });
  await withReflector(
    { prepare: (server) => server.fail('streaming-list', 'black-hole') },
    async ({ server, reflector }) => {
      await until('the list hangs', () => server.requests.length === 1);
      await reflector.close();
      await until('no connection is left', () => server.connections() === 0);
      expect(server.requests.length).toBe(1);
    },
  );
  let isWaiting = false;
  const sleep = async (_ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((_resolve, reject) => {
      isWaiting = true;
      signal.addEventListener('abort', () => reject(new Error('woken')));
    });
  await withReflector({ sleep, api: { stopped: true } }, async ({ server, reflector }) => {
    await until('it waits', () => isWaiting);
    await reflector.close();
    expect(server.requests.length).toBe(0);
  });
});
