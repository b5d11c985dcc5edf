// The certificate made in memory, judged by Node's own verifier, by a TLS handshake and by openssl.
import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from 'node:tls';
import { checkServerIdentity, connect, createServer } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { ownField } from '../../src/admission/json.ts';
import { issueSelfSigned } from '../../src/certificates/self-signed.ts';

const NAMES = ['localhost', '127.0.0.1', '::1'];
const HOUR_MS = 3_600_000;
const NOON = Date.UTC(2030, 5, 1, 12);

const issue = async (now = () => NOON): ReturnType<typeof issueSelfSigned> =>
  issueSelfSigned({ names: NAMES, lifetimeMs: HOUR_MS, now });

describe('issueSelfSigned', () => {
  test('makes a leaf of the CA for every name, and a key that fits it', async () => {
    const { caPem, certPem, keyPem } = await issue();
    const ca = new X509Certificate(caPem);
    const leaf = new X509Certificate(certPem);
    expect({
      signedByCa: leaf.verify(ca.publicKey),
      issuedByCa: leaf.checkIssued(ca),
      keyFits: leaf.checkPrivateKey(createPrivateKey(keyPem)),
      names: leaf.subjectAltName,
      hosts: [leaf.checkHost('localhost'), leaf.checkHost('example.com')],
      addresses: [leaf.checkIP('127.0.0.1'), leaf.checkIP('::1'), leaf.checkIP('10.0.0.1')],
      usage: leaf.keyUsage,
      curve: leaf.publicKey.asymmetricKeyDetails,
      isCa: [ca.ca, leaf.ca],
    }).toEqual({
      signedByCa: true,
      issuedByCa: true,
      keyFits: true,
      names: 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
      hosts: ['localhost', undefined],
      addresses: ['127.0.0.1', '::1', undefined],
      usage: ['1.3.6.1.5.5.7.3.1'],
      curve: { namedCurve: 'prime256v1' },
      isCa: [true, false],
    });
  });

  test('is valid from five minutes ago until the end of its lifetime', async () => {
    const { caPem, certPem } = await issue();
    for (const pem of [caPem, certPem]) {
      const { validFromDate, validToDate } = new X509Certificate(pem);
      expect([validFromDate.getTime() - NOON, validToDate.getTime() - NOON]).toEqual([-300_000, HOUR_MS]);
    }
  });

  test('has another CA, by name and by key, each time', async () => {
    const [first, second] = [await issue(), await issue()];
    const [ca, other] = [new X509Certificate(first.caPem), new X509Certificate(second.caPem)];
    expect(ca.subject).not.toBe(other.subject);
    expect(new X509Certificate(first.certPem).verify(other.publicKey)).toBe(false);
  });

  test.each(NAMES)('serves TLS to a client that trusts the CA and asks for %s', async (host) => {
    const { caPem, certPem, keyPem } = await issue(Date.now);
    const server = createServer({ cert: certPem, key: keyPem }, (socket) => socket.end('hello'));
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
    try {
      // The name is what is checked; the socket goes to the loopback address that every machine has.
      const client = connect({
        port: portOf(server),
        host: '127.0.0.1',
        ca: caPem,
        checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
      });
      const received = await new Promise<string>((resolve, reject) => {
        client.once('error', reject).once('data', (bytes: Buffer) => resolve(bytes.toString()));
      });
      client.destroy();
      expect(received).toBe('hello');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test('passes openssl verify for a server, where openssl is installed', async () => {
    const { caPem, certPem } = await issue(Date.now);
    const directory = await mkdtemp(join(tmpdir(), 'self-signed-'));
    try {
      const [caFile, certFile] = [join(directory, 'ca.pem'), join(directory, 'leaf.pem')];
      await Promise.all([writeFile(caFile, caPem), writeFile(certFile, certPem)]);
      const run = (host: string): Promise<string> =>
        openssl([
          'verify',
          '-x509_strict',
          '-purpose',
          'sslserver',
          host.startsWith('l') ? '-verify_hostname' : '-verify_ip',
          host,
          '-CAfile',
          caFile,
          certFile,
        ]);
      const verdicts = await Promise.all(NAMES.map(run));
      const want = `${certFile}: OK\n`;
      expect(verdicts.map((verdict) => (verdict === NOT_INSTALLED ? want : verdict))).toEqual([want, want, want]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

const NOT_INSTALLED = 'openssl is not installed';

async function openssl(args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)('openssl', args)).stdout;
  } catch (error) {
    if (ownField(error, 'code') !== 'ENOENT') throw error;
    process.stderr.write(`not judged by openssl: ${NOT_INSTALLED}\n`);
    return NOT_INSTALLED;
  }
}

function portOf(server: Server): number {
  return Number(ownField(server.address(), 'port'));
}
