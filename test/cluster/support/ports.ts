// Ports for programs that cannot be given port 0, because others must know the number before they start.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A free port of loopback, below 32768: from there on Linux takes the local ports of outgoing connections, one of which
 * could sit on the port of a server that is just being restarted.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(20_000, 32_768);
    if (await isFree(port)) return port;
  }
  throw new Error('None of 50 ports between 20000 and 32767 was free on 127.0.0.1.');
}

async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  return promise;
}
