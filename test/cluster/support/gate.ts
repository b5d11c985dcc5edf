// A TCP forwarder that holds every connection, accepted and silent, until it is opened: an API server that is slow to
// answer, at a moment that the test chooses.
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { freePort } from './ports.ts';

export interface Gate {
  readonly port: number;
  open(): void;
  close(): Promise<void>;
}

export async function createGate(targetPort: number): Promise<Gate> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const waiting: Socket[] = [];
  let isOpen = false;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    keep(socket);
    if (isOpen) forward(socket);
    else waiting.push(socket);
  });

  function forward(socket: Socket): void {
    const target = connect({ port: targetPort, host: '127.0.0.1' });
    keep(target);
    socket.pipe(target).pipe(socket);
  }

  function keep(socket: Socket): void {
    sockets.add(socket);
    // 'close' follows and is what counts.
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  }

  const listening = Promise.withResolvers<void>();
  server.listen({ port, host: '127.0.0.1' }, listening.resolve);
  await listening.promise;

  return {
    port,
    open: () => {
      isOpen = true;
      for (const socket of waiting.splice(0)) forward(socket);
    },
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}
