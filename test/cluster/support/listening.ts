// Servers of the tests themselves, on loopback.
import type { Server } from 'node:http';
import { freePort } from './ports.ts';

export interface Listening {
  readonly port: number;
  /** Ends the connections too. */
  close(): Promise<void>;
}

export async function listening(server: Pick<Server, 'listen' | 'close' | 'closeAllConnections'>): Promise<Listening> {
  const port = await freePort();
  const started = Promise.withResolvers<void>();
  server.listen({ port, host: '127.0.0.1' }, started.resolve);
  await started.promise;
  return {
    port,
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
