// Bodies that are no review, and how little they cost: each against the running server.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { Reply } from '../support/server.ts';
import { appReview, withServer } from '../support/server.ts';

const MIB = 1_048_576;

/** Status, whether the connection ends with it, and the error's sentence. */
function outcomeOf({ status, headers, text }: Reply): unknown {
  return [status, headers.connection, headers['content-type'], JSON.parse(text)];
}

function refused(status: number, connection: string, error: string): unknown {
  return [status, connection, 'application/json', { error }];
}

/** A review of exactly that many bytes. */
function reviewOfBytes(bytes: number): string {
  const review = JSON.stringify(appReview({ filling: '' }));
  return review.replace('"filling":""', `"filling":"${'x'.repeat(bytes - review.length)}"`);
}

describe('what is no JSON is a 400', () => {
  const review = JSON.stringify(appReview());
  test.each<[string, string | Buffer, string]>([
    ['malformed', '{"kind":}', 'the body is not JSON, or cut off'],
    ['cut off', review.slice(0, -1), 'the body is not JSON, or cut off'],
    ['empty', '', 'want an AdmissionReview, got an empty body'],
    ['null', 'null', 'want an AdmissionReview, got null'],
    ['a list', '[]', 'want an AdmissionReview, got a list'],
    ['a text', '"x"', 'want an AdmissionReview, got a string'],
    ['blanks', ' \n ', 'the body is not JSON, or cut off'],
    ['two values', `${review}{}`, 'the body is not JSON, or cut off'],
    ['with a byte order mark', `\ufeff${review}`, 'want JSON in UTF-8 without a mark, got a byte order mark'],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${review}`, 'utf16le'), 'want JSON in UTF-8 without a mark, got UTF-16'],
    ['UTF-16 big-endian', Buffer.from(review, 'utf16le').swap16(), 'want JSON in UTF-8 without a mark, got UTF-16'],
    ['UTF-16 without a mark', Buffer.from(review, 'utf16le'), 'want JSON in UTF-8 without a mark, got UTF-16'],
    [
      'Latin-1',
      Buffer.from('{"a":"\u00e4"}', 'latin1'),
      'want JSON in UTF-8 without a mark, got bytes that are not UTF-8',
    ],
    [
      'a surrogate in UTF-8',
      Buffer.from('7b2261223a22eda080227d', 'hex'),
      'want JSON in UTF-8 without a mark, got bytes that are not UTF-8',
    ],
  ])('%s', async (_, body, error) => {
    await withServer({}, async ({ post, recorder }) => {
      expect(outcomeOf(await post(body))).toEqual(refused(400, 'keep-alive', error));
      expect(recorder.of('failedUnexpectedly')).toEqual([]);
    });
  });
});

test.each<[string | undefined, number]>([
  [undefined, 415],
  ['text/plain', 415],
  ['multipart/form-data; boundary=x', 415],
  ['application/json; charset=utf-16', 415],
  ['application/jsonp', 415],
  ['application/json', 200],
  ['application/json; charset=utf-8', 200],
  ['Application/JSON;charset="UTF-8"; profile=x', 200],
])('Content-Type %s is %i', async (type, status) => {
  await withServer({}, async ({ request }) => {
    const headers = { Connection: 'keep-alive', ...(type === undefined ? {} : { 'Content-Type': type }) };
    const reply = await request({ method: 'POST', path: '/mutate', headers }, JSON.stringify(appReview()));
    expect(status === 200 ? reply.status : outcomeOf(reply)).toEqual(
      status === 200 ? 200 : refused(415, 'close', 'want Content-Type: application/json, in UTF-8'),
    );
  });
});

test.each([
  ['gzip', gzipSync(JSON.stringify(appReview()))],
  ['br', brotliCompressSync(JSON.stringify(appReview()))],
  ['gzip', gzipSync(Buffer.alloc(20 * MIB))],
  ['deflate', Buffer.from('x')],
  ['identity', Buffer.from(JSON.stringify(appReview()))],
])('Content-Encoding %s is 415, and nothing is inflated', async (encoding, body) => {
  await withServer({}, async ({ post }) => {
    const before = process.memoryUsage().rss;
    const reply = await post(body, { headers: { 'Content-Encoding': encoding } });
    expect(outcomeOf(reply)).toEqual(refused(415, 'close', 'want a body without Content-Encoding'));
    expect(process.memoryUsage().rss - before).toBeLessThan(15 * MIB);
  });
});

describe('size', () => {
  const tooLarge = 'want a body of at most 7340032 bytes';

  test('20 MB that are announced are refused unread, and the connection ends', async () => {
    await withServer({}, async ({ connect }) => {
      const socket = await connect();
      socket.write(
        'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n{',
      );
      const answer = await textOf(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 413 Payload Too Large\r\nConnection: close\r\n/);
      expect(answer.split('\r\n\r\n')[1]).toBe(`{"error":"${tooLarge}"}\n`);
    });
  });

  test('20 MB in chunks are refused as soon as the limit is passed', async () => {
    await withServer({}, async ({ connect }) => {
      const socket = await connect();
      socket.write(
        'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
      );
      const chunk = `100000\r\n${'x'.repeat(MIB)}\r\n`;
      let sent = 0;
      const answer = textOf(socket);
      const answered = new AbortController();
      socket.once('data', () => answered.abort());
      while (sent < 20 && !answered.signal.aborted) {
        sent += 1;
        await new Promise((resolve) => socket.write(chunk, resolve));
      }
      expect(await answer).toMatch(/^HTTP\/1\.1 413 Payload Too Large\r\nConnection: close\r\n/);
      expect(sent).toBeLessThan(20);
    });
  });

  test('a client that looks at the answer late, and sends until then, can read it', async () => {
    await withServer({}, async ({ connect }) => {
      const socket = await connect();
      socket.pause();
      socket.write(
        'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n',
      );
      for (let piece = 0; piece < 20; piece += 1) {
        socket.write('x'.repeat(65_536));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 413 /);
    });
  });

  test('exactly 7 MiB are decided, and a byte more is not', async () => {
    await withServer({}, async ({ post }) => {
      expect((await post(reviewOfBytes(7 * MIB))).status).toBe(200);
      expect(outcomeOf(await post(reviewOfBytes(7 * MIB + 1)))).toEqual(refused(413, 'close', tooLarge));
    });
  });

  test('200 kB are decided like any other review', async () => {
    await withServer({}, async ({ post, recorder }) => {
      expect((await post(reviewOfBytes(200_000))).status).toBe(200);
      expect(recorder.of('decided').map(([decision]) => decision)).toEqual([
        { kind: 'patch', reason: 'injected', method: 'sts_web_identity', seconds: expect.any(Number) },
      ]);
    });
  });
});

// A quarter of a second on a quiet machine, of which the sender takes its part here; unguarded, 0.7 to 1.8 seconds.
describe('shape: the event loop does not stand still', () => {
  const keys = Array.from({ length: 1_000_000 }, (_, index) => `"${index.toString(36)}":0`).join(',');
  const deep = 'want JSON of at most 200 levels';
  const many = 'want JSON of at most 200000 values';
  test.each([
    ['201 levels', () => nested(201), 400, deep],
    ['10,000 levels', () => nested(10_000), 400, deep],
    ['a million levels', () => nested(1_000_000), 400, deep],
    ['3.5 million levels', () => nested(3_500_000), 400, deep],
    ['a million levels of objects', () => '{"a":'.repeat(1_000_000), 400, deep],
    ['a million keys', () => `{${keys}}`, 413, 'want a body of at most 7340032 bytes'],
    ['700,000 keys', () => `{${keys.slice(0, 6_000_000)}`, 413, many],
    ['two million empty lists', () => `[${'[],'.repeat(2_000_000)}0]`, 413, many],
    ['a string of 5 MB', () => JSON.stringify('['.repeat(5_000_000)), 400, 'want an AdmissionReview, got a string'],
  ])('%s', async (_, bodyOf, status, error) => {
    const body = Buffer.from(bodyOf());
    await withServer({}, async ({ post }) => {
      const loop = watchLoop();
      const reply = await post(body);
      const longest = loop.stop();
      expect(outcomeOf(reply)).toEqual(refused(status, body.length > 7 * MIB ? 'close' : 'keep-alive', error));
      expect(longest).toBeLessThan(600);
    });
  });

  test('200 levels and 200,000 values are decided', async () => {
    const values = Array.from({ length: 199_980 }, () => 0);
    const levels: unknown = JSON.parse(nested(195));
    await withServer({}, async ({ post }) => {
      expect((await post(appReview({ object: { metadata: {}, spec: { levels } } }))).status).toBe(200);
      expect((await post(appReview({ object: { metadata: {}, spec: { values } } }))).status).toBe(200);
    });
  });
});

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

/** The longest turn of the event loop, in milliseconds. */
function watchLoop(): { stop(): number } {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  return {
    stop() {
      clearInterval(timer);
      return Math.max(longest, performance.now() - last);
    },
  };
}

async function textOf(socket: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  try {
    for await (const chunk of socket) text += chunk.toString();
  } catch {
    // A reset after the answer.
  }
  return text;
}
