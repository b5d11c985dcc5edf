// The metrics port as it runs.
import { request } from 'node:http';
import type { RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { createMetrics } from '../../src/observe/metrics.ts';
import type { AdminOptions, AdminServer, Condition } from '../../src/server/admin.ts';
import { createAdminServer } from '../../src/server/admin.ts';
import { SOCKET_LIMITS } from '../../src/server/limits.ts';
import type { TestLog } from '../support/log.ts';
import { createTestLog } from '../support/log.ts';
import type { TestRecorder } from '../support/recorder.ts';
import { createTestRecorder } from '../support/recorder.ts';

interface RunningAdmin {
  readonly server: AdminServer;
  readonly port: number;
  readonly log: TestLog;
  readonly recorder: TestRecorder;
  readonly get: (
    path: string,
    options?: RequestOptions,
  ) => Promise<readonly [number | undefined, string | undefined, string]>;
}

async function withAdmin(options: Partial<AdminOptions>, run: (admin: RunningAdmin) => Promise<void>): Promise<void> {
  const log = createTestLog();
  const recorder = createTestRecorder();
  const server = createAdminServer({
    port: 0,
    host: '127.0.0.1',
    conditions: () => [],
    scrape: async () => ({ contentType: 'text/plain', body: '' }),
    log: log.log,
    recorder,
    ...options,
  });
  await server.listen();
  const { port } = server.address();
  const get: RunningAdmin['get'] = async (path, requestOptions) =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, path, agent: false, ...requestOptions }, (response) => {
        text(response).then((body) => resolve([response.statusCode, response.headers['content-type'], body]), reject);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  try {
    await run({ server, port, log, recorder, get });
  } finally {
    await server.close();
  }
}

const plain = 'text/plain; charset=utf-8';

test('alive is what answers, whatever is not ready', async () => {
  const conditions = (): readonly Condition[] => [{ name: 'caches', ok: false, message: 'not synced' }];
  await withAdmin({ conditions }, async ({ get }) => {
    expect([await get('/livez'), await get('/healthz')]).toEqual([
      [200, plain, 'ok\n'],
      [200, plain, 'ok\n'],
    ]);
  });
});

test('/readyz asks the conditions each time, and tells which of them fail and why', async () => {
  let cachesAreSynced = false;
  const conditions = (): readonly Condition[] => [
    { name: 'certificate', ok: true, message: 'until tomorrow' },
    { name: 'caches', ok: cachesAreSynced, message: cachesAreSynced ? '' : 'the ServiceAccounts are not listed yet' },
  ];
  await withAdmin({ conditions }, async ({ get }) => {
    const failing = '[-]caches failed: the ServiceAccounts are not listed yet\nnot ready\n';
    expect([await get('/readyz'), await get('/readyz?verbose'), await get('/readyz?verbose=1')]).toEqual([
      [503, plain, failing],
      [503, plain, `[+]certificate ok: until tomorrow\n${failing}`],
      [503, plain, `[+]certificate ok: until tomorrow\n${failing}`],
    ]);
    cachesAreSynced = true;
    expect([await get('/readyz'), await get('/readyz?verbose')]).toEqual([
      [200, plain, 'ok\n'],
      [200, plain, '[+]certificate ok: until tomorrow\n[+]caches ok\nok\n'],
    ]);
  });
});

test('/metrics is what Prometheus reads', async () => {
  const metrics = createMetrics({ version: '1', commit: 'c', node: 'v24' });
  await withAdmin({ scrape: metrics.scrape }, async ({ get }) => {
    const [status, type, body] = await get('/metrics');
    expect([
      status,
      type,
      body.includes('\npod_identity_webhook_build_info{version="1",commit="c",node="v24"} 1\n'),
    ]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8', true]);
  });
});

test.each([
  ['POST', '/metrics', 405, 'want GET, HEAD'],
  ['DELETE', '/readyz', 405, 'want GET, HEAD'],
  ['POST', '/livez', 405, 'want GET, HEAD'],
  ['GET', '/', 404, 'no such path; want /metrics, /livez, /readyz or /healthz'],
  ['GET', '/mutate', 404, 'no such path; want /metrics, /livez, /readyz or /healthz'],
  ['GET', '/debug/alpha/cache', 404, 'no such path; want /metrics, /livez, /readyz or /healthz'],
  ['GET', '/LIVEZ', 404, 'no such path; want /metrics, /livez, /readyz or /healthz'],
])('%s %s is %i', async (method, path, status, error) => {
  await withAdmin({}, async ({ get }) => {
    expect(await get(path, { method })).toEqual([status, 'application/json', `${JSON.stringify({ error })}\n`]);
  });
});

test('what throws is a 500 without a word of it, counted and logged', async () => {
  const scrape = async (): Promise<never> => Promise.reject(new Error('secret'));
  const conditions = (): never => {
    throw new Error('secret, too');
  };
  await withAdmin({ scrape, conditions }, async ({ get, log, recorder }) => {
    const answer = [500, 'application/json', '{"error":"unexpected error; the log of the webhook has more"}\n'];
    expect([await get('/metrics'), await get('/readyz')]).toEqual([answer, answer]);
    expect([log.messages(), recorder.events]).toEqual([
      ['error unexpected error', 'error unexpected error'],
      [
        ['failedUnexpectedly', 'admin'],
        ['failedUnexpectedly', 'admin'],
      ],
    ]);
  });
});

test('slow headers are cut here, too', async () => {
  const limits = { ...SOCKET_LIMITS, headersTimeoutMs: 200, checkIntervalMs: 50 };
  await withAdmin({ limits }, async ({ port, get }) => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 /);
    expect((await get('/livez'))[0]).toBe(200);
  });
});

test('the end closes kept connections', async () => {
  await withAdmin({}, async ({ server, port }) => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await server.close();
    await closed;
    expect(socket.destroyed).toBe(true);
  });
});
