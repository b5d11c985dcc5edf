// What happens to the process around the server: an output that nobody reads, more bodies than memory.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { expect, test } from '@jest/globals';
import { ownField } from '../../src/admission/json.ts';
import type { Reply } from '../support/server.ts';
import { appReview, call } from '../support/server.ts';

const MIB = 1_048_576;

interface ServerProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly ca: string;
  readonly post: (body: string) => Promise<Reply>;
  /** Sends the word, and returns the answer to it. */
  readonly tell: (word: string) => Promise<unknown>;
}

async function withProcess(flags: readonly string[], run: (server: ServerProcess) => Promise<void>): Promise<void> {
  const child = fork(new URL('../support/server-process.ts', import.meta.url), {
    execArgv: [...flags],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  try {
    const started = await messageFrom(child);
    const [port, ca] = [Number(ownField(started, 'port')), String(ownField(started, 'ca'))];
    const headers = { 'Content-Type': 'application/json' };
    await run({
      child,
      port,
      ca,
      post: async (body) => call({ port, ca, method: 'POST', path: '/mutate', headers }, body),
      async tell(word) {
        child.send(word);
        return messageFrom(child);
      },
    });
  } finally {
    child.kill('SIGKILL');
  }
}

async function messageFrom(child: ChildProcess): Promise<unknown> {
  const values: unknown[] = await once(child, 'message');
  return values[0];
}

/** The statuses of that many reviews, four at a time, and the longest time of one. */
async function reviews({ post }: ServerProcess, count: number): Promise<{ statuses: unknown[]; longestMs: number }> {
  const review = JSON.stringify(appReview());
  const statuses: unknown[] = [];
  let longestMs = 0;
  const client = async (): Promise<void> => {
    while (statuses.length < count) {
      const start = performance.now();
      const { status } = await post(review);
      statuses.push(status);
      longestMs = Math.max(longestMs, performance.now() - start);
    }
  };
  await Promise.all([1, 2, 3, 4].map(client));
  return { statuses: [...new Set(statuses)], longestMs };
}

test('reviews are answered when standard output is closed, and the process can end', async () => {
  await withProcess([], async (server) => {
    server.child.stdout?.destroy();
    expect((await reviews(server, 40)).statuses).toEqual([200]);
    const exited = once(server.child, 'exit');
    server.child.send('end');
    expect(await exited).toEqual([0, null]);
  });
}, 20_000);

test('reviews are answered when the reader of standard output stands still; lines are dropped and counted', async () => {
  await withProcess([], async (server) => {
    server.child.stdout?.pause();
    expect(ownField(await server.tell('fill'), 'dropped')).toBeGreaterThan(1_000);
    const { statuses, longestMs } = await reviews(server, 40);
    expect([statuses, longestMs < 2_000]).toEqual([[200], true]);
    expect(await server.tell('how are you')).toMatchObject({ failures: 0 });
  });
}, 20_000);

test('a hundred bodies of 7 MiB at once are shed with 503, small reviews are served, and memory holds', async () => {
  const big = Buffer.from(JSON.stringify(appReview({ filling: 'x'.repeat(7 * MIB - 1_000) })));
  await withProcess(['--max-old-space-size=64'], async (server) => {
    expect((await reviews(server, 20)).statuses).toEqual([200]);
    const storm = Promise.all(Array.from({ length: 100 }, async () => outcomeOf(server, big)));
    const beside = await reviews(server, 20);
    const outcomes = await storm;
    expect([...new Set(outcomes)].toSorted().filter((outcome) => outcome !== '200')).toEqual(['503 1']);
    expect(beside.statuses).toEqual([200]);
    const told = await server.tell('how are you');
    expect([ownField(told, 'failures'), Number(ownField(told, 'maxRssMiB')) < 256, server.child.exitCode]).toEqual([
      0,
      true,
      null,
    ]);
    expect((await reviews(server, 4)).statuses).toEqual([200]);
  });
}, 60_000);

/** Status and Retry-After of the answer to a body that is sent as fast as it is taken. */
async function outcomeOf({ port, ca }: ServerProcess, body: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', ca });
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    let failure = 'no answer';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = `${error.code ?? error.message} ${sent} ${socket.authorized}`;
    });
    let sent = 0;
    socket.once('close', () => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? failure;
      resolve([status, /retry-after: (\S+)/i.exec(text)?.[1] ?? ''].join(' ').trim());
    });
    socket.write(
      `POST /mutate HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    // In pieces, with a look at the answer after each, as a client with threads has.
    const sendOn = (): void => {
      const piece = body.subarray(sent, sent + 65_536);
      sent += piece.length;
      if (piece.length > 0 && text === '' && socket.writable) socket.write(piece, () => setImmediate(sendOn));
    };
    sendOn();
  });
}
