// The end of a replica under load: clients that keep connections, as API servers do, lose nothing.
import { Agent } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { expect, test } from '@jest/globals';
import type { Decision } from '../../src/admission/decision.ts';
import type { PostOptions, RunningServer } from '../support/server.ts';
import { appReview, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const decision: Decision = { kind: 'skip', reason: 'no-role', warnings: [] };
const mutate = async (): Promise<Decision> => decision;

async function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** An agent whose new connections go where the Service's endpoint is at that time; kept ones stay where they are. */
function serviceAgent(endpoint: { readonly port: number }, ca: string): Agent {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 25 });
  agent.createConnection = () => connect({ host: '127.0.0.1', port: endpoint.port, ca });
  return agent;
}

test.each([
  ['before it drains any call', 0],
  ['after it has served on for a while', 60],
])(
  'thirty clients lose no review when a replica drains, and its endpoint goes %s',
  async (_, servedOn) => {
    const delay = Promise.withResolvers<void>();
    const slept: number[] = [];
    const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
      slept.push(ms);
      // The grace for what is in flight is not needed.
      await (ms === 5_000 ? new Promise((resolve) => signal?.addEventListener('abort', resolve)) : delay.promise);
    };
    await withServer({ mutate, sleep }, async (first) => {
      await withServer({ mutate }, async (second) => {
        const endpoint = { port: first.port };
        const clients = callers(first, endpoint);
        await until('the first serves', () => servedBy(first) > 60);

        const drained = first.server.drain(10_000);
        expect(first.server.draining()).toBe(true);
        // A second signal must not shorten the delay.
        const again = first.server.drain(0);
        const before = servedBy(first);
        await until('the first serves on', () => servedBy(first) >= before + servedOn);
        endpoint.port = second.port;
        // What the delay is long enough for: no client is left with a connection from before. The first of these calls
        // may have been on its way already.
        const called = [...clients.calls];
        await until('every client has called again', () =>
          clients.calls.every((calls, n) => calls > (called[n] ?? 0) + 1),
        );
        delay.resolve();
        await Promise.all([drained, again]);
        const moved = servedBy(second);
        await until('the second serves on', () => servedBy(second) > moved + 60);
        expect([await clients.stop(), slept]).toEqual([[], [10_000, 5_000]]);
      });
    });
  },
  30_000,
);

/** Thirty clients that call until they are stopped; the answer to that is what failed. */
function callers(
  { post, ca }: RunningServer,
  endpoint: { readonly port: number },
): { readonly calls: readonly number[]; stop(): Promise<unknown[]> } {
  const failed: unknown[] = [];
  const calls = Array.from({ length: 30 }, () => 0);
  const stopped = new AbortController();
  const clients = calls.map(async (_, number) => {
    const agent = serviceAgent(endpoint, ca);
    while (!stopped.signal.aborted) {
      await post(appReview(), { agent }).then(
        ({ status }) => status === 200 || failed.push(status),
        (error: unknown) => failed.push(error),
      );
      calls[number] = (calls[number] ?? 0) + 1;
      // Some call all the time, others now and then.
      await pause(number * 10);
    }
    agent.destroy();
  });
  return {
    calls,
    async stop() {
      stopped.abort();
      await Promise.all(clients);
      return failed;
    },
  };
}

function servedBy({ recorder }: RunningServer): number {
  return recorder.of('requested').length;
}

test('while it drains every answer is the last of its connection, and new connections are taken', async () => {
  await withServer({ mutate }, async ({ server, post, port, ca }) => {
    const agent = serviceAgent({ port }, ca);
    const ask = async (options: PostOptions): Promise<unknown> => {
      const { status, headers } = await post(appReview(), options);
      return [status, headers.connection];
    };
    expect(await ask({ agent })).toEqual([200, 'keep-alive']);
    const drained = server.drain(1_000);
    expect([await ask({ agent }), await ask({ agent }), await ask({})]).toEqual([
      [200, 'close'],
      [200, 'close'],
      [200, 'close'],
    ]);
    await drained;
    await expect(ask({})).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    agent.destroy();
  });
});

/** A server whose only review waits for the test, and that review's answer. */
async function withWaitingReview(
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>,
  run: (running: RunningServer, review: ReturnType<RunningServer['post']>, answer: () => void) => Promise<void>,
): Promise<void> {
  const waiting = Promise.withResolvers<Decision>();
  await withServer({ mutate: async () => waiting.promise, sleep }, async (running) => {
    const review = running.post(appReview());
    // What a test does not wait for must not end the test run.
    review.catch(() => {});
    await until('the review waits', () => running.recorder.of('inFlight').length === 1);
    await run(running, review, () => waiting.resolve(decision));
  });
}

test('a review that is being worked on when the port closes is answered', async () => {
  const slept: number[] = [];
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    slept.push(ms);
    await (ms === 5_000 ? new Promise((resolve) => signal?.addEventListener('abort', resolve)) : pause(10));
  };
  await withWaitingReview(sleep, async ({ server, post }, review, answer) => {
    const drained = server.drain(10_000);
    await until('the port closes', () => slept.length === 2);
    await expect(post(appReview())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    answer();
    const { status, headers } = await review;
    await drained;
    expect([status, headers.connection, slept]).toEqual([200, 'close', [10_000, 5_000]]);
  });
});

test('a connection that waits to be accepted when the port closes is served', async () => {
  const delay = Promise.withResolvers<void>();
  const sleep = async (ms: number): Promise<void> => (ms === 5_000 ? pause(ms) : delay.promise);
  await withServer({ mutate, sleep }, async ({ server, post }) => {
    const drained = server.drain(10_000);
    const review = post(appReview());
    // The system's part of connecting is done by then, in this very turn of the event loop.
    process.nextTick(() => process.nextTick(delay.resolve));
    const { status, headers } = await review;
    expect([status, headers.connection]).toEqual([200, 'close']);
    await drained;
  });
});

test('a review that never ends is cut after five seconds, and the server ends', async () => {
  await withWaitingReview(
    async () => {},
    async ({ server }, review) => {
      await server.drain(10_000);
      await expect(review).rejects.toMatchObject({ code: 'ECONNRESET' });
    },
  );
});

test('a handshake that never ends does not hold the end', async () => {
  await withServer({ mutate, sleep: async () => {} }, async ({ server, connect: connectTls, port }) => {
    const idle = await connectTls();
    const silent = connectTcp(port, '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    silent.on('error', () => {});
    const start = performance.now();
    await server.drain(0);
    // The handshake itself would have five seconds.
    expect(performance.now() - start).toBeLessThan(3_000);
    await until('both connections end', () => silent.destroyed && idle.destroyed);
    expect(server.draining()).toBe(true);
  });
});
