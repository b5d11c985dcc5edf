// Many bodies at once: what all of them together may hold, against the running server with small numbers.
import { expect, test } from '@jest/globals';
import type { TLSSocket } from 'node:tls';
import type { RunningServer } from '../support/server.ts';
import { appReview, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const bodyLimits = { maxBytes: 100_000, freeBytes: 2_000, budgetBytes: 20_000 };

const small = JSON.stringify(appReview());
const big = JSON.stringify(appReview({ filling: 'x'.repeat(10_000) }));

/** A connection whose request has sent that much of a body, and no more. */
async function stuck({ connect }: RunningServer, bytes: number): Promise<TLSSocket> {
  const socket = await connect();
  socket.write('POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50000\r\n\r\n');
  socket.write(' '.repeat(bytes));
  return socket;
}

async function statusOf({ post }: RunningServer, body: string): Promise<unknown> {
  const { status, headers } = await post(body);
  return status === 200 ? 200 : [status, headers['retry-after'], headers.connection];
}

const shed = [503, '1', 'close'];

test('bodies that do not fit beside others are shed; small ones always fit', async () => {
  await withServer({ bodyLimits }, async (running) => {
    expect([await statusOf(running, small), await statusOf(running, big)]).toEqual([200, 200]);
    const socket = await stuck(running, 18_000);
    expect(await soon(running, shed)).toEqual(shed);
    expect([await statusOf(running, small), await statusOf(running, small)]).toEqual([200, 200]);
    socket.destroy();
    expect(await soon(running, 200)).toEqual(200);
  });
});

test('bytes that come one by one cost what they cost us', async () => {
  await withServer({ bodyLimits }, async (running) => {
    const socket = await stuck(running, 0);
    // Each is a record of TLS and a Buffer of its own.
    for (let byte = 0; byte < 70; byte += 1) await new Promise((resolve) => socket.write(' ', resolve));
    expect(await soon(running, shed)).toEqual(shed);
    socket.destroy();
    expect(await soon(running, 200)).toEqual(200);
  });
});

test('what was held is given back, however a request ends', async () => {
  await withServer({ bodyLimits, maxInFlight: 0 }, async (running) => {
    for (let round = 0; round < 5; round += 1) {
      expect(await statusOf(running, big)).toEqual([503, '1', 'keep-alive']);
      expect(await statusOf(running, big.slice(1))).toEqual([400, undefined, 'keep-alive']);
      expect(await statusOf(running, 'x'.repeat(100_001))).toEqual([413, undefined, 'close']);
      expect(await statusOf(running, ' '.repeat(30_000))).toEqual(shed);
      (await stuck(running, 15_000)).destroy();
    }
    await until('all bytes are given back', () => running.recorder.of('requested').length === 25);
    expect(await statusOf(running, big)).toEqual([503, '1', 'keep-alive']);
  });
});

/** The big body's status, as soon as it is the one that is wanted, or after two seconds. */
async function soon(running: RunningServer, want: unknown): Promise<unknown> {
  let got = await statusOf(running, big);
  for (let round = 0; round < 100 && JSON.stringify(got) !== JSON.stringify(want); round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    got = await statusOf(running, big);
  }
  return got;
}
