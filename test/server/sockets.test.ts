// Sockets that are no API server's: what is not done in time is cut, and nobody else notices. The limits are shorter
// than the real ones, which https.test.ts holds.
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { RunningServer } from '../support/server.ts';
import { appReview, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { contextOptionsFrom } from '../../src/server/tls-options.ts';

const limits = { handshakeTimeoutMs: 300, headersTimeoutMs: 300, requestTimeoutMs: 600, checkIntervalMs: 50 };
const HEAD = 'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n';

async function tcp(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
  });
}

/** What came until the other side closed, and how long that took. */
async function closing(socket: Socket): Promise<{ readonly text: string; readonly ms: number }> {
  const start = performance.now();
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.once('close', () => resolve({ text, ms: performance.now() - start }));
  });
}

/** Sends byte by byte until the socket is closed. */
function drip(socket: Socket, bytes: string, intervalMs = 20): void {
  let index = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || !socket.writable) clearInterval(timer);
    else socket.write(bytes[index++ % bytes.length] ?? '');
  }, intervalMs);
  socket.once('close', () => clearInterval(timer));
}

async function servesAsEver({ post }: RunningServer): Promise<void> {
  const start = performance.now();
  expect((await post(appReview())).status).toBe(200);
  expect(performance.now() - start).toBeLessThan(1_000);
}

// A ClientHello that stops in the middle: the record says 512 bytes, and 20 come.
const TRUNCATED_HELLO = Buffer.from([
  0x16,
  0x03,
  0x01,
  0x02,
  0x00,
  0x01,
  0x00,
  0x01,
  0xfc,
  0x03,
  0x03,
  ...Array(20).keys(),
]);

describe('before the handshake is done', () => {
  test('plain HTTP is closed at once', async () => {
    await withServer({}, async (running) => {
      const socket = await tcp(running.port);
      const closed = closing(socket);
      socket.write(`${HEAD}\r\n`);
      expect((await closed).ms).toBeLessThan(1_000);
      await servesAsEver(running);
    });
  });

  test('a ClientHello that stops in the middle is cut when its time is over', async () => {
    await withServer({ limits }, async (running) => {
      const socket = await tcp(running.port);
      const closed = closing(socket);
      socket.write(TRUNCATED_HELLO);
      const { ms } = await closed;
      expect([ms >= 290, ms < 1_000]).toEqual([true, true]);
      await servesAsEver(running);
    });
  });

  test('a thousand connections that say nothing are cut, and a review among them is served', async () => {
    await withServer({ limits: { ...limits, handshakeTimeoutMs: 2_500 } }, async (running) => {
      const sockets = await Promise.all(Array.from({ length: 1_000 }, async () => tcp(running.port)));
      const closed = Promise.all(sockets.map(closing));
      expect((await running.post(appReview())).status).toBe(200);
      expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([]);
      expect(Math.max(...(await closed).map(({ ms }) => ms))).toBeLessThan(6_000);
    });
  }, 15_000);

  test('a reset in the middle of it is nobody else’s matter', async () => {
    await withServer({ limits }, async (running) => {
      for (let round = 0; round < 20; round += 1) {
        const socket = await tcp(running.port);
        socket.write(TRUNCATED_HELLO);
        socket.resetAndDestroy();
      }
      expect((await running.post(appReview())).status).toBe(200);
    });
  });

  test('connections beyond the most that are taken are closed at once, and taken again when others end', async () => {
    await withServer({ limits: { maxConnections: 3 } }, async (running) => {
      const sockets = await Promise.all([1, 2, 3].map(async () => tcp(running.port)));
      const { ms } = await closing(await tcp(running.port));
      expect(ms).toBeLessThan(1_000);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 50));
      await servesAsEver(running);
    });
  });
});

describe('the version of TLS', () => {
  const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
  test.each([
    ['TLSv1', 'refused'],
    ['TLSv1.1', 'refused'],
    ['TLSv1.2', 'TLSv1.2'],
    ['TLSv1.3', 'TLSv1.3'],
  ] as const)('%s is %s by default', async (version, want) => {
    await withServer({}, async ({ connect }) => {
      const protocol = await connect({ ...old, minVersion: version, maxVersion: version }).then(
        (socket) => socket.getProtocol(),
        () => 'refused',
      );
      expect(protocol).toBe(want);
    });
  });

  test.each(['TLSv1', 'TLSv1.1'] as const)('%s works where --tls-min-version allows it', async (version) => {
    await withServer({ tls: contextOptionsFrom({ minVersion: version, ciphers: undefined }) }, async ({ connect }) => {
      const socket = await connect({ ...old, minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
    });
  });

  test('only the suites that were asked for are spoken', async () => {
    const ciphers = 'ECDHE-ECDSA-AES256-GCM-SHA384:TLS_AES_256_GCM_SHA384';
    await withServer({ tls: contextOptionsFrom({ minVersion: 'TLSv1.2', ciphers }) }, async ({ connect }) => {
      const suites = [
        (await connect({ maxVersion: 'TLSv1.2' })).getCipher().name,
        (await connect()).getCipher().name,
        await connect({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }).then(
          () => 'served',
          () => 'refused',
        ),
      ];
      expect(suites).toEqual(['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_AES_256_GCM_SHA384', 'refused']);
    });
  });

  test('a server name that is not ours is served: the client decides whether it trusts the certificate', async () => {
    await withServer({}, async ({ connect }) => {
      const socket = await connect({ servername: 'elsewhere.example.com', checkServerIdentity: () => undefined });
      expect(socket.authorized).toBe(true);
    });
  });
});

describe('after the handshake', () => {
  const least = 290;
  test('no request at all is cut after the time for headers', async () => {
    await withServer({ limits }, async ({ connect }) => {
      const { text, ms } = await closing(await connect());
      expect([text.slice(0, 12), ms >= least, ms < 1_000]).toEqual(['HTTP/1.1 408', true, true]);
    });
  });

  test('headers that come byte by byte are cut after the time for headers', async () => {
    await withServer({ limits }, async (running) => {
      const socket = await running.connect();
      const closed = closing(socket);
      drip(socket, `${HEAD}X: ${'x'.repeat(1_000)}`);
      await servesAsEver(running);
      const { text, ms } = await closed;
      expect([text.slice(0, 12), ms >= least, ms < 1_000]).toEqual(['HTTP/1.1 408', true, true]);
    });
  });

  test('a body that comes byte by byte is cut after the time for the request', async () => {
    await withServer({ limits }, async (running) => {
      const socket = await running.connect();
      const closed = closing(socket);
      socket.write(`${HEAD}\r\n`);
      drip(socket, ' ');
      await servesAsEver(running);
      const { text, ms } = await closed;
      expect([text.slice(0, 12), ms >= 590, ms < 1_500]).toEqual(['HTTP/1.1 408', true, true]);
      expect(running.recorder.of('failedUnexpectedly')).toEqual([]);
    });
  });

  test('a client that closes its half in the middle of the body is cut', async () => {
    await withServer({ limits }, async ({ connect }) => {
      const socket = await connect();
      const closed = closing(socket);
      socket.end(`${HEAD}\r\n{`);
      expect((await closed).ms).toBeLessThan(1_500);
    });
  });

  test('a connection that was idle for six seconds serves the next review, which Node’s default of five would have lost', async () => {
    await withServer({}, async ({ connect }) => {
      const socket = await connect();
      const body = JSON.stringify(appReview());
      const review = `${HEAD.replace('100', String(body.length))}\r\n${body}`;
      const answers: string[] = [];
      socket.on('data', (chunk: Buffer) => answers.push(chunk.toString().slice(0, 12)));
      socket.write(review);
      // One second more than the five and the second that Node adds to them.
      await new Promise((resolve) => setTimeout(resolve, 7_000));
      socket.write(review);
      await until('the second review is answered', () => answers.length === 2);
      expect(answers).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
      socket.destroy();
    });
  }, 20_000);

  test('two hundred slow connections delay nobody: reviews beside them take hardly longer than without', async () => {
    await withServer({}, async (running) => {
      const alone = await slowestOf(50, running);
      const slow: Socket[] = [];
      // In tens: two hundred handshakes at once would be a load of another kind.
      while (slow.length < 200)
        slow.push(...(await Promise.all(Array.from({ length: 10 }, async () => running.connect()))));
      const closed = Promise.all(slow.map(closing));
      for (const [index, socket] of slow.entries()) setTimeout(drip, 2 * index, socket, HEAD, 500);
      expect(await slowestOf(50, running)).toBeLessThan(100 + 3 * alone);
      for (const socket of slow) socket.destroy();
      await closed;
    });
  }, 30_000);
});

/** Milliseconds of the slowest but one, of that many reviews one after the other. */
async function slowestOf(count: number, { post }: RunningServer): Promise<number> {
  const times: number[] = [];
  while (times.length < count) {
    const start = performance.now();
    await post(appReview());
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => b - a)[1] ?? 0;
}
