// Calls to the API server over plain https with a kubeconfig's credentials. Every failure says why, with the server's
// status and Retry-After where there are any; nothing here waits or tries again but for stale credentials and sockets.
import http from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { ownString } from '../admission/json.ts';
import type { KubeAnswer } from './answer.ts';
import { answerOf, refusalOf } from './answer.ts';
import type { Trust } from './credentials.ts';
import { createCredentials } from './credentials.ts';
import { KubeError } from './error.ts';
import type { StreamOptions } from './stream.ts';
import { eventsOf, kubeErrorFrom } from './stream.ts';

/** With the ten probes a second apart that libuv asks for, a dead peer is noticed 25 s after its last byte. */
const TCP_KEEP_ALIVE_MS = 15_000;
/** kube-apiserver closes a connection that was idle for 90 s: close it first, not while a call is on its way. */
const IDLE_SOCKET_MS = 60_000;
/** kube-apiserver lets a call queue for a quarter of its --request-timeout at most, which is 15 s by default. */
const HEADERS_MS = 30_000;
/** The same for the whole of an answer: a page of 500 objects takes some 30 ms. */
const CALL_MS = 30_000;
/** A read takes some 5 ms, so these do 2,000 a second; each more is a TLS handshake in the middle of a burst. Streams,
 * which hold theirs for minutes, are not counted. */
const MAX_CALL_SOCKETS = 10;

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Media types that are taken; JSON by default. */
  readonly accept?: string | undefined;
}

export interface GetOptions extends CallOptions {
  /** Milliseconds that the whole answer may take. */
  readonly timeoutMs?: number;
}

/** What those need who only look. */
export interface ReadClient {
  /** Any status is an answer; throws KubeError `credentials`, `connection`, `silent` or `garbage`. */
  get(path: string, options: GetOptions): Promise<KubeAnswer>;
  /** The documents of a watch; throws KubeError also for a status other than 200. Ending the iteration closes it. */
  stream(path: string, options: CallOptions & StreamOptions): AsyncGenerator<unknown, void>;
}

/** What is sent to change an object. */
export interface WriteOptions extends CallOptions {
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly contentType: string;
  /** Sent as JSON. */
  readonly body: unknown;
}

export interface KubeClient extends ReadClient {
  /** As `get`. Never sent twice, whatever becomes of the connection: the first may have been carried out. */
  write(path: string, options: WriteOptions): Promise<KubeAnswer>;
  /** Closes all connections. */
  close(): void;
}

export interface KubeClientOptions {
  readonly config: KubeConfig;
  readonly userAgent?: string;
  /** Longest wait for the head of an answer. */
  readonly headersTimeoutMs?: number;
}

interface Call extends CallOptions {
  readonly method: string;
  readonly path: string;
  readonly over: 'calls' | 'streams';
  readonly sends?: Pick<WriteOptions, 'contentType' | 'body'>;
}

export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { config, userAgent = 'pod-identity-webhook', headersTimeoutMs = HEADERS_MS } = options;
  const credentials = createCredentials(config);
  const cluster = config.getCurrentCluster();
  const server = (cluster?.server ?? '').replace(/\/+$/, '');
  const transport = server.startsWith('http:') ? http : https;
  const sockets = { keepAlive: true, keepAliveMsecs: TCP_KEEP_ALIVE_MS, timeout: IDLE_SOCKET_MS };
  // KubeConfig's own agent opens a connection for each call and keeps the first CA that it saw for good.
  const agents = {
    calls: new transport.Agent({ ...sockets, maxSockets: MAX_CALL_SOCKETS }),
    streams: new transport.Agent(sockets),
  };

  async function request(call: Call): Promise<IncomingMessage> {
    try {
      const response = await send(call, await trustFor(call.signal, { fresh: false }));
      if (response.statusCode !== 401) return response;
      response.resume();
      return await send(call, await trustFor(call.signal, { fresh: true }));
    } catch (error) {
      throw kubeErrorFrom(error);
    }
  }

  /** A credentials plugin of the kubeconfig may never end. */
  async function trustFor(signal: AbortSignal, how: { readonly fresh: boolean }): Promise<Trust> {
    const overdue = Promise.withResolvers<never>();
    const end = (): void =>
      overdue.reject(new KubeError('the credentials of the kubeconfig did not come in time', { code: 'credentials' }));
    const timer = setTimeout(end, headersTimeoutMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      return await Promise.race([credentials.trustFor(how), overdue.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }

  async function send(call: Call, trust: Trust): Promise<IncomingMessage> {
    const { method, path, accept = 'application/json', signal } = call;
    const text = call.sends && JSON.stringify(call.sends.body);
    const type = call.sends && {
      'content-type': call.sends.contentType,
      'content-length': Buffer.byteLength(text ?? ''),
    };
    const headers = { ...trust.headers, accept, 'user-agent': userAgent, ...type };
    const agent = cluster?.proxyUrl === undefined ? agents[call.over] : trust.options.agent;
    const sent = transport.request(`${server}${path}`, { ...trust.options, method, headers, agent, signal });
    sent.end(text);
    try {
      return await headOf(sent, headersTimeoutMs);
    } catch (error) {
      // The server may have closed a kept connection just as it was taken; each such socket can fail once only.
      if (sent.reusedSocket && method === 'GET' && isReset(error) && !signal.aborted) return send(call, trust);
      throw error;
    }
  }

  async function answered(call: Omit<Call, 'over'>, timeoutMs: number): Promise<KubeAnswer> {
    const { method, path, signal } = call;
    // Not AbortSignal.any: what it makes is kept for as long as the caller's signal lives (1.1 kB a call).
    const ending = new AbortController();
    const end = (): void => ending.abort();
    let isOverdue = false;
    const timer = setTimeout(() => {
      isOverdue = true;
      end();
    }, timeoutMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      return await answerOf(await request({ ...call, signal: ending.signal, over: 'calls' }));
    } catch (cause) {
      if (!isOverdue) throw cause;
      throw new KubeError(`no complete answer to ${method} ${path} within ${timeoutMs} ms`, { code: 'silent', cause });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }

  async function open(path: string, { signal, accept }: CallOptions): Promise<IncomingMessage> {
    const response = await request({ method: 'GET', path, accept, signal, over: 'streams' });
    if (response.statusCode === 200) return response;
    throw refusalOf(path, await answerOf(response, headersTimeoutMs));
  }

  return {
    get: async (path, { signal, accept, timeoutMs = CALL_MS }) =>
      answered({ method: 'GET', path, accept, signal }, timeoutMs),
    write: async (path, { method, signal, accept, ...sends }) =>
      answered({ method, path, accept, signal, sends }, CALL_MS),
    stream: (path, call) => eventsOf(() => open(path, call), call),
    close() {
      agents.calls.destroy();
      agents.streams.destroy();
    },
  };
}

/** Waits for status and headers. */
async function headOf(sent: ClientRequest, timeoutMs: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      sent.destroy(new KubeError(`no answer from the API server for ${timeoutMs} ms`, { code: 'silent' }));
    }, timeoutMs);
    sent.once('close', () => clearTimeout(timer));
    sent.once('socket', (socket) => socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS));
    sent.once('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    // Stays for the whole life of the request: an abort after the head is emitted here, too.
    sent.on('error', reject);
  });
}

function isReset(error: unknown): boolean {
  const code = ownString(error, 'code');
  return code === 'ECONNRESET' || code === 'EPIPE';
}
