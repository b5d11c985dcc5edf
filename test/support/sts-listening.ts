// Servers of the tests: a port that the kernel chooses, and an end that ends the connections too.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

interface AnyServer extends Pick<Server, 'listen' | 'once' | 'close' | 'closeAllConnections'> {
  address(): AddressInfo | string | null;
}

export async function listen(server: AnyServer, host = '127.0.0.1'): Promise<Listening> {
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen({ port: 0, host }, listening.resolve);
  await listening.promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    port: address.port,
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
