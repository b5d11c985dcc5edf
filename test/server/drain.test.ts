// The end of a replica under load: clients that keep connections, as API servers do, lose nothing.
import { Agent } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import { expect, test } from '@jest/globals';
import type { Decision } from '../../src/admission/decision.ts';
import type { PostOptions, RunningServer } from '../support/server.ts';
import { appReview, withServer } from '../support/server.ts';

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

test.each([100, 1_000])(
  'thirty clients lose no review when a replica drains for 1.2 s and its endpoint goes after %i ms',
  async (removedAfterMs) => {
    await withServer({ mutate }, async (first) => {
      await withServer({ mutate }, async (second) => {
        const endpoint = { port: first.port };
        const failed: unknown[] = [];
        const stop = new AbortController();
        let served = 0;
        const client = async (number: number): Promise<void> => {
          const agent = serviceAgent(endpoint, first.ca);
          while (!stop.signal.aborted) {
            await first.post(appReview(), { agent }).then(
              ({ status }) => (status === 200 ? (served += 1) : failed.push(status)),
              (error: unknown) => failed.push(error),
            );
            // Some call all the time, others have been idle for most of the drain.
            await pause(number * 10);
          }
          agent.destroy();
        };
        const clients = Array.from({ length: 30 }, async (_, number) => client(number));
        await pause(300);
        expect(first.recorder.of('requested').length).toBeGreaterThan(30);
        const drained = first.server.drain(1_200);
        expect(first.server.draining()).toBe(true);
        // A second signal must not shorten the delay.
        const again = first.server.drain(0);
        await pause(removedAfterMs);
        endpoint.port = second.port;
        await Promise.all([drained, again]);
        await pause(300);
        stop.abort();
        await Promise.all(clients);
        expect([failed, served > 100]).toEqual([[], true]);
        expect(second.recorder.of('requested').length).toBeGreaterThan(30);
      });
    });
  },
  20_000,
);

test('while it drains every answer is the last of its connection, and new connections are taken', async () => {
  await withServer({ mutate }, async ({ server, post, port, ca }) => {
    const agent = serviceAgent({ port }, ca);
    const ask = async (options: PostOptions): Promise<unknown> => {
      const { status, headers } = await post(appReview(), options);
      return [status, headers.connection];
    };
    expect(await ask({ agent })).toEqual([200, 'keep-alive']);
    const drained = server.drain(400);
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
    while (running.recorder.of('inFlight').length === 0) await pause(5);
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
    while (slept.length < 2) await pause(5);
    await expect(post(appReview())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    answer();
    const { status, headers } = await review;
    await drained;
    expect([status, headers.connection, slept]).toEqual([200, 'close', [10_000, 5_000]]);
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
    await server.drain(0);
    while (!silent.destroyed || !idle.destroyed) await pause(5);
    expect(server.draining()).toBe(true);
  });
});
