// Certificates that change while reviews come in: from real files, through real handshakes.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Certificates, ServingCertificate } from '../../src/certificates/certificate.ts';
import type { Files } from '../support/certificate-files.ts';
import { withCertificateDirectory } from '../support/certificate-files.ts';
import type { Authority, KeyPair } from '../support/certificates.ts';
import { createAuthority } from '../support/certificates.ts';
import type { RunningServer } from '../support/server.ts';
import { appReview, keepAliveAgent, sharedAuthority, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let authority: Authority;
let pairs: readonly KeyPair[];
beforeAll(async () => {
  authority = await sharedAuthority();
  pairs = await Promise.all(Array.from({ length: 6 }, async () => authority.issue()));
});

function filesOf(pair: KeyPair | undefined): Files {
  return { 'tls.key': pair?.keyPem ?? '', 'tls.crt': pair?.certPem ?? '' };
}

function fingerprintOf(pair: KeyPair | undefined): string {
  return new X509Certificate(pair?.certPem ?? '').fingerprint256;
}

/** What a new connection is shown. */
async function shownBy({ connect }: RunningServer): Promise<string | undefined> {
  const socket = await connect();
  const shown = socket.getPeerX509Certificate()?.fingerprint256;
  socket.destroy();
  return shown;
}

/** Milliseconds until new connections are shown that certificate. */
async function untilShown(running: RunningServer, pair: KeyPair | undefined): Promise<number> {
  const start = performance.now();
  while ((await shownBy(running)) !== fingerprintOf(pair)) {
    if (performance.now() - start > 8_000) throw new Error('the new certificate is not shown');
    await pause(10);
  }
  return performance.now() - start;
}

async function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Reviews over kept connections, again and again, until told to stop; the answer to that is what went wrong. */
function load({ post, ca }: RunningServer): {
  stop(): Promise<{ readonly served: number; readonly failed: unknown[] }>;
} {
  const agent = keepAliveAgent(ca);
  const failed: unknown[] = [];
  let served = 0;
  const stopped = new AbortController();
  const client = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await post(appReview(), { agent }).then(
        ({ status }) => (status === 200 ? (served += 1) : failed.push(status)),
        (error: unknown) => failed.push(error),
      );
      await pause(5);
    }
  };
  const clients = [1, 2, 3, 4].map(client);
  return {
    async stop() {
      stopped.abort();
      await Promise.all(clients);
      agent.destroy();
      return { served, failed };
    },
  };
}

test.each(['writeInPlace', 'replace', 'swap'] as const)(
  'no review is lost while certificates change by %s',
  async (way) => {
    const layout = way === 'swap' ? 'kubelet' : 'plain';
    await withCertificateDirectory({ layout, ...filesOf(pairs[0]) }, async (directory) => {
      await withServer({ certificates: directory.certificates }, async (running) => {
        const reviews = load(running);
        for (const pair of pairs.slice(1)) {
          await directory[way](filesOf(pair));
          const ms = await untilShown(running, pair);
          expect(ms).toBeLessThan(2_000);
        }
        const { served, failed } = await reviews.stop();
        expect([failed, served > 50]).toEqual([[], true]);
        expect(directory.recorder.of('reloadFailed')).toEqual([]);
      });
    });
  },
  20_000,
);

test('a connection from before the change ends with its next answer, so that no pool keeps the old certificate', async () => {
  await withCertificateDirectory(filesOf(pairs[0]), async (directory) => {
    await withServer({ certificates: directory.certificates }, async (running) => {
      const agent = keepAliveAgent(running.ca);
      const connection = async (): Promise<string | undefined> =>
        (await running.post(appReview(), { agent })).headers.connection;
      expect([await connection(), await connection()]).toEqual(['keep-alive', 'keep-alive']);
      await directory.swap(filesOf(pairs[1]));
      await untilShown(running, pairs[1]);
      expect([await connection(), await connection(), await connection()]).toEqual([
        'close',
        'keep-alive',
        'keep-alive',
      ]);
      agent.destroy();
    });
  });
});

describe('the old certificate is served, and the failure counted, when', () => {
  test.each<[string, (directory: string, other: Authority) => Promise<Files | undefined>]>([
    [
      'the key is of another certificate',
      async () => ({ 'tls.key': pairs[1]?.keyPem ?? '', 'tls.crt': pairs[2]?.certPem ?? '' }),
    ],
    [
      'the files are cut',
      async () => ({
        'tls.key': (pairs[1]?.keyPem ?? '').slice(0, 90),
        'tls.crt': (pairs[1]?.certPem ?? '').slice(0, 90),
      }),
    ],
    ['the new one has expired', async () => filesOf(await authority.issue({ notAfter: new Date(Date.now() - 1_000) }))],
    [
      'the new one is not valid yet',
      async () => filesOf(await authority.issue({ notBefore: new Date(Date.now() + 3_600_000) })),
    ],
    [
      'the directory is emptied',
      async (path) => {
        await rm(join(path, '..data'));
        return undefined;
      },
    ],
  ])(
    '%s',
    async (_, change) => {
      await withCertificateDirectory(filesOf(pairs[0]), async (directory) => {
        await withServer({ certificates: directory.certificates }, async (running) => {
          const files = await change(directory.path, authority);
          if (files !== undefined) await directory.swap(files);
          await until('the failure is counted', () => directory.recorder.of('reloadFailed').length > 0);
          expect([
            await shownBy(running),
            (await running.post(appReview())).status,
            directory.certificates.problems(),
          ]).toEqual([fingerprintOf(pairs[0]), 200, []]);
          await directory.swap(filesOf(pairs[3]));
          await untilShown(running, pairs[3]);
        });
      });
    },
    10_000,
  );
});

test('a new authority comes in by leaves of it: clients that trust both lose nothing', async () => {
  const next = await createAuthority();
  const pair = await next.issue();
  await withCertificateDirectory(filesOf(pairs[0]), async (directory) => {
    await withServer({ certificates: directory.certificates }, async (running) => {
      const reviews = load({ ...running, ca: running.ca + next.caPem });
      await directory.swap(filesOf(pair));
      const trusting = { ...running, connect: async () => running.connect({ ca: running.ca + next.caPem }) };
      expect(await untilShown(trusting, pair)).toBeLessThan(2_000);
      expect((await reviews.stop()).failed).toEqual([]);
    });
  });
});

test('a certificate that the server cannot take after all leaves the one before it, and is counted', async () => {
  await withCertificateDirectory(filesOf(pairs[0]), async ({ certificates }) => {
    let change: (certificate: ServingCertificate) => void = () => {};
    const source: Certificates = {
      ...certificates,
      onChange(listener) {
        change = listener;
        return () => {};
      },
    };
    await withServer({ certificates: source }, async (running) => {
      const current = certificates.current();
      if (current === undefined) throw new Error('there is no certificate');
      change({ ...current, key: 'no key' });
      expect([await shownBy(running), running.recorder.of('reloadFailed'), running.log.messages()]).toEqual([
        fingerprintOf(pairs[0]),
        [['tls-context']],
        ['error certificate cannot be served, the last good one stays'],
      ]);
    });
  });
});
