import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, test } from '@jest/globals';
import type { KubeClient, KubeClientOptions } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import type { ApiServer } from '../support/api-server.ts';
import { SERVICE_ACCOUNTS, withApiServer } from '../support/api-server.ts';
import { createAuthority } from '../support/certificates.ts';
import { failureOf } from '../support/failure.ts';
import { until } from '../support/until.ts';

const PATH = '/api/v1/namespaces/shop/serviceaccounts/cart';
const signal = new AbortController().signal;

async function withClient(
  server: ApiServer,
  use: (client: KubeClient) => Promise<void>,
  options: Partial<KubeClientOptions> = {},
): Promise<void> {
  const client = createKubeClient({ config: server.kubeConfig(), ...options });
  try {
    await use(client);
  } finally {
    client.close();
  }
}

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'client-test-'));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('a read gives status and parsed body over one kept connection', async () => {
  await withApiServer({}, async (server) => {
    server.objects.put(SERVICE_ACCOUNTS, { metadata: { namespace: 'shop', name: 'cart' } });
    await withClient(
      server,
      async (client) => {
        for (let call = 0; call < 5; call += 1) {
          expect(await client.get(PATH, { signal })).toEqual({
            status: 200,
            body: { metadata: { namespace: 'shop', name: 'cart', resourceVersion: '1001' } },
            retryAfterSeconds: undefined,
          });
        }
        expect(server.connections()).toBe(1);
        const { accept, userAgent, authorization } = server.requests[0] ?? {};
        expect({ accept, userAgent, authorization }).toEqual({
          accept: 'application/json',
          userAgent: 'webhook/1.2',
          authorization: undefined,
        });
      },
      { userAgent: 'webhook/1.2' },
    );
  });
});

test('an answer that is no success is an answer, with its Retry-After', async () => {
  await withApiServer({}, async (server) => {
    server.fail('get', { status: 503, headers: { 'retry-after': '7' }, body: 'no JSON' });
    server.fail('get', { status: 429, headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, body: '{}' });
    await withClient(server, async (client) => {
      expect(await client.get(PATH, { signal })).toEqual({ status: 503, body: 'no JSON', retryAfterSeconds: 7 });
      expect(await client.get(PATH, { signal })).toEqual({ status: 429, body: {}, retryAfterSeconds: undefined });
    });
  });
});

test('a success that is no JSON fails without showing what came', async () => {
  await withApiServer({}, async (server) => {
    server.fail('get', { status: 200, body: 'secret-password' });
    await withClient(server, async (client) => {
      expect(await failureOf(client.get(PATH, { signal }))).toEqual({
        code: 'garbage',
        message: 'the API server sent 15 characters that are not JSON',
      });
    });
  });
});

test('a token file is read with its newline cut off, and read anew when the API server refuses it', async () => {
  await withApiServer({}, async (server) => {
    await withDirectory(async (directory) => {
      const tokenFile = join(directory, 'token');
      writeFileSync(tokenFile, 'first\n');
      server.tokens.add('first');
      const config = server.kubeConfig();
      config.users = [{ name: 'test', authProvider: { name: 'tokenFile', config: { tokenFile } } }];
      await withClient(
        server,
        async (client) => {
          expect((await client.get(PATH, { signal })).status).toBe(404);
          writeFileSync(tokenFile, 'second\n');
          server.tokens.clear();
          server.tokens.add('second');
          expect((await client.get(PATH, { signal })).status).toBe(404);
          expect((await client.get(PATH, { signal })).status).toBe(404);
          server.tokens.clear();
          server.tokens.add('third');
          expect((await client.get(PATH, { signal })).status).toBe(401);
        },
        { config },
      );
      expect(server.requests.map(({ authorization }) => authorization)).toEqual([
        'Bearer first',
        'Bearer first',
        'Bearer second',
        'Bearer second',
        'Bearer second',
        'Bearer second',
      ]);
    });
  });
});

test('a token file that is gone is a failure that names it', async () => {
  await withApiServer({}, async (server) => {
    const config = server.kubeConfig();
    config.users = [{ name: 'test', authProvider: { name: 'tokenFile', config: { tokenFile: '/nowhere/token' } } }];
    const failure = failureOf(createKubeClient({ config }).get(PATH, { signal }));
    expect(await failure).toEqual({
      code: 'credentials',
      message:
        "credentials for the API server cannot be read: ENOENT: no such file or directory, open '/nowhere/token'",
    });
  });
});

test('a rotated CA file is taken by the next call', async () => {
  await withApiServer({}, async (server) => {
    await withDirectory(async (directory) => {
      const caFile = join(directory, 'ca.crt');
      const other = await createAuthority();
      writeFileSync(caFile, other.caPem);
      const config = new KubeConfig();
      config.loadFromClusterAndUser(
        { name: 'test', server: server.url, caFile, skipTLSVerify: false },
        { name: 'test' },
      );
      await withClient(
        server,
        async (client) => {
          expect((await failureOf(client.get(PATH, { signal })))['code']).toBe('connection');
          writeFileSync(caFile, server.authority.caPem);
          expect((await client.get(PATH, { signal })).status).toBe(404);
        },
        { config },
      );
    });
  });
});

test('a call on a kept connection that the server has just closed is made again on another', async () => {
  await withApiServer({}, async (server) => {
    await withClient(server, async (client) => {
      await client.get(PATH, { signal });
      server.fail('get', 'reset');
      expect((await client.get(PATH, { signal })).status).toBe(404);
      server.fail('get', 'reset', 9);
      expect((await failureOf(client.get(PATH, { signal })))['code']).toBe('connection');
      expect(server.countOf('get')).toBe(5);
    });
  });
});

test('silence ends a call, before the head and in the middle of the body', async () => {
  await withApiServer({}, async (server) => {
    server.fail('get', 'black-hole');
    server.fail('page', { lines: 0, ending: 'black-hole' });
    const impatient = { headersTimeoutMs: 80 };
    await withClient(
      server,
      async (client) => {
        expect(await failureOf(client.get(PATH, { signal }))).toEqual({
          code: 'silent',
          message: 'no answer from the API server for 80 ms',
        });
      },
      impatient,
    );
    await withClient(server, async (client) => {
      expect(await failureOf(client.get(SERVICE_ACCOUNTS, { signal, timeoutMs: 300 }))).toEqual({
        code: 'silent',
        message: `no complete answer to GET ${SERVICE_ACCOUNTS} within 300 ms`,
      });
    });
  });
});

test('a refused watch whose refusal has no end is given up', async () => {
  const server = createServer((_request, response) => void response.writeHead(503).write('{"message":'));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const config = new KubeConfig();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u' });
  const client = createKubeClient({ config, headersTimeoutMs: 80 });
  try {
    const events = client.stream(SERVICE_ACCOUNTS, { signal, idleMs: () => 2000 });
    expect(await failureOf(events.next())).toEqual({
      code: 'silent',
      message: 'answer 503 had no end for 80 ms',
    });
  } finally {
    client.close();
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  }
});

test('an aborted call ends at once and leaves no connection', async () => {
  await withApiServer({}, async (server) => {
    await withClient(server, async (client) => {
      server.fail('get', 'black-hole');
      const abort = new AbortController();
      const failure = failureOf(client.get(PATH, { signal: abort.signal }));
      await until('the call arrives', () => server.countOf('get') === 1);
      abort.abort();
      expect((await failure)['code']).toBe('connection');
      await until('the connection is gone', () => server.connections() === 0);
      expect((await client.get(PATH, { signal })).status).toBe(404);
    });
  });
});

test('no API server is a failure with the reason of the system', async () => {
  await withApiServer({ stopped: true }, async (server) => {
    await withClient(server, async (client) => {
      expect(await failureOf(client.get(PATH, { signal }))).toEqual({
        code: 'connection',
        message: `connection to the API server failed: connect ECONNREFUSED ${server.url.replace('https://', '')}`,
      });
    });
  });
});

test('a token that no header can hold is a failure, not an exception of its own kind', async () => {
  await withApiServer({}, async (server) => {
    const config = server.kubeConfig('two\nlines');
    expect((await failureOf(createKubeClient({ config }).get(PATH, { signal })))['code']).toBe('connection');
  });
});

test('a server below a path is called below that path', async () => {
  await withApiServer({}, async (server) => {
    const config = new KubeConfig();
    const caData = Buffer.from(server.authority.caPem).toString('base64');
    const cluster = { name: 'test', server: `${server.url}/k8s/clusters/c-1/`, caData, skipTLSVerify: false };
    config.loadFromClusterAndUser(cluster, { name: 'test' });
    await withClient(server, async (client) => void (await client.get(PATH, { signal })), { config });
    expect(server.requests.map(({ path }) => path)).toEqual([`/k8s/clusters/c-1${PATH}`]);
  });
});

test('a credentials plugin that never ends is given up, in time and when the caller goes', async () => {
  const config = new KubeConfig();
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'sleep',
    args: ['5'],
    interactiveMode: 'Never',
  };
  config.loadFromOptions({
    clusters: [{ name: 'c', server: 'https://127.0.0.1:1' }],
    users: [{ name: 'u', exec }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  const client = createKubeClient({ config, headersTimeoutMs: 50 });
  const failure = { code: 'credentials', message: 'the credentials of the kubeconfig did not come in time' };
  await expect(client.get('/', { signal: new AbortController().signal })).rejects.toMatchObject(failure);
  await expect(client.get('/', { signal: AbortSignal.abort() })).rejects.toMatchObject(failure);
  client.close();
});
