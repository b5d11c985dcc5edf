// Clients that need a certificate: /mutate is theirs alone, /healthz is everybody's, and no rotation changes that.
import { X509Certificate } from 'node:crypto';
import { Socket } from 'node:net';
import { beforeAll, expect, test } from '@jest/globals';
import { createClientCheck } from '../../src/server/client-certificates.ts';
import { withCertificateDirectory } from '../support/certificate-files.ts';
import type { Authority, KeyPair } from '../support/certificates.ts';
import { createAuthority } from '../support/certificates.ts';
import type { PostOptions, RunningServer } from '../support/server.ts';
import { appReview, keepAliveAgent, sharedAuthority, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let authority: Authority;
let clients: Authority;
let client: KeyPair;
beforeAll(async () => {
  authority = await sharedAuthority();
  clients = await createAuthority();
  client = await clients.issue({ client: true, names: ['kube-apiserver', 'api.example.com'] });
});

interface Credentials {
  readonly key: string;
  readonly cert: string;
}

function as({ keyPem, certPem }: KeyPair): Credentials {
  return { key: keyPem, cert: certPem };
}

/** Status and error of a review sent with these credentials. */
async function outcome({ post }: RunningServer, options: PostOptions): Promise<unknown> {
  const { status, text } = await post(appReview(), options);
  return status === 200 ? 200 : [status, JSON.parse(text)];
}

function notAccepted(code: string): unknown {
  return [401, { error: `the client certificate is not accepted: ${code}` }];
}

async function expectGuarded(running: RunningServer): Promise<void> {
  const stranger = await createAuthority();
  const hour = 3_600_000;
  const wrongCa = await stranger.issue({ client: true, names: ['kube-apiserver'] });
  const expired = await clients.issue({
    client: true,
    notBefore: new Date(Date.now() - 2 * hour),
    notAfter: new Date(Date.now() - hour),
  });
  const serverOnly = await clients.issue({ names: ['kube-apiserver'] });
  expect([
    await outcome(running, {}),
    await outcome(running, as(wrongCa)),
    await outcome(running, as(expired)),
    await outcome(running, as(serverOnly)),
    await outcome(running, as(client)),
    (await running.request({ path: '/healthz' })).status,
  ]).toEqual([
    [401, { error: 'want a client certificate of the CA in --client-ca-file' }],
    notAccepted('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    notAccepted('CERT_HAS_EXPIRED'),
    notAccepted('INVALID_PURPOSE'),
    200,
    200,
  ]);
}

test('only clients of the CA get decisions, before and after both the certificate and the CA file changed', async () => {
  const first = await authority.issue();
  const files = { 'tls.key': first.keyPem, 'tls.crt': first.certPem, 'ca.crt': clients.caPem };
  await withCertificateDirectory(files, async (directory) => {
    await withServer({ certificates: directory.certificates, clientNames: [] }, async (running) => {
      await expectGuarded(running);

      const second = await authority.issue();
      await directory.swap({ ...files, 'tls.key': second.keyPem, 'tls.crt': second.certPem });
      await until('the new pair is read', () => directory.certificates.current()?.cert === second.certPem);
      await expectGuarded(running);

      const next = await createAuthority();
      const nextClient = await next.issue({ client: true });
      const kept = keepAliveAgent(running.ca);
      expect(await outcome(running, { ...as(client), agent: kept })).toBe(200);
      await directory.swap({ 'tls.key': second.keyPem, 'tls.crt': second.certPem, 'ca.crt': next.caPem });
      await until('the new CA is read', () => directory.certificates.current()?.clientCa === next.caPem);
      // The connection of before ends with this answer; from then on its client is a stranger.
      await outcome(running, { ...as(client), agent: kept });
      expect([
        await outcome(running, { ...as(client), agent: kept }),
        await outcome(running, as(client)),
        await outcome(running, as(nextClient)),
      ]).toEqual([notAccepted('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), notAccepted('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 200]);
      kept.destroy();
    });
  });
}, 15_000);

test.each([
  ['the common name', ['kube-apiserver'], 200],
  ['a DNS name', ['other', 'api.example.com'], 200],
  ['another name', ['other', 'example.com', 'kube'], 403],
  ['a wildcard that would match', ['*.example.com'], 403],
])('--client-names with %s', async (_, clientNames, status) => {
  await withServer({ clientCa: clients.caPem, clientNames }, async (running) => {
    const forbidden = [403, { error: 'want a client certificate with one of the names in --client-names' }];
    expect(await outcome(running, as(client))).toEqual(status === 200 ? 200 : forbidden);
  });
});

test('names of Kubernetes users, which are no host names, are compared as they are', async () => {
  const user = await clients.issue({ client: true, names: ['system:kube-apiserver'] });
  await withServer({ clientCa: clients.caPem, clientNames: ['system:kube-apiserver'] }, async (running) => {
    expect([await outcome(running, as(user)), await outcome(running, as(client))]).toEqual([
      200,
      [403, { error: 'want a client certificate with one of the names in --client-names' }],
    ]);
  });
});

test('a certificate that runs out on a kept connection is not accepted any longer', async () => {
  let now = Date.now();
  const check = createClientCheck({ names: [], now: () => now });
  const verdicts: unknown[] = [];
  await withServer({ clientCa: clients.caPem }, async ({ server, connect }) => {
    expect(server.address().port).toBeGreaterThan(0);
    const socket = await connect(as(client));
    // The client's own end stands for the server's: it is a TLSSocket with an authorized peer, too.
    verdicts.push(check(socket));
    now = new X509Certificate(client.certPem).validToDate.getTime() + 3_600_000;
    verdicts.push(check(socket));
  });
  expect(verdicts).toEqual([
    undefined,
    { status: 401, message: 'the client certificate is not accepted: CERT_HAS_EXPIRED' },
  ]);
});

test('a socket without TLS has no certificate', () => {
  expect(createClientCheck({ names: [], now: Date.now })(new Socket())).toEqual({
    status: 401,
    message: 'want a client certificate of the CA in --client-ca-file',
  });
});

test('without --client-ca-file nobody is asked for a certificate', async () => {
  await withServer({}, async (running) => {
    expect([await outcome(running, {}), await outcome(running, as(client))]).toEqual([200, 200]);
  });
});
