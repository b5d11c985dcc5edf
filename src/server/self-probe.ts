// Proves that this replica can be called: its own /mutate, over TLS on its own address, with the certificate that is
// loaded. What the kubelet's probe of the metrics port cannot see is a readiness condition here.
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Log } from '../observe/log.ts';
import type { Address } from './listen.ts';

// A probe takes milliseconds; a busy event loop may need longer.
const PROBE_TIMEOUT_MS = 5_000;
const RETRY_MS = 1_000;

export interface SelfProbeOptions {
  /** Where the server listens. */
  readonly address: () => Address;
  readonly certificates: {
    current(): { readonly fingerprint256: string } | undefined;
    onChange(listener: () => void): () => void;
  };
  /** Presenting the leaf is enough, because we have no client certificate. */
  readonly handshakeOnly: boolean;
  /** Returns what cancels the timer. */
  readonly setTimer: (run: () => void, delayMs: number) => () => void;
  readonly log: Log;
}

export interface SelfProbe {
  /** To be called once the server listens. */
  start(): void;
  /** Why the last probe failed; empty where it did not. */
  problem(): string;
  close(): void;
}

export function createSelfProbe({ address, certificates, handshakeOnly, setTimer, log }: SelfProbeOptions): SelfProbe {
  let problem = 'the own /mutate has not been tried yet';
  let running = false;
  let again = false;
  let closed = false;
  let cancel: (() => void) | undefined;
  let started = false;
  const stopListening = certificates.onChange(() => void probe());

  async function probe(): Promise<void> {
    cancel?.();
    again = running;
    if (running || closed || !started) return;
    running = true;
    const found = await problemOf(address(), certificates.current()?.fingerprint256, handshakeOnly);
    running = false;
    if (closed) return;
    if (found !== problem && found !== '') log.warn({ problem: found }, 'own admission port cannot be called');
    problem = found;
    if (again) void probe();
    else if (found !== '') cancel = setTimer(() => void probe(), RETRY_MS);
  }

  return {
    start() {
      started = true;
      void probe();
    },
    problem: () => problem,
    close() {
      closed = true;
      stopListening();
      cancel?.();
    },
  };
}

async function problemOf(address: Address, fingerprint: string | undefined, handshakeOnly: boolean): Promise<string> {
  if (fingerprint === undefined) return 'there is no certificate to answer with';
  const at = `${address.host} port ${address.port}`;
  try {
    const answer = await call(address);
    if (answer.fingerprint !== fingerprint) return `${at} presents another certificate than the one that is loaded`;
    if (handshakeOnly || (answer.status === 400 && answer.isOurs)) return '';
    return `${at} answers an empty POST /mutate with ${answer.status}, want 400${answer.isOurs ? '' : ' of ours'}`;
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
    return `${at} cannot be called: ${code}`;
  }
}

interface ProbeAnswer {
  readonly fingerprint: string | undefined;
  readonly status: number | undefined;
  /** It has the form of our errors. */
  readonly isOurs: boolean;
}

async function call({ host, port }: Address): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      // A socket that is bound to all addresses is reached by loopback.
      host: host === '::' ? '::1' : host === '0.0.0.0' ? '127.0.0.1' : host,
      port,
      method: 'POST',
      path: '/mutate',
      headers: { 'Content-Type': 'application/json', 'Content-Length': 0 },
      agent: false,
      timeout: PROBE_TIMEOUT_MS,
      // The fingerprint is compared instead, which says more.
      rejectUnauthorized: false,
    });
    let fingerprint: string | undefined;
    outgoing.on('socket', (socket: Socket) => {
      socket.once('secureConnect', () => {
        if (socket instanceof TLSSocket) fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
      });
    });
    outgoing.on('response', (response: IncomingMessage) => {
      response.resume();
      const isOurs = response.headers['content-type'] === 'application/json';
      response.once('end', () => resolve({ fingerprint, status: response.statusCode, isOurs }));
      response.once('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${PROBE_TIMEOUT_MS} ms`)));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
