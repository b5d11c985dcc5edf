// The proof that the own port can be called, against servers that can and servers that cannot.
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { Server } from 'node:net';
import { expect, test } from '@jest/globals';
import type { Certificates, ServingCertificate } from '../../src/certificates/certificate.ts';
import { certificateFrom } from '../../src/certificates/certificate.ts';
import { addressOf } from '../../src/server/listen.ts';
import type { SelfProbeOptions } from '../../src/server/self-probe.ts';
import { createSelfProbe } from '../../src/server/self-probe.ts';
import { createTestLog } from '../support/log.ts';
import { sharedAuthority, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

async function newCertificate(): Promise<ServingCertificate> {
  const { keyPem, certPem } = await (await sharedAuthority()).issue();
  return certificateFrom({ key: keyPem, cert: certPem }, { now: Date.now(), tls: {} });
}

/** A source whose certificate the test changes. */
function sourceOf(first: ServingCertificate): Certificates & { change(next: ServingCertificate): void } {
  const listeners = new Set<(certificate: ServingCertificate) => void>();
  let current = first;
  return {
    ready: async () => {},
    current: () => current,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    problems: () => [],
    close: () => {},
    change(next) {
      current = next;
      for (const listener of listeners) listener(next);
    },
  };
}

interface Probing {
  readonly problem: () => string;
  readonly start: () => void;
  readonly log: ReturnType<typeof createTestLog>;
  /** Runs the retry that was asked for. */
  readonly retry: () => void;
  readonly retries: () => number;
}

async function withProbe(
  options: Pick<SelfProbeOptions, 'address' | 'certificates'> & Partial<SelfProbeOptions>,
  run: (probing: Probing) => Promise<void>,
): Promise<void> {
  const timers: (() => void)[] = [];
  let asked = 0;
  const log = createTestLog();
  const probe = createSelfProbe({
    handshakeOnly: false,
    setTimer(action) {
      asked += 1;
      timers.push(action);
      return () => void timers.splice(timers.indexOf(action), 1);
    },
    log: log.log,
    ...options,
  });
  try {
    await run({
      problem: probe.problem,
      start: probe.start,
      log,
      retry: () => timers.shift()?.(),
      retries: () => asked,
    });
  } finally {
    probe.close();
  }
}

async function listening<Result>(server: Server, run: (port: number) => Promise<Result>): Promise<Result> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await run(addressOf(server).port);
  } finally {
    server.close();
  }
}

test('the own port is called once after the start and once after each new certificate', async () => {
  const source = sourceOf(await newCertificate());
  await withServer({ certificates: source }, async ({ server, recorder, log }) => {
    await withProbe({ address: server.address, certificates: source }, async (probing) => {
      expect(probing.problem()).toBe('the own /mutate has not been tried yet');
      probing.start();
      await until('the port is called', () => probing.problem() === '');
      source.change(await newCertificate());
      await until('it is called again', () => recorder.of('requested').length === 2);
      await until('the answer is read', () => probing.problem() === '');
      expect(recorder.of('requested')).toMatchObject([
        [{ verb: 'POST', path: '/mutate', code: 400 }],
        [{ verb: 'POST', path: '/mutate', code: 400 }],
      ]);
      expect([probing.retries(), probing.log.lines, log.lines]).toEqual([0, [], []]);
    });
  });
});

test('with client certificates the handshake is enough', async () => {
  const { caPem } = await sharedAuthority();
  const source = sourceOf({ ...(await newCertificate()), clientCa: caPem });
  await withServer({ certificates: source, clientCa: caPem }, async ({ server }) => {
    await withProbe({ address: server.address, certificates: source }, async (probing) => {
      probing.start();
      await until('the answer is read', () => probing.problem().includes('with 401, want 400'));
    });
    await withProbe({ address: server.address, certificates: source, handshakeOnly: true }, async (probing) => {
      probing.start();
      await until('the handshake is done', () => probing.problem() === '');
      expect(probing.retries()).toBe(0);
    });
  });
});

test('another certificate than the one that is loaded is a problem until it is the one', async () => {
  const [served, loaded] = [await newCertificate(), await newCertificate()];
  await withServer({ certificates: sourceOf(served) }, async ({ server, port }) => {
    const source = sourceOf(loaded);
    await withProbe({ address: server.address, certificates: source }, async (probing) => {
      probing.start();
      const problem = `127.0.0.1 port ${port} presents another certificate than the one that is loaded`;
      await until('the port is called', () => probing.problem() === problem);
      expect(probing.retries()).toBe(1);
      source.change(served);
      await until('the right one is found', () => probing.problem() === '');
      expect(probing.log.lines).toEqual([
        { level: 'warn', fields: { problem }, message: 'own admission port cannot be called' },
      ]);
    });
  });
});

test('a port that nobody listens on is tried again until somebody does, and told once', async () => {
  const certificate = await newCertificate();
  const source = sourceOf(certificate);
  const server = createTlsServer({ key: certificate.key, cert: certificate.cert }, (_, response) => {
    response.writeHead(400, { 'Content-Type': 'application/json' }).end('{}');
  });
  const port = await listening(createTcpServer(), async (free) => free);
  await withProbe({ address: () => ({ host: '0.0.0.0', port }), certificates: source }, async (probing) => {
    probing.start();
    await until('the first call fails', () => probing.retries() === 1);
    probing.retry();
    await until('the second call fails', () => probing.retries() === 2);
    expect(probing.problem()).toBe(`0.0.0.0 port ${port} cannot be called: ECONNREFUSED`);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    probing.retry();
    await until('the third call is answered', () => probing.problem() === '');
    expect([probing.retries(), probing.log.lines.length]).toEqual([2, 1]);
    server.close();
  });
});

test.each([
  ['another status', 200, 'application/json', 'answers an empty POST /mutate with 200, want 400'],
  ['a 400 that is not ours', 400, 'text/html', 'answers an empty POST /mutate with 400, want 400 of ours'],
])('somebody else who answers with %s is a problem', async (_, status, type, problem) => {
  const certificate = await newCertificate();
  const other = createTlsServer({ key: certificate.key, cert: certificate.cert }, (__, response) => {
    response.writeHead(status, { 'Content-Type': type }).end();
  });
  await listening(other, async (port) => {
    const address = { host: '127.0.0.1', port };
    await withProbe({ address: () => address, certificates: sourceOf(certificate) }, async (probing) => {
      probing.start();
      await until('it is called', () => probing.retries() === 1);
      expect(probing.problem()).toBe(`127.0.0.1 port ${port} ${problem}`);
    });
  });
});

test('a port without TLS is a problem', async () => {
  const other = createTcpServer((socket) => socket.end('no TLS here'));
  await listening(other, async (port) => {
    const certificates = sourceOf(await newCertificate());
    await withProbe({ address: () => ({ host: '127.0.0.1', port }), certificates }, async (probing) => {
      probing.start();
      await until('it is called', () => probing.retries() === 1);
      expect(probing.problem()).toMatch(/^127\.0\.0\.1 port \d+ cannot be called: (ERR_SSL|EPROTO)/);
    });
  });
});

test('without a certificate there is nothing to call, and before the start nothing is called', async () => {
  const none = { current: () => undefined, onChange: () => () => {} };
  let asked = 0;
  const address = (): { host: string; port: number } => {
    asked += 1;
    return { host: '127.0.0.1', port: 1 };
  };
  await withProbe({ address, certificates: none }, async (probing) => {
    probing.start();
    await until('it is tried', () => probing.retries() === 1);
    expect(probing.problem()).toBe('there is no certificate to answer with');
  });
  const source = sourceOf(await newCertificate());
  asked = 0;
  await withProbe({ address, certificates: source }, async () => {
    source.change(await newCertificate());
    expect(asked).toBe(0);
  });
});
