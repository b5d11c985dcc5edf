// The composition root: builds the parts of the server, starts them in order, and stops them in reverse.
import { mutate } from './admission/mutate.ts';
import { certificatesFor } from './app-certificates.ts';
import { monotonicMs, setTimer, sleep } from './app-clock.ts';
import { createSources } from './app-sources.ts';
import type { Config } from './config.ts';
import type { ClosableLog, LogDestination } from './observe/log.ts';
import { createLog } from './observe/log.ts';
import { createMetrics } from './observe/metrics.ts';
import type { Condition } from './server/admin.ts';
import { createAdminServer } from './server/admin.ts';
import { createBodyReader } from './server/body.ts';
import { createClientCheck } from './server/client-certificates.ts';
import { createHttpsServer } from './server/https.ts';
import { createRoutes } from './server/routes.ts';
import { createSelfProbe } from './server/self-probe.ts';
import { contextOptionsFrom } from './server/tls-options.ts';
import { commit, version } from './version.ts';

export interface App {
  /** Of the admission port: `https://127.0.0.1:8443`. */
  readonly url: string;
  /** Of the metrics port. */
  readonly adminUrl: string;
  /** The authority to trust, where the certificate was made in memory. */
  readonly caPem: string | undefined;
  readonly log: ClosableLog;
  /** Resolves when every condition of readiness holds. */
  ready(): Promise<void>;
  /** Goes on answering for the shutdown delay, then ends. */
  drain(): Promise<void>;
  /** Ends at once. */
  close(): Promise<void>;
}

export interface AppOptions {
  readonly config: Config;
  /** Ends a start that still waits for something; it rejects with the signal's reason. */
  readonly stopping?: AbortSignal;
  /** Where the log goes; standard output unless given. */
  readonly destination?: LogDestination;
}

// Short beside the second that a start takes, and long enough to cost nothing.
const READY_POLL_MS = 20;

/** Listens when the promise is kept; rejects where the configuration cannot work on this machine. */
export async function startApp({ config, destination, stopping }: AppOptions): Promise<App> {
  const metrics = createMetrics({ version, commit, node: process.version });
  const { recorder } = metrics;
  const log = createLog({ ...config.log, recorder, ...(destination === undefined ? {} : { destination }) });
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    // One that fails must not keep the others open.
    for (const closer of closers.splice(0).toReversed()) await Promise.resolve(closer()).catch(() => {});
    await log.flush();
  };
  try {
    const parts = { config, log, recorder, now: monotonicMs, sleep, random: Math.random };
    const serving = await certificatesFor(parts);
    const { certificates, caPem } = serving;
    closers.push(() => serving.close());
    const sources = await createSources(parts);
    closers.push(() => sources.close());
    const { settings, shadow, clientCertificates } = config;
    const { identityOf, surroundings } = sources;
    const deps = { settings, surroundings, identityOf, comparing: shadow };

    const server = createHttpsServer({
      listener: createRoutes({
        mutate: (review, timeoutMs) => mutate(review, deps, timeoutMs),
        readBody: createBodyReader(),
        shadow,
        checkClient: clientCertificates && createClientCheck({ names: clientCertificates.names, now: Date.now }),
        now: monotonicMs,
        log,
        recorder,
        debugging: config.debuggingHandlers,
      }),
      port: config.port,
      host: config.bindAddress,
      certificates,
      tls: contextOptionsFrom(config.tls),
      requestCert: clientCertificates !== undefined,
      sleep,
      log,
      recorder,
    });
    closers.push(() => server.close());
    const probe = createSelfProbe({
      address: server.address,
      certificates,
      handshakeOnly: clientCertificates !== undefined,
      setTimer,
      log,
    });
    closers.push(() => probe.close());
    const conditions = (): readonly Condition[] => [
      condition('certificate', certificates.problems().join('; ')),
      condition('own-port', probe.problem()),
      ...serving.conditions(),
      ...sources.conditions(),
      condition('not-draining', server.draining() ? 'the process is about to end' : ''),
    ];
    const admin = createAdminServer({
      port: config.metricsPort,
      host: config.bindAddress,
      conditions,
      scrape: metrics.scrape,
      cache: config.debuggingHandlers ? sources.cache : undefined,
      log,
      recorder,
    });
    closers.push(() => admin.close());

    // Health first, so that the kubelet can see what is waited for.
    await admin.listen();
    await Promise.race([certificates.ready(), aborted(stopping)]);
    stopping?.throwIfAborted();
    await server.listen();
    probe.start();
    if (config.auditIntervalMs > 0) {
      const { startAudit } = await import('./app-audit.ts');
      const ofStored = { ...deps, identityOf: sources.identityOfStored };
      const audit = startAudit({ ...parts, deps: ofStored, isReady: () => sources.conditions().every(({ ok }) => ok) });
      closers.push(() => audit.close());
    }
    const drain = async (): Promise<void> => {
      await server.drain(config.shutdownDelayMs);
      await close();
    };
    const url = `https://${hostOf(config)}:${server.address().port}`;
    const adminUrl = `http://${hostOf(config)}:${admin.address().port}`;
    log.info({ url, adminUrl, version, commit, shadow }, 'listening');
    return { url, adminUrl, caPem, log, ready: () => holding(conditions), drain, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function condition(name: string, problem: string): Condition {
  return { name, ok: problem === '', message: problem };
}

async function holding(conditions: () => readonly Condition[]): Promise<void> {
  while (!conditions().every(({ ok }) => ok)) await sleep(READY_POLL_MS);
}

/** An address that a client on this machine can call. */
function hostOf({ bindAddress }: Config): string {
  const isAny = bindAddress === undefined || bindAddress === '::' || bindAddress === '0.0.0.0';
  if (isAny) return '127.0.0.1';
  return bindAddress.includes(':') ? `[${bindAddress}]` : bindAddress;
}

/** Resolves when the signal aborts; never where there is none. */
async function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}
