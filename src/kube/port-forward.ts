// A connection to a port of a pod through the API server, as kubectl port-forward makes it: from wherever the API server
// is reached, and with the rights of whoever asks (`create` on pods/portforward).
import { Duplex, PassThrough } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
// Not the package's own PortForward: with it comes its generated API, of which esbuild would make a part of the server.
import { WebSocketHandler } from '@kubernetes/client-node/dist/web-socket-handler.js';

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** Of the one port that is asked for. The first message on each is the port's number. */
const DATA = 0;
const ERROR = 1;

/** Rejects where the API server refuses; what the node says later ends the stream as an error. */
export async function forwardedTo(config: KubeConfig, { namespace, pod, port }: PodPort): Promise<Duplex> {
  const sent = new PassThrough();
  const received = new PassThrough();
  const stream = Duplex.from({ readable: received, writable: sent });
  const begun = new Set<number>();
  // Its own would be those of the process, which it ends when the API server says so.
  const handler = new WebSocketHandler(config, undefined, { stdin: sent, stdout: received, stderr: received });
  const [encodedNamespace, encodedPod] = [namespace, pod].map(encodeURIComponent);
  const path = `/api/v1/namespaces/${encodedNamespace}/pods/${encodedPod}/portforward?ports=${port}`;
  const socket = await opened(
    handler.connect(path, null, (channel, data) => {
      if (!begun.has(channel)) begun.add(channel);
      else if (channel === DATA) received.write(data);
      else if (channel === ERROR) stream.destroy(new Error(data.toString('utf8').trim()));
      return true;
    }),
  );
  socket.addEventListener('close', () => received.end());
  sent.on('data', (data: Buffer) => socket.send(Buffer.concat([Buffer.of(DATA), data])));
  stream.once('close', () => socket.close());
  return stream;
}

/** What is used of it; its own types are those of a package that is not among ours. */
interface Socket {
  addEventListener(event: 'close', listener: () => void): void;
  send(data: Buffer): void;
  close(): void;
}

async function opened(connecting: Promise<unknown>): Promise<Socket> {
  const socket = await connecting.catch((event: unknown) => {
    // An event, whose message is no property of its own.
    const isEvent = typeof event === 'object' && event !== null && 'message' in event;
    throw new Error(isEvent ? String(event.message) : String(event), { cause: event });
  });
  if (isSocket(socket)) return socket;
  throw new Error('@kubernetes/client-node has not answered with a WebSocket');
}

function isSocket(value: unknown): value is Socket {
  return (
    typeof value === 'object' && value !== null && ['addEventListener', 'send', 'close'].every((each) => each in value)
  );
}
