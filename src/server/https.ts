// The admission port: TLS with the certificate of the moment, limits on what a socket may take, and an end that loses
// no call.
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import type { SocketLimits } from './limits.ts';
import { httpOptionsFrom, SOCKET_LIMITS } from './limits.ts';
import type { Address } from './listen.ts';
import { addressOf, listen } from './listen.ts';
import { inTurn } from './pipelining.ts';

// What is being worked on when the port closes has this long: as long as the registration's timeoutSeconds.
const IN_FLIGHT_MS = 5_000;

/** A certificate that is known to work with the other TLS options. */
export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
  readonly clientCa?: string;
}

export interface HttpsServerOptions {
  readonly listener: RequestListener;
  readonly port: number;
  /** All addresses where undefined. */
  readonly host: string | undefined;
  readonly certificates: {
    current(): ServerCertificate | undefined;
    onChange(listener: (certificate: ServerCertificate) => void): () => void;
  };
  /** Lowest version and suites, as contextOptionsFrom makes them. */
  readonly tls: SecureContextOptions;
  /** Ask clients for a certificate; whether one is needed is the routes' to say. */
  readonly requestCert: boolean;
  /** Ends early, without error, when the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'reloadFailed'>;
  readonly limits?: SocketLimits;
}

export interface HttpsServer {
  /** Rejects with what to do where the port cannot be opened. */
  listen(): Promise<void>;
  address(): Address;
  /** Readiness goes first. */
  draining(): boolean;
  /** Serves on for `delayMs`, each answer the last of its connection; then ends. Later calls wait for the first one. */
  drain(delayMs: number): Promise<void>;
  /** Ends at once. */
  close(): Promise<void>;
}

export function createHttpsServer(options: HttpsServerOptions): HttpsServer {
  const { certificates, sleep } = options;
  const server = createTlsServer(options);
  const sockets = new Set<Socket>();
  const secured = new Set<Socket>();
  const outdated = new WeakSet<Socket>();
  // What each connection is answering. Values that change, not a Set that grows and shrinks with each request: V8 makes
  // a Set's table anew after a few deletions, and a table that has outlived two collections keeps the next one alive, with
  // all that is in it: half of all requests outlived their answer, at 40 MiB.
  const answering = new Map<Socket, ServerResponse | undefined>();
  let drained: Promise<void> | undefined;

  keepTrack(server, 'connection', sockets);
  keepTrack(server, 'secureConnection', secured);
  server.on('secureConnection', (socket) => socket.once('close', () => answering.delete(socket)));
  server.on(
    'request',
    inTurn((request, response) => {
      const { socket } = request;
      answering.set(socket, response);
      response.once('close', () => {
        if (answering.get(socket) === response) answering.set(socket, undefined);
      });
      if (drained !== undefined || outdated.has(socket)) response.setHeader('Connection', 'close');
      options.listener(request, response);
    }),
  );
  const stopListening = certificates.onChange((certificate) => {
    renewContext(server, options, certificate);
    // A connection keeps the certificate of its handshake, and its client's verdict on it, for as long as it lives: the
    // next answer ends it, so that neither an expired leaf nor a client CA that was taken away lives on in a pool.
    for (const socket of secured) outdated.add(socket);
  });

  async function end(graceMs: number): Promise<void> {
    stopListening();
    // Twice, so that the event loop has looked at its sockets in between: a connection that waits to be accepted, or a
    // request that waits to be read, would be reset.
    await setImmediate();
    await setImmediate();
    // Closes the port and idle connections; connections with a request end with its answer.
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    const grace = new AbortController();
    if (graceMs > 0) await Promise.race([closed, sleep(graceMs, grace.signal)]);
    grace.abort();
    // Not closeAllConnections, which does not know of sockets whose handshake never ended.
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  async function drainOnce(delayMs: number): Promise<void> {
    for (const response of answering.values())
      if (response?.headersSent === false) response.setHeader('Connection', 'close');
    await sleep(delayMs);
    await end(IN_FLIGHT_MS);
  }

  return {
    listen: async () => listen(server, { port: options.port, host: options.host, portFlag: '--port' }),
    address: () => addressOf(server),
    draining: () => drained !== undefined,
    drain: async (delayMs) => (drained ??= drainOnce(delayMs)),
    close: async () => (drained ??= end(0)),
  };
}

/** The server with all its settings, not listening yet. */
export function createTlsServer(
  options: Pick<HttpsServerOptions, 'certificates' | 'tls' | 'requestCert' | 'limits' | 'log'>,
): Server {
  const { certificates, tls, requestCert, limits = SOCKET_LIMITS, log } = options;
  // No SNICallback: an exception in one kills the process (CVE-2026-21637).
  const server = createServer({
    ...httpOptionsFrom(limits),
    ...contextFrom(tls, certificates.current()),
    handshakeTimeout: limits.handshakeTimeoutMs,
    requestCert,
    // A client without a certificate may ask for /healthz.
    rejectUnauthorized: false,
  });
  server.maxConnections = limits.maxConnections;
  // No listener for clientError: Node then answers what it cannot parse with 400, 408 or 431 and destroys the socket.
  // The listener of Node's documentation, which ends the socket instead, keeps half-open handshakes for ever.
  server.on('tlsClientError', (error: Error) => log.debug({ error: error.message }, 'TLS handshake failed'));
  return server;
}

function renewContext(
  server: Server,
  { tls, log, recorder }: HttpsServerOptions,
  certificate: ServerCertificate,
): void {
  try {
    server.setSecureContext(contextFrom(tls, certificate));
  } catch (error) {
    recorder.reloadFailed('tls-context');
    log.error({ error }, 'certificate cannot be served, the last good one stays');
  }
}

// All of it, every time: setSecureContext({ key, cert }) would drop the client CA and the lowest version.
function contextFrom(tls: SecureContextOptions, certificate: ServerCertificate | undefined): SecureContextOptions {
  if (certificate === undefined) return tls;
  const { key, cert, clientCa } = certificate;
  return { ...tls, key, cert, ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

function keepTrack(server: Server, event: 'connection' | 'secureConnection', sockets: Set<Socket>): void {
  server.on(event, (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
}
