// The admission server as it runs, with everything around it in the test's hands: withServer opens and closes it.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Agent, request as httpsRequest } from 'node:https';
import { performance } from 'node:perf_hooks';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { JsonObject } from '../../src/admission/json.ts';
import { mutate } from '../../src/admission/mutate.ts';
import type { Certificates } from '../../src/certificates/certificate.ts';
import { createFixedCertificates } from '../../src/certificates/fixed.ts';
import type { Log } from '../../src/observe/log.ts';
import type { BodyLimits } from '../../src/server/body.ts';
import { createBodyReader } from '../../src/server/body.ts';
import { createClientCheck } from '../../src/server/client-certificates.ts';
import type { HttpsServer, HttpsServerOptions } from '../../src/server/https.ts';
import { createHttpsServer } from '../../src/server/https.ts';
import type { SocketLimits } from '../../src/server/limits.ts';
import { SOCKET_LIMITS } from '../../src/server/limits.ts';
import type { RoutesOptions } from '../../src/server/routes.ts';
import { createRoutes } from '../../src/server/routes.ts';
import { contextOptionsFrom } from '../../src/server/tls-options.ts';
import type { Authority } from './certificates.ts';
import { createAuthority } from './certificates.ts';
import type { TestLog } from './log.ts';
import { createTestLog } from './log.ts';
import type { TestRecorder } from './recorder.ts';
import { createTestRecorder } from './recorder.ts';
import { reviewOf, settingsOf } from './stories.ts';

export interface ServerSetup {
  readonly mutate?: RoutesOptions['mutate'];
  readonly shadow?: boolean;
  readonly clientNames?: readonly string[];
  readonly clientCa?: string;
  readonly maxInFlight?: number;
  readonly bodyLimits?: BodyLimits;
  readonly limits?: Partial<SocketLimits>;
  readonly certificates?: Certificates;
  readonly tls?: HttpsServerOptions['tls'];
  readonly sleep?: HttpsServerOptions['sleep'];
  /** Takes the place of the log that remembers. */
  readonly log?: Log;
}

export interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface PostOptions extends Omit<RequestOptions, 'headers'> {
  readonly headers?: OutgoingHttpHeaders;
}

export interface RunningServer {
  readonly server: HttpsServer;
  readonly port: number;
  readonly ca: string;
  readonly log: TestLog;
  readonly recorder: TestRecorder;
  /** POST /mutate, on a connection of its own unless an agent is given. */
  readonly post: (body: unknown, options?: PostOptions) => Promise<Reply>;
  readonly request: (options: RequestOptions, body?: string | Buffer) => Promise<Reply>;
  readonly connect: (options?: ConnectionOptions) => Promise<TLSSocket>;
}

let shared: Promise<Authority> | undefined;

/** One authority for all servers of a test file. */
export async function sharedAuthority(): Promise<Authority> {
  return (shared ??= createAuthority());
}

const settings = settingsOf([]);

/** Decides as the program does; ServiceAccount `app` of any namespace has a role, all others have none. */
const decide: RoutesOptions['mutate'] = async (review, timeoutMs) =>
  mutate(
    review,
    {
      settings,
      surroundings: () => ({}),
      identityOf: async ({ name }) =>
        name === 'app'
          ? {
              kind: 'identity',
              identity: { method: 'sts_web_identity', source: 'service-account', roleArn: ROLE_ARN },
              warnings: [],
            }
          : { kind: 'none', reason: 'no-role', warnings: [] },
    },
    timeoutMs,
  );

export const ROLE_ARN = 'arn:aws:iam::111122223333:role/app';

/** A review of a new pod of ServiceAccount `app`. */
export function appReview(request: JsonObject = {}): JsonObject {
  const pod = {
    metadata: { generateName: 'web-' },
    spec: { serviceAccountName: 'app', containers: [{ name: 'main', image: 'registry.example.com/app:1' }] },
  };
  return reviewOf({ namespace: 'default', ...request }, pod);
}

export async function withServer<Result>(
  setup: ServerSetup,
  run: (running: RunningServer) => Promise<Result>,
): Promise<Result> {
  const authority = await sharedAuthority();
  const tls = setup.tls ?? contextOptionsFrom({ minVersion: 'TLSv1.2', ciphers: undefined });
  const certificates = setup.certificates ?? (await fixedCertificates(authority, setup, tls));
  const testLog = createTestLog();
  const log = setup.log ?? testLog.log;
  const recorder = createTestRecorder();
  const requiresClient = setup.clientCa !== undefined || setup.clientNames !== undefined;
  const server = createHttpsServer({
    listener: createRoutes({
      mutate: setup.mutate ?? decide,
      readBody: createBodyReader(setup.bodyLimits),
      shadow: setup.shadow ?? false,
      checkClient: requiresClient ? createClientCheck({ names: setup.clientNames ?? [], now: Date.now }) : undefined,
      now: () => performance.now(),
      log,
      recorder,
      ...(setup.maxInFlight === undefined ? {} : { maxInFlight: setup.maxInFlight }),
    }),
    port: 0,
    host: '127.0.0.1',
    certificates,
    tls,
    requestCert: requiresClient,
    sleep: setup.sleep ?? (async (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref())),
    log,
    recorder,
    limits: { ...SOCKET_LIMITS, ...setup.limits },
  });
  await server.listen();
  const { port } = server.address();
  const ca = authority.caPem;
  const request: RunningServer['request'] = async (options, body) => call({ port, ca, ...options }, body);
  try {
    return await run({
      server,
      port,
      ca,
      log: testLog,
      recorder,
      request,
      post: async (body, { headers, ...options } = {}) =>
        request(
          { method: 'POST', path: '/mutate', ...options, headers: { ...JSON_HEADERS, ...headers } },
          typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
        ),
      connect: async (options = {}) => connected({ port, ca, host: '127.0.0.1', ...options }),
    });
  } finally {
    await server.close();
  }
}

// Without an agent Node asks for the end of the connection; an API server never does.
const JSON_HEADERS = { 'Content-Type': 'application/json', Connection: 'keep-alive' };

async function fixedCertificates(
  authority: Authority,
  { clientCa }: ServerSetup,
  tls: HttpsServerOptions['tls'],
): Promise<Certificates> {
  const { keyPem, certPem } = await authority.issue();
  const pems = { key: keyPem, cert: certPem, ...(clientCa === undefined ? {} : { clientCa }) };
  return createFixedCertificates({ pems, tls, now: Date.now });
}

export async function call(options: RequestOptions, body: string | Buffer | undefined): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({ host: '127.0.0.1', agent: false, ...options });
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const { statusCode: status, headers } = response;
        resolve({ status, headers, text: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function connected(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      socket.off('error', reject);
      // What a test does not read must not end the test run.
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** As kube-apiserver keeps connections: 25 idle ones, for longer than any test. */
export function keepAliveAgent(ca: string): Agent {
  return new Agent({ ca, keepAlive: true, maxFreeSockets: 25, timeout: 90_000 });
}
