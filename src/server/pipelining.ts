// One request of a connection after the other. API servers wait for each answer anyway; this is for those who do not.
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

// Each waiting request costs its sender 40 bytes and us 4 KiB.
const MAX_WAITING = 100;

/**
 * Hands a request on when the answers before it on its connection are written. Without this Node lets all of them run at
 * once, and over TLS it drops the connection when their answers fill its buffer of 64 KiB (HPE_PAUSED).
 */
export function inTurn(listener: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();

  return (request, response) => {
    // A response gets its socket when it is its turn to be written.
    if (response.socket !== null) {
      listener(request, response);
      return;
    }
    const { socket } = request;
    const before = waiting.get(socket) ?? 0;
    if (before >= MAX_WAITING) {
      socket.destroy();
      return;
    }
    waiting.set(socket, before + 1);
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      listener(request, response);
    });
  };
}
