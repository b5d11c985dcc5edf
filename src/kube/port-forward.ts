// A connection to a port of a pod through the API server, as kubectl port-forward makes it: from wherever the API server
// is reached, and with the rights of whoever asks (`create` on pods/portforward).
import { Duplex, PassThrough, Writable } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
import { PortForward } from '@kubernetes/client-node';

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** Rejects where the API server refuses; what the node says later ends the stream as an error. */
export async function forwardedTo(config: KubeConfig, { namespace, pod, port }: PodPort): Promise<Duplex> {
  const sent = new PassThrough();
  const received = new PassThrough();
  const stream = Duplex.from({ readable: received, writable: sent });
  const complaints = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      stream.destroy(new Error(chunk.toString('utf8').trim()));
      done();
    },
  });
  const [encodedNamespace, encodedPod] = [namespace, pod].map(encodeURIComponent);
  const socket: unknown = await new PortForward(config).portForward(
    encodedNamespace ?? '',
    encodedPod ?? '',
    [port],
    received,
    complaints,
    sent,
  );
  if (!isWebSocket(socket)) throw new Error('@kubernetes/client-node has not answered with a WebSocket');
  socket.addEventListener('close', () => received.end());
  stream.once('close', () => socket.close());
  return stream;
}

/** What is used of it; its own types are those of another package, which is not among ours. */
interface Socket {
  addEventListener(event: 'close', listener: () => void): void;
  close(): void;
}

function isWebSocket(value: unknown): value is Socket {
  return typeof value === 'object' && value !== null && 'addEventListener' in value && 'close' in value;
}
