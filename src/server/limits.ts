// How long and how much a socket may take: for the admission port and the metrics port alike.
import type { ServerOptions } from 'node:http';

export interface SocketLimits {
  readonly keepAliveTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly checkIntervalMs: number;
  readonly handshakeTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
}

export const SOCKET_LIMITS: SocketLimits = {
  // kube-apiserver keeps idle connections for 90 s and never replays a POST, so it must be the one that closes. With
  // Node's 5 s up to 27 % of calls that were 6 s apart were lost.
  keepAliveTimeoutMs: 120_000,
  // An API server sends headers and body in one piece. What takes longer holds a connection on purpose.
  headersTimeoutMs: 5_000,
  // Above the registration's timeoutSeconds of 5, below anything that hurts.
  requestTimeoutMs: 10_000,
  // Node looks at the two timeouts above this often; its own 30 s would add up to 30 s to each.
  checkIntervalMs: 1_000,
  handshakeTimeoutMs: 5_000,
  // An API server sends less than 1 KiB of headers.
  maxHeaderBytes: 16_384,
  // Each API server opens a connection per call in flight beyond its 25 idle ones; at most 600 calls are in flight in
  // one by default (--max-requests-inflight + --max-mutating-requests-inflight). Three of them have room.
  maxConnections: 2_000,
};

export function httpOptionsFrom(limits: SocketLimits): ServerOptions {
  return {
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    maxHeaderSize: limits.maxHeaderBytes,
  };
}
