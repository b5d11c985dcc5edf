// The settings of the server as it is made without any wish of a test, and how it says that it cannot listen.
import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createTlsServer } from '../../src/server/https.ts';
import type { ListenOptions } from '../../src/server/listen.ts';
import { addressOf, listen } from '../../src/server/listen.ts';
import { timeoutMsFrom } from '../../src/server/timeout.ts';
import { createTestLog } from '../support/log.ts';

test('the defaults are those that API servers need and attackers hate', () => {
  const server = createTlsServer({
    certificates: { current: () => undefined, onChange: () => () => {} },
    tls: { minVersion: 'TLSv1.2' },
    requestCert: false,
    log: createTestLog().log,
  });
  const { keepAliveTimeout, headersTimeout, requestTimeout, maxConnections, timeout } = server;
  expect({ keepAliveTimeout, headersTimeout, requestTimeout, maxConnections, timeout }).toEqual({
    keepAliveTimeout: 120_000,
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    maxConnections: 2_000,
    // A socket timeout would cut answers that are being worked on.
    timeout: 0,
  });
  // Node keeps these in fields without a public name.
  expect(server).toMatchObject({ connectionsCheckingInterval: 1_000, maxHeaderSize: 16_384 });
  const symbols = Object.getOwnPropertySymbols(server);
  const handshakeTimeout = symbols.find(({ description }) => description === 'handshake-timeout') ?? '';
  expect(Reflect.get(server, handshakeTimeout)).toBe(5_000);
  expect(server.listenerCount('clientError')).toBe(0);
});

/** The error of listening; `code` is what the system says, where it is not asked. */
async function problemOf(options: ListenOptions, code?: string): Promise<unknown> {
  const server = createServer();
  if (code !== undefined) {
    server.listen = () => {
      process.nextTick(() => server.emit('error', Object.assign(new Error(code), { code })));
      return server;
    };
  }
  return listen(server, options).then(
    () => server.close() && 'listens',
    (error: unknown) => error,
  );
}

describe('a port that cannot be opened', () => {
  test('below 1024 names the port to take, and the sysctl', async () => {
    expect(await problemOf({ port: 443, host: undefined, portFlag: '--port' }, 'EACCES')).toMatchObject({
      code: 'EACCES',
      message:
        '--port=443 is not allowed to this user (EACCES): ports below 1024 are reserved. Use --port=8443 with the ' +
        "Service's targetPort 8443, or allow it by the pod's safe sysctl net.ipv4.ip_unprivileged_port_start=0",
    });
    expect(await problemOf({ port: 8_443, host: undefined, portFlag: '--port' }, 'EACCES')).toMatchObject({
      message: '--port=8443 is not allowed to this user (EACCES)',
    });
  });

  test('that is taken is named with its option', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = addressOf(other);
    const problem = await problemOf({ port, host: '127.0.0.1', portFlag: '--metrics-port' });
    other.close();
    expect(problem).toMatchObject({
      code: 'EADDRINUSE',
      message: `--metrics-port=${port} is in use by another process (EADDRINUSE); end it, or give another --metrics-port`,
    });
  });

  test('because the address is not of this machine, names the address', async () => {
    expect(await problemOf({ port: 0, host: '192.0.2.1', portFlag: '--port' })).toMatchObject({
      code: 'EADDRNOTAVAIL',
      message: '--bind-address="192.0.2.1" is no address of this machine (EADDRNOTAVAIL)',
    });
    expect(await problemOf({ port: 0, host: 'nowhere.invalid', portFlag: '--port' }, 'ENOTFOUND')).toMatchObject({
      message: '--bind-address="nowhere.invalid" is no address that can be found (ENOTFOUND)',
    });
  });

  test('for any other reason names the reason', async () => {
    expect(await problemOf({ port: 1, host: undefined, portFlag: '--port' }, 'EMFILE')).toMatchObject({
      code: 'EMFILE',
      message: '--port=1 cannot be opened (EMFILE)',
    });
    expect(() => addressOf(createServer())).toThrow('the server does not listen');
  });
});

test('the time that reading took is taken from the time to decide', () => {
  expect([timeoutMsFrom('/mutate?timeout=5s', 1_000), timeoutMsFrom('/mutate?timeout=5s', 9_000)]).toEqual([
    3_500, 100,
  ]);
  expect(timeoutMsFrom('/mutate?a=1&timeout=2s&timeout=9s', 0)).toBe(1_500);
});
