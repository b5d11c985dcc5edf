// The metrics port: plain HTTP for the kubelet and Prometheus, apart from admission, so that a flood there cannot fail
// the probes.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { ErrorRequestHandler, Express, Request, Response } from 'express';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import { errorAnswer, send } from './answer.ts';
import type { CacheAccess } from './debug.ts';
import { addCacheRoutes } from './debug.ts';
import { createExpress } from './express-app.ts';
import type { SocketLimits } from './limits.ts';
import { httpOptionsFrom, SOCKET_LIMITS } from './limits.ts';
import type { Address } from './listen.ts';
import { addressOf, listen } from './listen.ts';

// The kubelet and a few scrapers; more are somebody's mistake.
const MAX_CONNECTIONS = 100;

/** Something that must hold before pods may be sent here. */
export interface Condition {
  readonly name: string;
  readonly ok: boolean;
  /** Why not, in a sentence; what is said of one that holds is shown as well. */
  readonly message: string;
}

export interface AdminOptions {
  readonly port: number;
  /** All addresses where undefined. */
  readonly host: string | undefined;
  /** Asked at each request. */
  readonly conditions: () => readonly Condition[];
  readonly scrape: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Given where the debugging handlers are on. */
  readonly cache?: CacheAccess | undefined;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'failedUnexpectedly'>;
  readonly limits?: SocketLimits;
}

export interface AdminServer {
  /** Rejects with what to do where the port cannot be opened. */
  listen(): Promise<void>;
  address(): Address;
  close(): Promise<void>;
}

export function createAdminServer(options: AdminOptions): AdminServer {
  const limits = options.limits ?? { ...SOCKET_LIMITS, maxConnections: MAX_CONNECTIONS };
  const server = createServer(httpOptionsFrom(limits), createAdminRoutes(options));
  server.maxConnections = limits.maxConnections;
  return {
    listen: async () => listen(server, { port: options.port, host: options.host, portFlag: '--metrics-port' }),
    address: () => addressOf(server),
    close: async () => closed(server),
  };
}

export function createAdminRoutes(
  options: Pick<AdminOptions, 'conditions' | 'scrape' | 'cache' | 'log' | 'recorder'>,
): Express {
  const app = createExpress();

  // Alive is what answers: nothing that a restart would not heal may fail this.
  for (const path of ['/livez', '/healthz'])
    app.get(path, (request, response) => sendText(request, response, 200, 'ok'));
  app.get('/readyz', (request, response) => {
    const conditions = options.conditions();
    const isReady = conditions.every(({ ok }) => ok);
    const shown = isVerbose(request.url) ? conditions : conditions.filter(({ ok }) => !ok);
    sendText(request, response, isReady ? 200 : 503, [...shown.map(lineOf), isReady ? 'ok' : 'not ready'].join('\n'));
  });
  app.get('/metrics', async (request, response) => {
    const { contentType, body } = await options.scrape();
    send(request, response, { status: 200, body, type: contentType });
  });
  for (const path of ['/livez', '/healthz', '/readyz', '/metrics']) {
    app.all(path, (request, response) => {
      send(request, response, errorAnswer(405, 'want GET, HEAD', { Allow: 'GET, HEAD' }));
    });
  }
  if (options.cache !== undefined) addCacheRoutes(app, options.cache);
  app.use((request, response) => {
    send(request, response, errorAnswer(404, 'no such path; want /metrics, /livez, /readyz or /healthz'));
  });
  app.use(errorHandler(options));
  return app;
}

function sendText(request: Request, response: Response, status: number, text: string): void {
  send(request, response, { status, body: `${text}\n`, type: 'text/plain; charset=utf-8' });
}

/** As Kubernetes' own components list them. */
function lineOf({ name, ok, message }: Condition): string {
  const said = message === '' ? '' : `: ${message}`;
  return ok ? `[+]${name} ok${said}` : `[-]${name} failed${said}`;
}

function isVerbose(url: string): boolean {
  const start = url.indexOf('?');
  return start !== -1 && new URLSearchParams(url.slice(start + 1)).has('verbose');
}

function errorHandler({ log, recorder }: Pick<AdminOptions, 'log' | 'recorder'>): ErrorRequestHandler {
  // Express tells an error handler by its four parameters.
  return (error: unknown, request: Request, response: Response, _next: unknown): void => {
    recorder.failedUnexpectedly('admin');
    log.error({ error, path: request.path }, 'unexpected error');
    send(request, response, errorAnswer(500, 'unexpected error; the log of the webhook has more'));
  };
}

async function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
