import { expect, test } from '@jest/globals';
import { createKubeClient } from '../../src/kube/client.ts';
import type { Read } from '../../src/kube/read.ts';
import { createReader } from '../../src/kube/read.ts';
import type { ApiServer } from '../support/api-server.ts';
import { withApiServer } from '../support/api-server.ts';
import { failureOf } from '../support/failure.ts';
import { ACCOUNTS, putAccount } from '../support/reflecting.ts';

const CART = { namespace: 'shop', name: 'cart' };
const { signal } = new AbortController();

async function withReader(use: (read: Read<string>, server: ApiServer) => Promise<void>): Promise<void> {
  await withApiServer({}, async (server) => {
    const client = createKubeClient({ config: server.kubeConfig() });
    const read = createReader({ client, resource: ACCOUNTS, trim: (object) => JSON.stringify(object) });
    try {
      await use(read, server);
    } finally {
      client.close();
    }
  });
}

test('an account is read with as little of it as is needed', async () => {
  await withReader(async (read, server) => {
    putAccount(server, 'cart', 'one');
    const item =
      '{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":' +
      '{"namespace":"shop","name":"cart","annotations":{"role":"one"},"resourceVersion":"1001"}}';
    expect(await read(CART, signal)).toEqual({ kind: 'found', item, resourceVersion: '1001' });
    expect(server.requests.map(({ path }) => path)).toEqual(['/api/v1/namespaces/shop/serviceaccounts/cart']);
  });
});

test('an account that the API server does not have is not found', async () => {
  await withReader(async (read) => {
    expect(await read(CART, signal)).toEqual({ kind: 'not-found' });
  });
});

test('any other answer is a failure, not an absence', async () => {
  await withReader(async (read, server) => {
    server.fail('get', { status: 404, body: '404 page not found' });
    server.fail('get', { status: 404, body: '{"reason":"SomethingElse"}' });
    server.fail('get', { status: 403 });
    server.fail('get', { status: 200, body: '{"kind":"APIVersions"}' });
    const failures = [];
    for (let call = 0; call < 4; call += 1) failures.push(await failureOf(read(CART, signal)));
    expect(failures.map(({ code, status }) => [code, status])).toEqual([
      ['refused', 404],
      ['refused', 404],
      ['refused', 403],
      ['garbage', undefined],
    ]);
  });
});

test('a name does not lead out of its place in the path', async () => {
  await withReader(async (read, server) => {
    await failureOf(read({ namespace: 'shop', name: '../../secrets/x?y' }, signal));
    expect(server.requests.map(({ path }) => path)).toEqual([
      '/api/v1/namespaces/shop/serviceaccounts/..%2F..%2Fsecrets%2Fx%3Fy',
    ]);
  });
});
