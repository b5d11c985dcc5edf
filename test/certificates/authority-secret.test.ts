// What the Secret of the CA may hold, and what is said of one that holds something else. Nothing in it is overwritten.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/admission/json.ts';
import { isObject } from '../../src/admission/json.ts';
import { caFrom, contentsFrom, withState } from '../../src/certificates/authority-secret.ts';
import type { CaState } from '../../src/certificates/authority-state.ts';
import { createAuthority } from '../support/certificates.ts';
import { failureOf } from '../support/failure.ts';
import { createFakeCluster, createReplica, SECRET } from '../support/self-signed.ts';

const EMPTY = { metadata: { namespace: 'eks', name: 'pod-identity-webhook', labels: { a: 'b' } }, type: 'Opaque' };
const DAMAGED = 'restore it, or remove all of its data to have a new CA made';
let state: CaState;
let foreignKey: string;

beforeAll(async () => {
  const [one, two, other] = [await createAuthority(), await createAuthority(), await createAuthority()];
  foreignKey = other.caKeyPem;
  state = {
    generation: 7,
    steppedAt: Date.UTC(2030, 0, 1),
    leafLifetimeMs: 3_600_000,
    rotateCa: 'today',
    current: caFrom(one.caPem, one.caKeyPem),
    next: caFrom(two.caPem, two.caKeyPem),
    previous: [],
  };
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function dataWith(changes: JsonObject): JsonObject {
  const { data } = withState(EMPTY, state);
  const entries = Object.entries({ ...(isObject(data) ? data : {}), ...changes });
  return { ...EMPTY, data: Object.fromEntries(entries.filter(([, value]) => value !== undefined)) };
}

describe('the Secret', () => {
  test('gives back what was written into it, and keeps everything else', () => {
    const { next: _next, ...rest } = state;
    const [one, two] = [Date.UTC(2030, 0, 2), Date.UTC(2030, 0, 3)];
    const previous = [
      { certPem: state.current.certPem, retireAt: one },
      { certPem: state.current.certPem, retireAt: two },
    ];
    for (const each of [state, rest, { ...rest, previous }, { ...state, previous }]) {
      const secret = withState(EMPTY, each);
      expect(contentsFrom(secret, SECRET)).toEqual({ state: each, rotateCa: '' });
      expect({ ...secret, data: undefined }).toEqual({ ...EMPTY, data: undefined });
    }
  });

  test.each([{}, { data: null }, { data: {} }, { type: undefined }])('is empty as %j', (fields) => {
    const metadata = { annotations: { 'pod-identity-webhook/rotate-ca': 'now' } };
    expect(contentsFrom({ ...EMPTY, ...fields, metadata }, SECRET)).toEqual({ state: undefined, rotateCa: 'now' });
  });

  test.each<[string, () => JsonObject, string]>([
    [
      'another type',
      () => ({ ...EMPTY, type: 'kubernetes.io/tls' }),
      'is of type kubernetes.io/tls; name one of type Opaque and without data by --tls-secret',
    ],
    ['no change', () => ({ ...EMPTY, immutable: true }), 'is immutable; name one that can be changed by --tls-secret'],
    ['no object', () => ({ ...EMPTY, data: [] }), 'has no readable data; empty it'],
    [
      'foreign keys',
      () => dataWith({ 'tls.crt': 'x', '__proto__ ': 'y' }),
      'holds "tls.crt", "__proto__ ", which is not ours; name another Secret without data by --tls-secret, or remove that',
    ],
    ['no state', () => dataWith({ 'state.json': undefined }), `is damaged: state.json is missing; ${DAMAGED}`],
    ['no JSON', () => dataWith({ 'state.json': base64('{') }), `is damaged: it cannot be read; ${DAMAGED}`],
    [
      'no generation',
      () => dataWith({ 'state.json': base64('{"generation":0}') }),
      `is damaged: generation of state.json is no count; ${DAMAGED}`,
    ],
    [
      'no date',
      () => dataWith({ 'state.json': base64('{"generation":1,"leafLifetimeMs":1,"steppedAt":"soon"}') }),
      `is damaged: steppedAt of state.json is no date; ${DAMAGED}`,
    ],
    ['no key', () => dataWith({ 'ca.key': undefined }), `is damaged: ca.key is missing; ${DAMAGED}`],
    ['half a pair', () => dataWith({ 'next-ca.key': undefined }), `is damaged: next-ca.key is missing; ${DAMAGED}`],
    [
      'the key of another',
      () => dataWith({ 'ca.key': base64(foreignKey) }),
      `is damaged: a key does not fit its CA; ${DAMAGED}`,
    ],
    ['no PEM', () => dataWith({ 'ca.crt': base64('hello') }), `is damaged: it cannot be read; ${DAMAGED}`],
    [
      'a CA that nobody is to retire',
      () => dataWith({ 'previous-ca.crt': base64(state.current.certPem) }),
      `is damaged: previous-ca.crt and state.json are not of the same time; ${DAMAGED}`,
    ],
  ])('with %s is refused by name', async (_, secret, message) => {
    const failure = await failureOf(Promise.resolve().then(() => contentsFrom(secret(), SECRET)));
    expect(failure).toMatchObject({ code: 'secret', message: `the Secret "${SECRET}" ${message}` });
  });

  test('with the certificate of a server in the place of a CA is refused', async () => {
    const { keyPem, certPem } = await (await createAuthority()).issue();
    const secret = dataWith({ 'ca.crt': base64(certPem), 'ca.key': base64(keyPem) });
    expect(await failureOf(Promise.resolve().then(() => contentsFrom(secret, SECRET)))).toMatchObject({
      message: `the Secret "${SECRET}" is damaged: a certificate is not that of a CA; ${DAMAGED}`,
    });
  });

  test('that is refused stays as it is, and does not end what is served', async () => {
    const cluster = createFakeCluster();
    const replica = createReplica(cluster);
    await replica.look();
    const served = replica.leaf.current();
    const foreign = { ...EMPTY, metadata: { ...EMPTY.metadata, resourceVersion: '99' }, data: { 'tls.crt': 'x' } };
    cluster.secret = foreign;
    for (let look = 0; look < 3; look += 1) await failureOf(replica.look());
    expect([cluster.secret, replica.leaf.current(), replica.leaf.problems()]).toEqual([foreign, served, []]);
    expect(replica.log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
      {
        problem:
          `the Secret "${SECRET}" holds "tls.crt", which is not ours; ` +
          'name another Secret without data by --tls-secret, or remove that',
        secret: SECRET,
      },
    ]);
    expect(replica.recorder.of('reloadFailed')).toEqual([['ca']]);
  });
});
