import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { ApiServer, OpenWatch } from '../support/api-server.ts';
import { SERVICE_ACCOUNTS, bookmarkLine } from '../support/api-server.ts';
import { putAccount, withReflector } from '../support/reflecting.ts';
import { until } from '../support/until.ts';

interface FaultCase {
  readonly fault: string;
  readonly strike: (watch: OpenWatch, server: ApiServer) => void;
  readonly causes: readonly string[];
  /** Whether everything is read anew, or the watch goes on from where it was. */
  readonly relists: boolean;
  /** Long enough for a busy machine, unless silence is the fault. */
  readonly patienceMs?: number;
}

const account = (annotations: Readonly<Record<string, string>>, version: string): unknown => ({
  metadata: { namespace: 'shop', name: 'strange', resourceVersion: version, annotations },
});
const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
/** The next watch is answered with the status. */
const refuse =
  (status: number): FaultCase['strike'] =>
  (watch, server) => {
    server.fail('watch', { status });
    watch.reset();
  };

const faults: readonly FaultCase[] = [
  { fault: 'a reset', strike: (watch) => watch.reset(), causes: ['connection'], relists: false },
  { fault: 'an early end', strike: (watch) => watch.end(), causes: ['ended-early'], relists: false },
  {
    fault: 'a reset in the middle of a line',
    strike(watch) {
      watch.send('{"type":"ADDED","object":{"meta');
      watch.reset();
    },
    causes: ['connection'],
    relists: false,
  },
  {
    fault: 'an end in the middle of a line',
    strike(watch) {
      watch.send('{"type":"ADDED","object":{"meta');
      watch.end();
    },
    causes: ['garbage'],
    relists: true,
  },
  { fault: 'silence', strike: (watch) => watch.blackHole(), causes: ['silent'], relists: false, patienceMs: 500 },
  {
    fault: 'ERROR 410 and no end',
    strike: (watch) => watch.sendError(410),
    causes: ['error-event-410'],
    relists: true,
  },
  {
    fault: 'ERROR 500 and no end',
    strike: (watch) => watch.sendError(500),
    causes: ['error-event-500'],
    relists: true,
  },
  {
    fault: 'an ERROR of no known code',
    strike: (watch) => watch.send(line('ERROR', {})),
    causes: ['error-event-500'],
    relists: true,
  },
  {
    fault: 'a line of garbage',
    strike: (watch) => watch.send('<html>502 Bad Gateway</html>\n'),
    causes: ['garbage'],
    relists: true,
  },
  { fault: 'a line that is no event', strike: (watch) => watch.send('[]\n'), causes: ['garbage'], relists: true },
  {
    fault: 'an event of unknown type',
    strike: (watch) => watch.send(line('TOUCHED', {})),
    causes: ['garbage'],
    relists: true,
  },
  {
    fault: 'an object without name',
    strike: (watch) => watch.send(line('ADDED', {})),
    causes: ['garbage'],
    relists: true,
  },
  {
    fault: 'a bookmark without version',
    strike: (watch) => watch.send(line('BOOKMARK', {})),
    causes: ['garbage'],
    relists: true,
  },
  {
    fault: 'a bookmark of the past',
    strike: (watch) => watch.send(bookmarkLine(3, false)),
    causes: ['rewound'],
    relists: true,
  },
  {
    fault: 'an event of the past',
    strike: (watch) => watch.send(line('ADDED', account({}, '3'))),
    causes: ['rewound'],
    relists: true,
  },
  { fault: '400 to the next watch', strike: refuse(400), causes: ['connection', 'refused-400'], relists: true },
  { fault: '401 to the next watch', strike: refuse(401), causes: ['connection'], relists: false },
  { fault: '403 to the next watch', strike: refuse(403), causes: ['connection', 'refused-403'], relists: false },
  { fault: '410 to the next watch', strike: refuse(410), causes: ['connection', 'refused-410'], relists: true },
  { fault: '429 to the next watch', strike: refuse(429), causes: ['connection', 'refused-429'], relists: false },
  { fault: '500 to the next watch', strike: refuse(500), causes: ['connection', 'refused-500'], relists: false },
  { fault: '503 to the next watch', strike: refuse(503), causes: ['connection', 'refused-503'], relists: false },
  {
    fault: 'silence instead of an answer to the next watch',
    strike(watch, server) {
      server.fail('watch', 'black-hole');
      watch.reset();
    },
    causes: ['connection', 'silent'],
    relists: false,
    patienceMs: 500,
  },
  {
    fault: 'compaction while the watch is away',
    strike(watch, server) {
      putAccount(server, 'unseen', 'one');
      watch.reset();
      putAccount(server, 'unseen', 'two');
      server.objects.compact();
    },
    causes: ['connection', 'refused-410'],
    relists: true,
  },
];

test.each(faults)('after $fault it goes on, with one watch', async (fault) => {
  const { strike, causes: expected, relists: isRelisted, patienceMs = 4000 } = fault;
  const options = { idleMs: { list: 4000, watch: patienceMs }, headersTimeoutMs: patienceMs };
  await withReflector(options, async ({ server, reflector, put, shows, causes, relists }) => {
    put('old', 'one');
    const first = await server.watched();
    await reflector.ready();
    const again = server.watched();
    strike(first, server);
    const next = await again;
    put('new', 'two');
    server.objects.remove(SERVICE_ACCOUNTS, 'shop/old');
    await shows('new', 'two');
    await shows('old', undefined);
    await until('one watch is open', () => server.watches().length === 1);
    expect({ causes, relists: relists(), watches: server.watches() }).toEqual({
      causes: expected,
      relists: isRelisted ? 2 : 1,
      watches: [next],
    });
    expect(server.mostWatches()).toBe(1);
  });
});

test('an event split over chunks and one of 4 MB are taken', async () => {
  await withReflector({}, async ({ server, reflector, put, shows, causes }) => {
    const watch = await server.watched();
    await reflector.ready();
    const event = line('ADDED', account({ role: 'split' }, '1001'));
    for (const part of [event.slice(0, 5), event.slice(5, 60), event.slice(60)]) {
      watch.send(part);
      await setTimeout(5);
    }
    await shows('strange', 'split');
    server.objects.age(1);
    const big = 'x'.repeat(4 * 1024 * 1024);
    put('big', big);
    await shows('big', big);
    expect(causes).toEqual([]);
  });
});

test('a list that breaks off half way is begun again, and what was known is shown meanwhile', async () => {
  await withReflector({}, async ({ server, reflector, put, state, shows, causes, relists }) => {
    await reflector.ready();
    for (const name of ['a', 'b', 'c']) put(name, 'one');
    await shows('c', 'one');
    const whole = state();
    const states: unknown[] = [];
    server.fail('streaming-list', { lines: 1, ending: 'reset' });
    server.fail('streaming-list', { lines: 2, raw: '{"type":', ending: 'reset' });
    server.fail('streaming-list', { lines: 2, raw: 'garbage\n', ending: 'black-hole' });
    server.fail('streaming-list', { status: 500 });
    reflector.relist();
    await until('it is listed again', () => {
      states.push(state());
      return relists() === 2;
    });
    expect(causes).toEqual(['connection', 'connection', 'garbage', 'refused-500']);
    expect(new Set(states.map((each) => JSON.stringify(each)))).toEqual(new Set([JSON.stringify(whole)]));
  });
});

test('a list that ends before its end was marked is read in pages instead', async () => {
  await withReflector(
    {
      prepare(server) {
        putAccount(server, 'a', 'one');
        server.fail('streaming-list', { lines: 1, ending: 'end' });
      },
    },
    async ({ server, reflector, state, waits }) => {
      await reflector.ready();
      expect({ state: state(), waits, kinds: server.requests.map(({ kind }) => kind).slice(0, 2) }).toEqual({
        state: { 'shop/a': 'one' },
        waits: [],
        kinds: ['streaming-list', 'page'],
      });
    },
  );
});

test('a cluster restored from a backup is read anew as soon as it answers, with its deletions', async () => {
  await withReflector({}, async ({ server, reflector, put, shows, state, causes }) => {
    await reflector.ready();
    put('kept', 'one');
    const backup = server.objects.snapshot();
    put('kept', 'two');
    put('undone', 'three');
    await shows('undone', 'three');
    const taken = reflector.offer('shop/live', {
      item: 'of the undone history',
      resourceVersion: '1900',
      epoch: reflector.epoch(),
    });
    await server.stop();
    server.objects.restore(backup);
    await server.start();
    await shows('undone', undefined);
    expect({ taken, state: state(), rewound: causes.at(-1) }).toEqual({
      taken: 'taken',
      state: { 'shop/kept': 'one' },
      rewound: 'rewound',
    });
    put('live', 'of the real history');
    await shows('live', 'of the real history');
  });
});

function refuseToTake(key: string | undefined): void {
  throw new Error(`no use for ${key ?? 'a list'}`);
}

test('a callback that throws is told in the log and stops nothing', async () => {
  await withReflector({ onChange: refuseToTake }, async ({ reflector, put, shows, causes, log }) => {
    await reflector.ready();
    put('cart', 'one');
    await shows('cart', 'one');
    put('till', 'two');
    await shows('till', 'two');
    expect(causes).toEqual([]);
    expect(log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
      { resource: 'serviceaccounts', key: undefined, error: 'no use for a list' },
      { resource: 'serviceaccounts', key: 'shop/cart', error: 'no use for shop/cart' },
      { resource: 'serviceaccounts', key: 'shop/till', error: 'no use for shop/till' },
    ]);
  });
});

test('an object that cannot be read is passed over, in a list and in a watch', async () => {
  const options = { prepare: (api: ApiServer) => putAccount(api, 'first', 'unreadable') };
  await withReflector(options, async ({ server, reflector, put, shows, state, causes, log }) => {
    await reflector.ready();
    put('second', 'good');
    await shows('second', 'good');
    put('second', 'unreadable');
    put('third', 'good');
    await shows('third', 'good');
    expect({ state: state(), causes }).toEqual({ state: { 'shop/second': 'good', 'shop/third': 'good' }, causes: [] });
    expect(log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields['key'])).toEqual([
      'shop/first',
      'shop/second',
    ]);
    server.objects.remove(SERVICE_ACCOUNTS, 'shop/second');
    await shows('second', undefined);
  });
});

test('a live answer is shown at once, and given up for what a later list says', async () => {
  await withReflector({}, async ({ reflector, put, shows, changes, relists }) => {
    await reflector.ready();
    const live = { item: 'live', resourceVersion: '1001', epoch: reflector.epoch() };
    expect([reflector.offer('shop/cart', live), reflector.get('shop/cart')]).toEqual(['taken', 'live']);
    put('cart', 'by event');
    await shows('cart', 'by event');
    expect([reflector.offer('shop/cart', live), changes]).toEqual(['outdated', [undefined, 'shop/cart', 'shop/cart']]);
    reflector.offer('shop/ghost', { ...live, resourceVersion: '1002' });
    reflector.relist();
    await until('it is listed again', () => relists() === 2);
    expect(Object.fromEntries(reflector.entries())).toEqual({ 'shop/cart': 'by event' });
  });
});

test('a watch that is quiet for longer than a list may be is left alone', async () => {
  await withReflector({ idleMs: { list: 300, watch: 4000 } }, async ({ server, reflector, put, shows, causes }) => {
    await reflector.ready();
    await setTimeout(450);
    put('cart', 'one');
    await shows('cart', 'one');
    expect({ causes, requests: server.requests.length }).toEqual({ causes: [], requests: 1 });
  });
});

test('200 faults leave no connection, no descriptor and no second watch behind', async () => {
  await withReflector({}, async ({ server, reflector, put, shows, causes }) => {
    await reflector.ready();
    const strikes = faults.filter(({ fault }) => !fault.includes('silence')).map(({ strike }) => strike);
    const cycle = async (round: number): Promise<void> => {
      await until('one watch is open', () => server.watches().length === 1);
      const [watch] = server.watches();
      const again = server.watched();
      if (watch !== undefined) strikes[round % strikes.length]?.(watch, server);
      await again;
      put('cart', `role ${round}`);
      await shows('cart', `role ${round}`);
    };
    for (let round = 0; round < 30; round += 1) await cycle(round);
    await until('one connection is left', () => server.connections() <= 2);
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 30; round < 230; round += 1) await cycle(round);
    await until('one connection is left', () => server.connections() <= 2);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 2);
    expect(server.mostWatches()).toBe(1);
    expect(causes.length).toBeGreaterThanOrEqual(230);
  });
}, 30_000);

test('a watch that is cut every second is taken up again within 0.2 s, each time', async () => {
  await withReflector(
    { random: () => 0.999 },
    async ({ server, reflector, clock, waits, causes, put, shows, relists }) => {
      await reflector.ready();
      for (let round = 1; round <= 20; round += 1) {
        await until('a watch is open', () => server.watches().length === 1);
        clock.ms += 1000;
        server.watches()[0]?.reset();
        await until('the cut is noticed', () => causes.length === round);
        put('cart', `role ${round}`);
        await shows('cart', `role ${round}`);
      }
      expect({ longest: Math.max(...waits), count: waits.length, relists: relists() }).toEqual({
        longest: 200,
        count: 20,
        relists: 1,
      });
    },
  );
});

test('what cannot be read in the binary form is asked for in JSON from then on', async () => {
  await withReflector({}, async ({ server, reflector, relists }) => {
    await reflector.ready();
    server.watches()[0]?.send('<html>502 Bad Gateway</html>\n');
    await until('it is listed again', () => relists() === 2);
    const isBinary = server.requests.map(({ accept }) => accept?.includes('protobuf'));
    expect({ first: isBinary[0], last: isBinary.at(-1) }).toEqual({ first: true, last: false });
  });
});
