import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/admission/json.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import type { NamedObject } from '../../src/kube/named-object.ts';
import { createNamedObject } from '../../src/kube/named-object.ts';
import type { ApiServer } from '../support/api-server.ts';
import { withApiServer } from '../support/api-server.ts';
import { failureOf } from '../support/failure.ts';

const SECRETS = '/api/v1/secrets';
const { signal } = new AbortController();

async function withSecret(use: (secret: NamedObject, server: ApiServer) => Promise<void>): Promise<void> {
  await withApiServer({}, async (server) => {
    const client = createKubeClient({ config: server.kubeConfig() });
    try {
      const collection = '/api/v1/namespaces/eks/secrets';
      await use(createNamedObject({ client, collection, name: 'ours' }), server);
    } finally {
      client.close();
    }
  });
}

function put(server: ApiServer, data: Record<string, string>): JsonObject {
  const { metadata } = server.objects.put(SECRETS, { metadata: { namespace: 'eks', name: 'ours' }, data });
  return { metadata, data };
}

const dataOf = (server: ApiServer): unknown => server.objects.get(SECRETS, 'eks/ours')?.['data'];

test('an object is read, and one that does not exist is nothing', async () => {
  await withSecret(async (secret, server) => {
    expect(await secret.read(signal)).toBeUndefined();
    const stored = put(server, { a: 'one' });
    expect(await secret.read(signal)).toEqual(stored);
  });
});

test('only the API server’s own word makes an object absent', async () => {
  await withSecret(async (secret, server) => {
    server.fail('get', { status: 404, body: '404 page not found' });
    server.fail('get', { status: 403 });
    server.fail('get', { status: 200, body: '[]' });
    const failures = [];
    for (let call = 0; call < 3; call += 1) failures.push(await failureOf(secret.read(signal)));
    expect(failures.map(({ code, status }) => [code, status])).toEqual([
      ['refused', 404],
      ['refused', 403],
      ['garbage', undefined],
    ]);
  });
});

test('it is replaced where it still is what was read, and by one of two only', async () => {
  await withSecret(async (secret, server) => {
    const stored = put(server, {});
    expect(await secret.replace({ ...stored, data: { a: 'one' } }, signal)).toMatchObject({
      kind: 'changed',
      object: { data: { a: 'one' } },
    });
    expect(await secret.replace({ ...stored, data: { a: 'two' } }, signal)).toEqual({
      kind: 'conflict',
      status: 409,
      message:
        'the API server answered 409 to /api/v1/namespaces/eks/secrets/ours: ' +
        'the object has been modified; please apply your changes to the latest version',
    });
    expect(dataOf(server)).toEqual({ a: 'one' });
  });
});

test('a patch is taken as a whole, or not at all', async () => {
  await withSecret(async (secret, server) => {
    put(server, { a: 'one' });
    const add = { op: 'add', path: '/data/b', value: 'two' } as const;
    expect(await secret.patch([{ op: 'test', path: '/data/a', value: 'other' }, add], signal)).toMatchObject({
      kind: 'conflict',
    });
    expect(dataOf(server)).toEqual({ a: 'one' });
    expect(await secret.patch([{ op: 'test', path: '/data/a', value: 'one' }, add], signal)).toMatchObject({
      kind: 'changed',
    });
    expect(dataOf(server)).toEqual({ a: 'one', b: 'two' });
  });
});

test('a change is not sent again when the connection breaks', async () => {
  await withSecret(async (secret, server) => {
    const stored = put(server, {});
    await secret.read(signal);
    server.fail('update', 'reset');
    expect(await failureOf(secret.replace(stored, signal))).toMatchObject({ code: 'connection' });
    server.fail('patch', { status: 500 });
    expect(await failureOf(secret.patch([], signal))).toMatchObject({ code: 'refused', status: 500 });
    expect([server.countOf('update'), server.countOf('patch')]).toEqual([1, 1]);
  });
});
