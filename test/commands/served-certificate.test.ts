// What a webhook shows to whoever connects, held against the caBundle of its registration: real handshakes on loopback.
import { afterEach, describe, expect, test } from '@jest/globals';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { ServedQuestion } from '../../src/commands/served-certificate.ts';
import { certificateProblem } from '../../src/commands/served-certificate.ts';
import { createDial } from '../../src/commands/dial.ts';
import { loadKubeConfig } from '../../src/kube/kubeconfig.ts';
import type { IssueOptions } from '../support/certificates.ts';
import { createAuthority } from '../support/certificates.ts';

const HOST = 'pod-identity-webhook.aws.svc';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('want a port');
  return address.port;
}

async function judged(leaf: IssueOptions, question: Partial<ServedQuestion> = {}): Promise<string | undefined> {
  const authority = await createAuthority({ commonName: 'webhook CA' });
  const { keyPem, certPem } = await authority.issue(leaf);
  const port = await listening(createTlsServer({ key: keyPem, cert: certPem }));
  const socket = connect({ host: '127.0.0.1', port });
  return certificateProblem({ socket, host: HOST, caBundle: authority.caPem, ...question });
}

const shown = (subject: string): string =>
  `^the certificate that it serves \\(CN=${subject}, by CN=webhook CA, until 20[0-9TZ:.-]+\\) `;

describe('certificateProblem', () => {
  test.each([
    ['the name of the Service', HOST, HOST],
    ['an address', '127.0.0.1', '127.0.0.1'],
  ])('finds none for %s', async (_, name, host) => {
    expect(await judged({ names: [name] }, { host })).toBeUndefined();
  });

  test('takes what is in the bundle for a root, as the API server does', async () => {
    const authority = await createAuthority();
    const { keyPem, certPem } = await authority.issue({ names: [HOST] });
    const port = await listening(createTlsServer({ key: keyPem, cert: certPem }));
    const socket = connect({ host: '127.0.0.1', port });
    expect(await certificateProblem({ socket, host: HOST, caBundle: certPem })).toBeUndefined();
  });

  test('finds a CA that is not in the bundle', async () => {
    const { caPem } = await createAuthority();
    expect(await judged({ names: [HOST] }, { caBundle: caPem })).toMatch(
      new RegExp(`${shown(HOST)}is not one that its caBundle verifies: its CA is not in the bundle$`),
    );
  });

  test('finds one that has expired', async () => {
    const dates = { notBefore: new Date('2001-01-01T00:00:00Z'), notAfter: new Date('2001-02-01T00:00:00Z') };
    expect(await judged({ names: [HOST], ...dates })).toMatch(
      new RegExp(`${shown(HOST)}is not one that its caBundle verifies: it has expired$`),
    );
  });

  test.each([
    ['a name', 'other.aws.svc', HOST],
    ['an address', '127.0.0.1', '127.0.0.2'],
  ])('finds one for %s that is another', async (_, name, host) => {
    expect(await judged({ names: [name] }, { host })).toMatch(new RegExp(`${shown(name)}is not for ${host}$`));
  });

  test('finds one that has its name in the subject alone, which the API server does not read', async () => {
    expect(await judged({ names: [] }, { host: 'nameless' })).toMatch(
      new RegExp(`${shown('nameless')}is not for nameless$`),
    );
  });

  test('fails where nobody speaks TLS', async () => {
    const port = await listening(createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const socket = connect({ host: '127.0.0.1', port });
    await expect(certificateProblem({ socket, host: HOST, caBundle: '' })).rejects.toThrow(/wrong version|packet/i);
  });

  test('fails where nobody says anything', async () => {
    const port = await listening(createServer(() => {}));
    const socket = connect({ host: '127.0.0.1', port });
    await expect(certificateProblem({ socket, host: HOST, caBundle: '', timeoutMs: 50 })).rejects.toThrow(
      'no TLS handshake in 50 ms',
    );
  });

  test('fails where the connection is closed', async () => {
    const port = await listening(createServer((socket) => socket.destroy()));
    const socket = connect({ host: '127.0.0.1', port });
    await expect(certificateProblem({ socket, host: HOST, caBundle: '' })).rejects.toThrow(
      /closed|reset|disconnected/i,
    );
  });
});

describe('createDial', () => {
  const dialOf = (server: string): ReturnType<typeof createDial> => createDial(loadKubeConfig({ server }));

  test('connects to a URL of loopback only where the API server is there, too', async () => {
    const port = await listening(createServer());
    const url = new URL(`https://127.0.0.1:${port}/mutate`);
    const socket = await dialOf('https://localhost:6443').url(url)?.();
    socket?.destroy();
    expect([socket?.destroyed, dialOf('https://api.example.com').url(url)]).toEqual([true, undefined]);
  });

  test('says that nobody is there', async () => {
    const port = await listening(createServer());
    for (const close of closing.splice(0)) await close();
    const open = dialOf('https://127.0.0.1:6443').url(new URL(`https://127.0.0.1:${port}`));
    await expect(open?.()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
