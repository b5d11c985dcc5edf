// A connection to a port of a pod through the API server, as kubectl port-forward makes it: from wherever the API server
// is reached, and with the rights of whoever asks (`create` on pods/portforward).
import { Duplex } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
import { WebSocket } from 'ws';
import { createCredentials } from './credentials.ts';

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

export interface ForwardOptions {
  /** Milliseconds that the API server may take to let us in; it asks the node first. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5000;
/** Kubernetes' framing of streams in a WebSocket: the first byte of a message is its channel. */
const PROTOCOL = 'v4.channel.k8s.io';
/** Of the one port that is asked for. The first message on each is the port's number. */
const DATA = 0;
const ERROR = 1;

/** Rejects where the API server refuses; what the node says later ends the stream as an error. */
export async function forwardedTo(
  config: KubeConfig,
  { namespace, pod, port }: PodPort,
  { timeoutMs = TIMEOUT_MS }: ForwardOptions = {},
): Promise<Duplex> {
  const { options, headers } = await createCredentials(config).trustFor({ fresh: false });
  const server = (config.getCurrentCluster()?.server ?? '').replace(/^http/, 'ws').replace(/\/+$/, '');
  const [encodedNamespace, encodedPod] = [namespace, pod].map(encodeURIComponent);
  const url = `${server}/api/v1/namespaces/${encodedNamespace}/pods/${encodedPod}/portforward?ports=${port}`;
  const socket = new WebSocket(url, PROTOCOL, { ...options, headers, handshakeTimeout: timeoutMs });
  const stream = streamOver(socket);
  // Whoever takes the stream later finds the error on it; until then there is nobody to hear it.
  stream.on('error', () => undefined);
  const opened = Promise.withResolvers<void>();
  socket.once('open', opened.resolve);
  socket.on('error', (error) => {
    opened.reject(error);
    stream.destroy(error);
  });
  await opened.promise;
  return stream;
}

function streamOver(socket: WebSocket): Duplex {
  const begun = new Set<number>();
  const stream = new Duplex({
    // The peer decides when there is something; a handshake needs no more.
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => socket.send(Buffer.concat([Buffer.of(DATA), chunk]), done),
    final: (done) => {
      socket.close();
      done();
    },
    destroy: (error, done) => {
      socket.terminate();
      done(error);
    },
  });
  socket.on('message', (message) => {
    const bytes = Buffer.isBuffer(message) ? message : Buffer.alloc(0);
    const [channel] = bytes;
    if (channel === undefined) return;
    const content = bytes.subarray(1);
    if (!begun.has(channel)) begun.add(channel);
    else if (channel === DATA) stream.push(content);
    else if (channel === ERROR) stream.destroy(new Error(content.toString('utf8').trim()));
  });
  socket.on('close', () => stream.push(null));
  return stream;
}
