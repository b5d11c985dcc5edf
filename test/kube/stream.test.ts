import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createKubeClient } from '../../src/kube/client.ts';
import type { ApiServer } from '../support/api-server.ts';
import { SERVICE_ACCOUNTS, withApiServer } from '../support/api-server.ts';
import { failureOf } from '../support/failure.ts';
import { until } from '../support/until.ts';

const PATH = `${SERVICE_ACCOUNTS}?watch=1`;

interface Reading {
  readonly events: AsyncGenerator<unknown, void>;
  readonly server: ApiServer;
  readonly abort: AbortController;
  readonly heard: () => number;
}

async function withStream(use: (reading: Reading) => Promise<void>, idleMs = 2000): Promise<void> {
  await withApiServer({}, async (server) => {
    const client = createKubeClient({ config: server.kubeConfig() });
    const abort = new AbortController();
    let chunks = 0;
    const onBytes = (): void => void (chunks += 1);
    const events = client.stream(PATH, { signal: abort.signal, idleMs: () => idleMs, onBytes });
    try {
      await use({ events, server, abort, heard: () => chunks });
    } finally {
      abort.abort();
      client.close();
    }
  });
}

async function drained(events: AsyncGenerator<unknown, void>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test('lines are documents, however they are cut into chunks', async () => {
  await withStream(async ({ events, server, heard }) => {
    const reading = drained(events);
    const watch = await server.watched();
    const bytes = Buffer.from('{"name":"Grüße 🌍"}\n');
    for (const text of ['{"n', '":1', '}', '\n', '{"n":2}\n{"n":3}\n{"', 'n":4}\n']) {
      const before = heard();
      watch.send(text);
      await until('the chunk arrives', () => heard() > before);
    }
    for (const byte of bytes) {
      watch.send(Buffer.of(byte));
      await setImmediate();
    }
    watch.end();
    expect(await reading).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, { name: 'Grüße 🌍' }]);
  });
});

test('a line of 4 MB is one document', async () => {
  await withStream(async ({ events, server }) => {
    const big = { annotations: 'x'.repeat(4 * 1024 * 1024) };
    const reading = drained(events);
    const watch = await server.watched();
    watch.send(`${JSON.stringify(big)}\n`);
    watch.end();
    expect(await reading).toEqual([big]);
  });
});

test('a line without end is given up before it fills the memory', async () => {
  await withStream(async ({ events, server }) => {
    const failure = failureOf(drained(events));
    const watch = await server.watched();
    for (let megabyte = 0; megabyte < 34; megabyte += 1) watch.send('x'.repeat(1024 * 1024));
    expect(await failure).toEqual({
      code: 'garbage',
      message: 'the API server sent a line of more than 33554432 characters',
    });
  });
});

test('a line that is no JSON fails after the events before it, without showing what came', async () => {
  await withStream(async ({ events, server }) => {
    const first = events.next();
    const watch = await server.watched();
    watch.send('{"n":1}\npassword=x\n{"n":2}\n');
    expect(await first).toEqual({ done: false, value: { n: 1 } });
    expect(await failureOf(events.next())).toEqual({
      code: 'garbage',
      message: 'the API server sent 10 characters that are not JSON',
    });
  });
});

test('half a line at the end of a response is a failure', async () => {
  await withStream(async ({ events, server }) => {
    const failure = failureOf(drained(events));
    const watch = await server.watched();
    watch.send('{"n":1');
    watch.end();
    expect(await failure).toEqual({
      code: 'garbage',
      message: 'the API server sent half an event at the end of the response',
    });
  });
});

test('a reset in the middle of a line is a failed connection', async () => {
  await withStream(async ({ events, server }) => {
    const failure = failureOf(drained(events));
    const watch = await server.watched();
    watch.send('{"n":1');
    watch.reset();
    expect(await failure).toEqual({
      code: 'connection',
      message: 'connection to the API server failed: aborted',
    });
  });
});

test('silence ends a stream, and bytes put it off', async () => {
  await withStream(async ({ events, server, heard }) => {
    const startedAt = performance.now();
    const failure = failureOf(drained(events));
    const watch = await server.watched();
    for (let beat = 1; beat <= 8; beat += 1) {
      await until('100 ms are over', () => performance.now() - startedAt > beat * 100);
      watch.send('{}\n');
    }
    expect(await failure).toEqual({ code: 'silent', message: 'no byte from the API server for 600 ms' });
    expect(heard()).toBeGreaterThan(1);
    expect(performance.now() - startedAt).toBeGreaterThan(1390);
    await until('the connection is gone', () => server.connections() === 0);
  }, 600);
});

test('a refusal carries status, reason and Retry-After', async () => {
  await withStream(async ({ events, server }) => {
    server.fail('watch', { status: 429, headers: { 'retry-after': '3' } });
    expect(await failureOf(events.next())).toEqual({
      code: 'refused',
      status: 429,
      retryAfterSeconds: 3,
      message: `the API server answered 429 to ${PATH}: a fault was asked for`,
    });
  });
});

test('ending the iteration closes the connection', async () => {
  await withStream(async ({ events, server }) => {
    const first = events.next();
    const watch = await server.watched();
    watch.send('{}\n');
    expect(await first).toEqual({ done: false, value: {} });
    await events.return();
    await until('the connection is gone', () => server.connections() === 0);
  });
});

test('an abort ends a stream that waits', async () => {
  await withStream(async ({ events, server, abort }) => {
    const failure = failureOf(drained(events));
    await server.watched();
    abort.abort();
    expect((await failure)['code']).toBe('connection');
    await until('the connection is gone', () => server.connections() === 0);
  });
});

test('a burst of events lets others have their turn', async () => {
  await withStream(async ({ events, server }) => {
    const reading = drained(events);
    const watch = await server.watched();
    const event = `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'x'.repeat(400) } } })}\n`;
    watch.send(event.repeat(40_000));
    watch.end();
    const read = new AbortController();
    let turns = 0;
    const counting = (async () => {
      for (; !read.signal.aborted; turns += 1) await setImmediate();
    })();
    expect((await reading).length).toBe(40_000);
    read.abort();
    await counting;
    // Measured: some 130; without giving turns away, 17.
    expect(turns).toBeGreaterThan(40);
  });
});
