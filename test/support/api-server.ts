// An API server over real HTTPS on loopback: pages, streaming lists, watches and reads of objects in memory, and every
// misbehaviour of a real one on demand.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node';
import type { ApiEvent, ApiObject, ApiObjects } from './api-objects.ts';
import { createApiObjects } from './api-objects.ts';
import { written } from './api-writes.ts';
import { createAuthority } from './certificates.ts';
import type { Authority } from './certificates.ts';

export const SERVICE_ACCOUNTS = '/api/v1/serviceaccounts';

/** What a request asks for. */
export type CallKind = 'page' | 'streaming-list' | 'watch' | 'get' | 'update' | 'patch';

/** What happens to the next request of a kind instead of, or before, a good answer. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** RST before the first byte. */
  | 'reset'
  /** The request is taken and nothing ever comes back. */
  | 'black-hole'
  /** The right answer is made at once and sent later. */
  | { readonly until: Promise<void> }
  /** So many lines of a stream, then the end. A line may be raw text. */
  | { readonly lines: number; readonly raw?: string; readonly ending: 'reset' | 'end' | 'black-hole' };

export interface Recorded {
  readonly kind: CallKind;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  readonly authorization: string | undefined;
  readonly userAgent: string | undefined;
}

/** A watch that is open now. */
export interface OpenWatch {
  send(text: string | Buffer): void;
  sendError(code: number): void;
  bookmark(): void;
  end(): void;
  reset(): void;
  /** Events are no longer sent, and the connection stays. */
  blackHole(): void;
}

export interface ApiServer {
  readonly url: string;
  readonly authority: Authority;
  readonly objects: ApiObjects;
  readonly requests: readonly Recorded[];
  /** Bearer tokens that are let in; empty: anyone. */
  readonly tokens: Set<string>;
  /** With the CA, and the token where one is given. */
  kubeConfig(token?: string): KubeConfig;
  /** The next requests of this kind meet this fault. */
  fail(kind: CallKind, fault: Fault, times?: number): void;
  /** Requests of this kind meet no fault any more. */
  heal(kind: CallKind): void;
  /** Every request of the collection is answered 403. */
  forbid(collection: string): void;
  watches(): readonly OpenWatch[];
  /** The most watches that were open at once. */
  mostWatches(): number;
  connections(): number;
  /** Connections since the beginning. */
  accepted(): number;
  /** Resolves when a watch is open and has sent its initial events. */
  watched(): Promise<OpenWatch>;
  countOf(kind: CallKind): number;
  /** Closes the port and all connections. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

export interface ApiServerOptions {
  /** Default: like a current API server; `refuse` answers 422, `ignore` takes it for a plain watch. */
  readonly streamingLists?: 'serve' | 'refuse' | 'ignore';
  readonly stopped?: boolean;
}

interface Watch extends OpenWatch {
  deliver(event: ApiEvent): void;
}

export async function withApiServer(
  options: ApiServerOptions,
  use: (server: ApiServer) => Promise<void>,
): Promise<void> {
  const server = await createApiServer(options);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

async function createApiServer({ streamingLists = 'serve', stopped = false }: ApiServerOptions): Promise<ApiServer> {
  const authority = await createAuthority();
  const { keyPem, certPem } = await authority.issue();
  const objects = createApiObjects();
  const requests: Recorded[] = [];
  const tokens = new Set<string>();
  const faults = new Map<CallKind, Fault[]>();
  // By the client's port: a TLS socket cannot be reset, only its transport can.
  const sockets = new Map<number, Socket>();
  const watches = new Set<Watch>();
  const pages = new Map<string, { version: number; rest: readonly ApiObject[] }>();
  let waiting: ((watch: OpenWatch) => void)[] = [];
  let mostWatches = 0;
  let accepted = 0;
  let port = 0;

  const server = createServer({ key: keyPem, cert: certPem, keepAliveTimeout: 120_000 }, (request, response) => {
    void answer(request, response);
  });
  server.on('connection', (socket: Socket) => {
    const clientPort = socket.remotePort ?? 0;
    sockets.set(clientPort, socket);
    accepted += 1;
    socket.on('close', () => sockets.delete(clientPort));
  });
  const forbidden = new Set<string>();
  // Clients go away in the middle of everything: that is what is tested.
  server.on('clientError', (_error, socket) => socket.destroy());
  objects.onEvent((event) => {
    for (const watch of watches) watch.deliver(event);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://localhost');
    const { collection, name, namespace } = placeOf(url.pathname);
    const recorded: Recorded = {
      kind: kindOf(request.method, url.searchParams, name),
      path: url.pathname,
      query: url.searchParams,
      accept: request.headers.accept,
      authorization: request.headers.authorization,
      userAgent: request.headers['user-agent'],
    };
    requests.push(recorded);
    if (tokens.size > 0 && !tokens.has((recorded.authorization ?? '').replace('Bearer ', ''))) {
      return send(response, 401, statusOf(401, 'Unauthorized'));
    }
    if (forbidden.has(collection)) return send(response, 403, statusOf(403, `${collection} is forbidden`));
    const fault = faults.get(recorded.kind)?.shift();
    if (fault === 'black-hole') return;
    if (fault === 'reset') return resetSocket(response);
    if (fault !== undefined && 'status' in fault) {
      const body = fault.body ?? JSON.stringify(statusOf(fault.status, 'a fault was asked for'));
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers }).end(body);
      return;
    }
    const query = { collection, namespace, search: url.searchParams, accept: recorded.accept ?? '' };
    if (recorded.kind === 'update' || recorded.kind === 'patch') {
      return answerWrite(request, response, { ...query, name, fault });
    }
    if (recorded.kind === 'get') return answerGet(response, { ...query, name, fault });
    if (recorded.kind === 'page') return answerPage(response, { ...query, fault });
    answerWatch(response, { ...query, fault });
  }

  interface Query {
    readonly collection: string;
    readonly namespace: string | undefined;
    readonly search: URLSearchParams;
    readonly accept: string;
    readonly fault: Fault | undefined;
  }

  async function answerGet(
    response: ServerResponse,
    query: Query & { readonly name: string | undefined },
  ): Promise<void> {
    const key = query.namespace === undefined ? (query.name ?? '') : `${query.namespace}/${query.name ?? ''}`;
    const found = objects.get(query.collection, key);
    const body = found === undefined ? statusOf(404, `"${query.name ?? ''}" not found`) : shaped(found, query.accept);
    if (typeof query.fault === 'object' && 'until' in query.fault) await query.fault.until;
    send(response, found === undefined ? 404 : 200, body);
  }

  async function answerWrite(
    request: IncomingMessage,
    response: ServerResponse,
    { collection, namespace, name = '', fault }: Query & { readonly name: string | undefined },
  ): Promise<void> {
    const body: unknown = await json(request);
    const key = namespace === undefined ? name : `${namespace}/${name}`;
    const method = request.method === 'PUT' ? 'PUT' : 'PATCH';
    const outcome = written(objects, { method, collection, key, body });
    // Carried out, and not heard of in time: what a client cannot tell from a call that never came.
    if (typeof fault === 'object' && 'until' in fault) await fault.until;
    if (outcome.status === 200) send(response, 200, outcome.object);
    else send(response, outcome.status, statusOf(outcome.status, outcome.message));
  }

  async function answerPage(response: ServerResponse, query: Query): Promise<void> {
    const token = query.search.get('continue');
    const page = token === null ? { version: objects.version(), rest: selected(query) } : pages.get(token);
    if (page === undefined || page.version < objects.compactedTo()) {
      return send(response, 410, statusOf(410, 'The provided continue parameter is too old'));
    }
    const limit = Number(query.search.get('limit') ?? Infinity);
    const next = page.rest.length > limit ? `page-${pages.size + 1}` : undefined;
    if (next !== undefined) pages.set(next, { version: page.version, rest: page.rest.slice(limit) });
    const body = {
      kind: query.accept.includes('as=') ? 'PartialObjectMetadataList' : 'List',
      metadata: { resourceVersion: String(page.version), ...(next === undefined ? {} : { continue: next }) },
      items: page.rest.slice(0, limit).map((object) => shaped(object, query.accept)),
    };
    if (typeof query.fault === 'object' && 'until' in query.fault) await query.fault.until;
    if (typeof query.fault !== 'object' || !('ending' in query.fault)) return send(response, 200, body);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(query.fault.raw ?? JSON.stringify(body).slice(0, 40), () => finish(response, query.fault));
  }

  function answerWatch(response: ServerResponse, query: Query): void {
    const isList = query.search.get('sendInitialEvents') === 'true';
    if (isList && streamingLists === 'refuse') {
      return send(
        response,
        422,
        statusOf(422, 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch'),
      );
    }
    const from = query.search.get('resourceVersion');
    const missed = from === null ? [] : objects.since(query.collection, Number(from));
    if (missed === undefined) return send(response, 410, statusOf(410, `too old resource version: ${from ?? ''}`));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const lines = [
      ...(from === null ? selected(query).map((object) => lineOf('ADDED', shaped(object, query.accept))) : []),
      ...(isList && streamingLists === 'serve' ? [bookmarkLine(objects.version(), true)] : []),
      ...missed.map(({ type, object }) => lineOf(type, shaped(object, query.accept))),
    ];
    const { fault } = query;
    if (typeof fault === 'object' && 'ending' in fault) {
      response.write(lines.slice(0, fault.lines).join('') + (fault.raw ?? ''), () => finish(response, fault));
      return;
    }
    openWatch(response, { lines, query });
  }

  function openWatch(response: ServerResponse, { lines, query }: { lines: readonly string[]; query: Query }): void {
    let mute = false;
    const deliver = (event: ApiEvent): void => {
      if (mute || event.collection !== query.collection || !isSelected(event.object, query)) return;
      response.write(lineOf(event.type, shaped(event.object, query.accept)));
    };
    const watch: Watch = {
      deliver,
      send: (text) => response.write(text),
      sendError: (code) => response.write(lineOf('ERROR', statusOf(code, 'an error event was asked for'))),
      bookmark: () => response.write(bookmarkLine(objects.version(), false)),
      end: () => response.end(),
      reset: () => resetSocket(response),
      blackHole() {
        mute = true;
      },
    };
    watches.add(watch);
    mostWatches = Math.max(mostWatches, watches.size);
    response.on('close', () => watches.delete(watch));
    response.write(lines.join(''), () => {
      for (const tell of waiting) tell(watch);
      waiting = [];
    });
  }

  function selected(query: Query): readonly ApiObject[] {
    return objects.list(query.collection).filter((object) => isSelected(object, query));
  }

  function finish(response: ServerResponse, fault: Fault | undefined): void {
    if (typeof fault !== 'object' || !('ending' in fault)) return;
    if (fault.ending === 'end') response.end();
    if (fault.ending === 'reset') resetSocket(response);
  }

  function resetSocket(response: ServerResponse): void {
    sockets.get(response.socket?.remotePort ?? 0)?.resetAndDestroy();
  }

  async function start(): Promise<void> {
    await new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
    port = addressOf(server.address()).port;
  }

  async function stop(): Promise<void> {
    for (const socket of sockets.values()) socket.destroy();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }

  // The port is known before the first `start` of a test that begins without an API server.
  await start();
  if (stopped) await stop();
  const url = `https://127.0.0.1:${port}`;

  return {
    url,
    authority,
    objects,
    requests,
    tokens,
    kubeConfig(token) {
      const config = new KubeConfig();
      const caData = Buffer.from(authority.caPem).toString('base64');
      const user = token === undefined ? { name: 'test' } : { name: 'test', token };
      config.loadFromClusterAndUser({ name: 'test', server: url, caData, skipTLSVerify: false }, user);
      return config;
    },
    fail(kind, fault, times = 1) {
      faults.set(kind, [...(faults.get(kind) ?? []), ...Array.from({ length: times }, () => fault)]);
    },
    heal: (kind) => void faults.delete(kind),
    forbid: (collection) => void forbidden.add(collection),
    watches: () => [...watches],
    mostWatches: () => mostWatches,
    connections: () => sockets.size,
    accepted: () => accepted,
    watched: async () => new Promise((resolve) => waiting.push(resolve)),
    countOf: (kind) => requests.filter((request) => request.kind === kind).length,
    stop,
    start,
  };
}

function kindOf(method: string | undefined, search: URLSearchParams, name: string | undefined): CallKind {
  if (method === 'PUT') return 'update';
  if (method === 'PATCH') return 'patch';
  if (search.get('watch') === '1') return search.get('sendInitialEvents') === 'true' ? 'streaming-list' : 'watch';
  return name === undefined ? 'page' : 'get';
}

/** The collection of a path, and the object in it. */
function placeOf(path: string): { collection: string; namespace: string | undefined; name: string | undefined } {
  const [, root = '', rest = ''] = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
  const parts = rest.split('/').map(decodeURIComponent);
  const isNamespaced = parts[0] === 'namespaces' && parts.length > 2;
  const [resource = '', name] = isNamespaced ? parts.slice(2) : parts;
  return { collection: `${root}/${resource}`, namespace: isNamespaced ? parts[1] : undefined, name };
}

function isSelected(object: ApiObject, query: { namespace: string | undefined; search: URLSearchParams }): boolean {
  const selector = query.search.get('fieldSelector') ?? '';
  const name = /metadata\.name=([^,]+)/.exec(selector)?.[1];
  if (query.namespace !== undefined && object.metadata.namespace !== query.namespace) return false;
  return name === undefined || object.metadata.name === name;
}

function shaped(object: ApiObject, accept: string): unknown {
  if (!accept.includes('as=PartialObjectMetadata')) return object;
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

function lineOf(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function bookmarkLine(version: number | string, endsInitialEvents: boolean): string {
  const annotations = endsInitialEvents ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  return lineOf('BOOKMARK', { metadata: { resourceVersion: String(version), ...annotations } });
}

function statusOf(code: number, message: string): unknown {
  const reason = code === 404 ? 'NotFound' : code === 410 ? 'Expired' : 'Failure';
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function addressOf(address: string | AddressInfo | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return address;
}
