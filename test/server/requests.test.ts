// Requests that no API server sends, against the running server.
import { describe, expect, test } from '@jest/globals';
import type { RunningServer } from '../support/server.ts';
import { appReview, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** Everything that the server says to these bytes until it closes, or `end` is in it. */
async function answerTo({ connect }: RunningServer, bytes: string, end?: RegExp): Promise<string> {
  const socket = await connect();
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (end?.test(text) === true) socket.destroy();
    });
    socket.once('close', () => resolve(text));
    socket.write(bytes);
  });
}

function pipelined(count: number): string {
  const requests = Array.from({ length: count }, (_, index) => {
    const body = JSON.stringify(appReview({ uid: `uid-${index}` }));
    return `POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  });
  return requests.join('');
}

function statusOf(answer: string): string | undefined {
  return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
}

test.each([
  ['GET', '/mutate', 405, 'POST', 'want POST'],
  ['PUT', '/mutate', 405, 'POST', 'want POST'],
  ['DELETE', '/mutate', 405, 'POST', 'want POST'],
  ['PATCH', '/mutate', 405, 'POST', 'want POST'],
  ['OPTIONS', '/mutate', 405, 'POST', 'want POST'],
  ['TRACE', '/mutate', 405, 'POST', 'want POST'],
  ['POST', '/healthz', 405, 'GET, HEAD', 'want GET, HEAD'],
  ['POST', '/', 404, undefined, 'no such path; want /mutate or /healthz'],
  ['POST', '/mutate/', 404, undefined, 'no such path; want /mutate or /healthz'],
  ['POST', '/Mutate', 404, undefined, 'no such path; want /mutate or /healthz'],
  ['POST', '/mutate%2f..', 404, undefined, 'no such path; want /mutate or /healthz'],
  ['GET', '/%ff%', 404, undefined, 'no such path; want /mutate or /healthz'],
  ['GET', '//x:y/mutate', 404, undefined, 'no such path; want /mutate or /healthz'],
  ['GET', '/__proto__', 404, undefined, 'no such path; want /mutate or /healthz'],
])('%s %s is %i', async (method, path, status, allow, error) => {
  await withServer({}, async ({ request, recorder }) => {
    const reply = await request({ method, path });
    expect([reply.status, reply.headers.allow, reply.headers['content-type'], JSON.parse(reply.text)]).toEqual([
      status,
      allow,
      'application/json',
      { error },
    ]);
    expect([reply.headers['x-powered-by'], reply.headers.etag, recorder.of('failedUnexpectedly')]).toEqual([
      undefined,
      undefined,
      [],
    ]);
  });
});

test('/healthz says that the process is alive, to GET and HEAD', async () => {
  await withServer({}, async ({ request }) => {
    const replies = [await request({ path: '/healthz' }), await request({ method: 'HEAD', path: '/healthz' })];
    expect(replies.map(({ status, text }) => [status, text])).toEqual([
      [200, 'ok'],
      [200, ''],
    ]);
  });
});

describe('what is no HTTP', () => {
  const head = 'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
  test.each([
    ['a header of 20 KB', `${head}X: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
    ['Content-Length and Transfer-Encoding', `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`, '400'],
    ['two Content-Lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, '400'],
    ['a Content-Length that is no number', `${head}Content-Length: 2x\r\n\r\n{}`, '400'],
    ['a negative Content-Length', `${head}Content-Length: -1\r\n\r\n{}`, '400'],
    ['a chunk size that is no number', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`, '400'],
    ['no Host', 'POST /mutate HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}', '400'],
    ['an unknown method', 'BREW /mutate HTTP/1.1\r\nHost: a\r\n\r\n', '400'],
    ['a NUL in a header', `${head}X: \0\r\n\r\n`, '400'],
  ])('%s is refused, and the connection ends', async (_, bytes, status) => {
    await withServer({}, async (running) => {
      expect(statusOf(await answerTo(running, bytes))).toBe(status);
      expect((await running.post(appReview())).status).toBe(200);
    });
  });

  test('CONNECT ends the connection, and an upgrade is not made', async () => {
    await withServer({}, async (running) => {
      expect(await answerTo(running, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('');
      const upgrade = 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
      expect(statusOf(await answerTo(running, upgrade, /ok$/))).toBe('200');
    });
  });

  test('a target that is no path has no handler; one with a host has that of its path', async () => {
    await withServer({}, async (running) => {
      const answers = [
        await answerTo(running, 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', /\}\n$/),
        await answerTo(running, 'GET http://elsewhere/healthz HTTP/1.1\r\nHost: a\r\n\r\n', /ok$/),
        await answerTo(running, 'GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n', /\r\n\r\n/),
      ];
      expect(answers.map(statusOf)).toEqual(['404', '200', '417']);
    });
  });

  test('200 headers are taken', async () => {
    await withServer({}, async ({ post }) => {
      const headers = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`X-${index}`, 'x']));
      expect((await post(appReview(), { headers })).status).toBe(200);
    });
  });
});

describe('pipelined reviews', () => {
  test('a hundred are answered in their order, each with its own uid', async () => {
    await withServer({}, async (running) => {
      const text = await answerTo(running, pipelined(100), /uid-99"[^]*\}$/);
      const uids = [...text.matchAll(/"uid":"([^"]+)"/g)].map(([, uid]) => uid);
      expect(uids).toEqual(Array.from({ length: 100 }, (_, index) => `uid-${index}`));
    });
  });

  test('a flood behind an answer that takes its time costs the connection', async () => {
    await withServer({ mutate: async () => new Promise(() => {}) }, async (running) => {
      expect(await answerTo(running, pipelined(1_000))).toBe('');
      expect(running.recorder.of('inFlight').length).toBeLessThan(3);
    });
  });
});

test('requests are counted with verb, path and code, and reviews that were cut off as 499', async () => {
  await withServer({}, async (running) => {
    const { post, request, connect, recorder } = running;
    await post(appReview());
    await request({ path: '/mutate?timeout=1s' });
    await request({ path: '/elsewhere' });
    const socket = await connect();
    socket.write('POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{');
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await until('four requests are counted', () => recorder.of('requested').length === 4);
    expect(recorder.of('requested').map(([event]) => event)).toEqual([
      { verb: 'POST', path: '/mutate', code: 200, seconds: expect.any(Number) },
      { verb: 'GET', path: '/mutate', code: 405, seconds: expect.any(Number) },
      { verb: 'GET', path: '/elsewhere', code: 404, seconds: expect.any(Number) },
      { verb: 'POST', path: '/mutate', code: 499, seconds: expect.any(Number) },
    ]);
    expect([recorder.of('failedUnexpectedly'), recorder.of('decided').length]).toEqual([[], 1]);
  });
});
