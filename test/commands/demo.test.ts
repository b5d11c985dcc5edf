// `demo` against the real standalone server, and against servers that answer what they must not.
import type { IncomingMessage } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { isObject, ownField } from '../../src/admission/json.ts';
import { startStandalone } from '../../src/app-standalone.ts';
import { issueSelfSigned } from '../../src/certificates/self-signed.ts';
import type { DemoServer } from '../../src/commands/demo.ts';
import { runDemo } from '../../src/commands/demo.ts';
import type { Answer } from '../../src/commands/example-review.ts';
import { reviewOfPod } from '../../src/commands/example-review.ts';
import { createTestIo } from '../support/command-io.ts';

const GOLDEN = join(import.meta.dirname, 'demo.txt');
const UID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const EXAMPLES = join(import.meta.dirname, '../../examples');

describe('demo', () => {
  test('shows the main job on one screen, with the real server', async () => {
    const io = createTestIo(exampleFiles());
    let url = '';
    const exit = await runDemo(
      {
        examplesDirectory: EXAMPLES,
        async start(directory) {
          const server = await startStandalone(directory);
          ({ url } = server);
          return server;
        },
      },
      io,
    );
    const { out, err } = io.written();
    const shown = out.replaceAll(url, 'https://127.0.0.1:PORT');
    if (process.env['UPDATE_CASES'] !== undefined) writeFileSync(GOLDEN, shown);
    expect({ exit, err, shown }).toEqual({ exit: 0, err: '', shown: readFileSync(GOLDEN, 'utf8') });
  });

  test('paints what is added', async () => {
    const io = createTestIo(exampleFiles(), true);
    await runDemo({ examplesDirectory: EXAMPLES, start: startStandalone }, io);
    const shown = io.written().out.replaceAll(/127\.0\.0\.1:[0-9]+(?=\/mutate\))/g, '127.0.0.1:PORT');
    const [plain = '', ...painted] = shown.split('\u001B[');
    const green = painted.filter((part) => part.startsWith('32m')).map((part) => part.slice('32m'.length));
    const text = plain + painted.map((part) => part.replace(/^[0-9]+m/, '')).join('');
    expect(text).toBe(readFileSync(GOLDEN, 'utf8'));
    expect(green.map((line) => `   ${line}`)).toEqual(text.split('\n').filter((line) => /^ {3}\+/.test(line)));
  });

  test('asks as the API server does', async () => {
    const calls: unknown[] = [];
    const { closed } = await demoWith(async (request) => {
      const { method, url, headers } = request;
      const { host: _host, connection: _connection, ...sent } = headers;
      calls.push({ method, url, sent, body: await json(request) });
      return { status: 200, body: '{}' };
    });
    const review: unknown = JSON.parse(readFileSync(join(EXAMPLES, 'review.json'), 'utf8'));
    expect([calls, closed]).toEqual([
      [
        {
          method: 'POST',
          url: '/mutate?timeout=5s',
          sent: {
            'user-agent': 'kube-apiserver-admission',
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(JSON.stringify(review))),
            accept: 'application/json, */*',
            'accept-encoding': 'gzip',
          },
          body: review,
        },
      ],
      1,
    ]);
  });

  test('fails with a sentence where the answer is not what it must be, and stops the server', async () => {
    const { exit, err, out, closed } = await demoWith(async () => ({ status: 503, body: '{"error":"not synced"}' }));
    expect({ exit, err, out, closed }).toEqual({
      exit: 1,
      err: 'the demo failed: the webhook answered HTTP 503 where it must answer 200: {"error":"not synced"}\n',
      out: '',
      closed: 1,
    });
  });

  test('fails with a sentence where there is no answer', async () => {
    const { exit, err, closed } = await demoWith(async (request) => {
      request.socket.destroy();
      return { status: 200, body: '' };
    });
    expect([exit, err.replace(/127\.0\.0\.1:[0-9]+/, '127.0.0.1:PORT'), closed]).toEqual([
      1,
      'the demo failed: https://127.0.0.1:PORT did not answer: socket hang up\n',
      1,
    ]);
  });

  test('says which example is missing or broken, and starts nothing', async () => {
    const broken: readonly Readonly<Record<string, string>>[] = [
      {},
      { 'dir/serviceaccount.yaml': '', 'dir/pod.yaml': 'a: "b' },
      { 'dir/serviceaccount.yaml': '', 'dir/pod.yaml': '' },
    ];
    const outcomes = broken.map(async (files) => {
      const io = createTestIo(files);
      return [await runDemo({ examplesDirectory: 'dir', start: startNothing }, io), io.written().err];
    });
    expect(await Promise.all(outcomes)).toEqual([
      [
        2,
        'dir/serviceaccount.yaml: there is no such file; correct the path\n' +
          'dir/pod.yaml: there is no such file; correct the path\n',
      ],
      [2, 'dir/pod.yaml:1: not YAML: missing closing "quote; close what is opened on this line\n'],
      [2, 'dir/pod.yaml: there is no Pod in it; put the example pod back\n'],
    ]);
  });
});

describe('examples/review.json', () => {
  test('is the review of pod.yaml', () => {
    const pod: unknown = parse(readFileSync(join(EXAMPLES, 'pod.yaml'), 'utf8'));
    if (!isObject(pod)) throw new Error('pod.yaml holds no object');
    const want = `${JSON.stringify(reviewOfPod(pod, UID), null, 2)}\n`;
    const file = join(EXAMPLES, 'review.json');
    if (process.env['UPDATE_CASES'] !== undefined) writeFileSync(file, want);
    expect(readFileSync(file, 'utf8')).toBe(want);
  });
});

async function startNothing(): Promise<never> {
  throw new Error('started');
}

interface Outcome {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  /** How often the demo has stopped its server. */
  readonly closed: number;
}

/** Runs the demo against a server with this answer. */
async function demoWith(answer: (request: IncomingMessage) => Promise<Answer>): Promise<Outcome> {
  const { caPem, certPem, keyPem } = await issueSelfSigned({ names: ['127.0.0.1'], lifetimeMs: 60_000, now: Date.now });
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    answer(request).then(
      ({ status, body }) => response.writeHead(status).end(body),
      (error: unknown) => response.destroy(new Error(String(error))),
    );
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  const url = `https://127.0.0.1:${String(ownField(server.address(), 'port'))}`;
  let closed = 0;
  const close = async (): Promise<void> => {
    closed += 1;
    await new Promise((resolve) => server.close(resolve));
  };
  const io = createTestIo(exampleFiles());
  const start = async (): Promise<DemoServer> => ({ url, adminUrl: '', caPem, close });
  const exit = await runDemo({ examplesDirectory: EXAMPLES, start }, io);
  return { exit, ...io.written(), closed };
}

function exampleFiles(): Record<string, string> {
  const names = ['serviceaccount.yaml', 'pod.yaml'].map((name) => join(EXAMPLES, name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(name, 'utf8')]));
}
