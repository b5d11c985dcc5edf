// Against a server that answers as IMDSv2 does.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { httpRequest } from '../../src/app-http.ts';
import { ownString } from '../../src/admission/json.ts';
import { createInstanceMetadata } from '../../src/identity/instance-metadata.ts';
import { addressOf } from '../../src/server/listen.ts';
import { createTestLog } from '../support/log.ts';
import { createTestRecorder } from '../support/recorder.ts';
import { until } from '../support/until.ts';

type Imds = (request: IncomingMessage, response: ServerResponse) => void;

/** Asks at once again after each failure, as often as it takes. */
async function withMetadata(
  imds: Imds,
  test: (parts: {
    metadata: ReturnType<typeof createInstanceMetadata>;
    log: ReturnType<typeof createTestLog>;
    waits: number[];
  }) => Promise<void>,
): Promise<void> {
  const server = createServer(imds);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const log = createTestLog();
  const waits: number[] = [];
  const metadata = createInstanceMetadata({
    endpoint: `http://127.0.0.1:${addressOf(server).port}`,
    request: async (method, url, options) => httpRequest(method, url, { ...options, timeoutMs: 100 }),
    sleep: async (milliseconds) => void waits.push(milliseconds),
    log: log.log,
    recorder: createTestRecorder(),
  });
  try {
    await test({ metadata, log, waits });
  } finally {
    metadata.close();
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  }
}

const good: Imds = (request, response) => {
  if (request.method === 'PUT' && request.url === '/latest/api/token') {
    const seconds = request.headers['x-aws-ec2-metadata-token-ttl-seconds'];
    response.writeHead(seconds === '21600' ? 200 : 400).end('TOKEN');
    return;
  }
  const known = request.headers['x-aws-ec2-metadata-token'] === 'TOKEN';
  response
    .writeHead(known ? 200 : 401)
    .end('{"accountId":"111122223333","region":"eu-isoe-west-1","instanceId":"i-1"}');
};

describe('createInstanceMetadata', () => {
  it('asks for a token, and with it for the identity of the instance', async () => {
    await withMetadata(good, async ({ metadata }) => {
      expect(metadata.current()).toBeUndefined();
      await until('an identity', () => metadata.current() !== undefined);
      expect(metadata.current()).toEqual({
        accountId: '111122223333',
        region: 'eu-isoe-west-1',
        partition: 'aws-iso-e',
      });
    });
  });

  it('asks again, each time later, up to a minute, until it is answered', async () => {
    let failures = 9;
    const imds: Imds = (request, response) => {
      failures -= 1;
      if (failures < 0) good(request, response);
      else response.writeHead(503).end();
    };
    await withMetadata(imds, async ({ metadata, waits, log }) => {
      await until('an identity', () => metadata.current() !== undefined);
      expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
      expect(log.messages()[0]).toBe('warn instance metadata does not answer; asked again');
      expect(log.lines[0]?.fields).toMatchObject({
        fix: 'give --aws-account-id, --aws-partition and --aws-default-region, or raise the hop limit of IMDSv2 to 2',
      });
    });
  });

  it.each<readonly [string, Imds, RegExp]>([
    ['a token that never comes, as beyond the hop limit', () => {}, /no answer within 100 ms/],
    [
      'a document that is refused',
      (request, response) => void response.writeHead(request.method === 'PUT' ? 200 : 404).end('T'),
      /identity document refused with status 404/,
    ],
    [
      'a document that is none',
      (request, response) => void response.end(request.method === 'PUT' ? 'T' : '<html>'),
      /JSON/,
    ],
    [
      'an account that is none',
      (request, response) =>
        void response.end(request.method === 'PUT' ? 'T' : '{"accountId":"1","region":"eu-west-1"}'),
      /accountId "1": want 12 digits/,
    ],
    [
      'a region that is none',
      (request, response) =>
        void response.end(request.method === 'PUT' ? 'T' : '{"accountId":"111122223333","region":"x"}'),
      /region "x": want the name of an AWS region/,
    ],
    [
      'an answer without end',
      (_, response) => void response.write('x'.repeat(200_000)),
      /longer than 65536 bytes|no answer within/,
    ],
  ])('does not take %s', async (_, imds, why) => {
    await withMetadata(imds, async ({ metadata, log }) => {
      await until('a warning', () => log.lines.length > 0);
      expect(ownString(log.lines[0]?.fields['error'], 'message')).toMatch(why);
      expect(metadata.current()).toBeUndefined();
    });
  });
});
