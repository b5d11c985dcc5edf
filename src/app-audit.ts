// The audit of stored pods in the server: every so often, by the one replica that holds the Lease. It asks the same
// mutate() with the same sources as a review does, and changes nothing but gauges.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { PodFault } from './admission/audit.ts';
import { auditPod } from './admission/audit.ts';
import type { MutateDeps } from './admission/mutate.ts';
import { isObject, ownField, ownString } from './admission/json.ts';
import { messageOf } from './admission/thrown.ts';
import type { AppParts } from './app-parts.ts';
import { createRounds } from './certificates/rounds.ts';
import { waitMs } from './kube/backoff.ts';
import type { KubeClient } from './kube/client.ts';
import { createKubeClient } from './kube/client.ts';
import { KubeError } from './kube/error.ts';
import { loadKubeConfig } from './kube/kubeconfig.ts';
import { createLease } from './kube/lease.ts';
import { pagesOf } from './kube/list.ts';
import { version } from './version.ts';

export interface Audit {
  close(): Promise<void>;
}

export interface AuditOptions extends AppParts {
  readonly deps: Omit<MutateDeps, 'comparing'>;
  /** Whether everything that decides was read. */
  readonly isReady: () => boolean;
}

/** Renewed thrice in its life: a call that fails loses nothing. */
const LEASE_SECONDS = 60;
const RENEW_MS = 20_000;
/** Another pod's review never waits longer than these take, some 5 ms. */
const PODS_AT_ONCE = 50;
/** An account that the cache does not have is read from the API server, as for a review. */
const LOOKUP_MS = 1_000;
const READY_POLL_MS = 1_000;
/** A process that ends waits for nobody longer. */
const RELEASE_MS = 2_000;
/** No review is answered while a page is parsed: 5 ms with 100 pods of 7 kB, 25 ms with 500. */
const PODS = { name: 'pods', path: '/api/v1/pods', pageSize: 100 };

/** Throws KubeError where there is no cluster to talk to. */
export function startAudit(options: AuditOptions): Audit {
  const { config, log, recorder, sleep, random, now } = options;
  const client = createKubeClient({
    config: loadKubeConfig({ kubeconfig: config.kubeconfig, server: config.kubeApi }),
    userAgent: `pod-identity-webhook/${version}`,
  });
  const lease = createLease({
    client,
    namespace: config.namespace,
    name: `${config.serviceName}-audit`,
    holder: `${hostname()}_${randomUUID()}`,
    durationSeconds: LEASE_SECONDS,
    now: Date.now,
    elapsed: now,
  });
  // Ends the audit that is under way, where another replica counts by now, and where the process ends.
  let losing = new AbortController();
  let isCounting = false;

  async function look(): Promise<number> {
    if (!lease.held() || !options.isReady()) return READY_POLL_MS;
    const from = now();
    const { signal } = losing;
    const counts = await counted(client, options, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
      return undefined;
    });
    // What another replica counts by now is not to be counted twice.
    if (counts === undefined || !lease.held()) return READY_POLL_MS;
    isCounting = true;
    recorder.audited({ ...counts, at: Date.now() });
    const ms = Math.round(now() - from);
    const { pods, undecided } = counts;
    const [missed, stale] = [sumOf(counts.missed), sumOf(counts.stale)];
    const say = missed + stale > 0 ? log.warn : log.info;
    say({ pods, missed, stale, undecided, ms }, 'stored pods audited');
    return config.auditIntervalMs;
  }

  async function keep(signal: AbortSignal): Promise<number> {
    const before = lease.held();
    const isHeld = await lease.hold(signal);
    if (isHeld && !before) {
      losing = new AbortController();
      audits.wake();
    }
    if (!isHeld) lose();
    return Math.min(RENEW_MS, config.auditIntervalMs);
  }

  function lose(): void {
    losing.abort();
    if (isCounting) recorder.audited(undefined);
    isCounting = false;
  }

  const shared = {
    sleep,
    retryMs(failures: number, error: unknown): number {
      const retryAfterSeconds = error instanceof KubeError ? error.retryAfterSeconds : undefined;
      return waitMs(failures, { random, retryAfterSeconds });
    },
  };
  const audits = createRounds({
    ...shared,
    look,
    failed: (error, ms) => log.warn({ error: messageOf(error), waitMs: ms }, 'stored pods could not be audited'),
  });
  const keeping = createRounds({
    ...shared,
    look: keep,
    failed(error, ms) {
      if (!lease.held()) lose();
      log.warn({ error: messageOf(error), waitMs: ms }, 'no word about the Lease of the audit');
    },
  });
  return {
    async close() {
      losing.abort();
      await Promise.all([audits.close(), keeping.close()]);
      if (lease.held()) await lease.release(AbortSignal.timeout(RELEASE_MS)).catch(() => undefined);
      client.close();
    },
  };
}

interface Counts {
  readonly pods: number;
  readonly undecided: number;
  /** By namespace. */
  readonly missed: ReadonlyMap<string, number>;
  readonly stale: ReadonlyMap<string, number>;
}

async function counted(client: KubeClient, { deps, sleep }: AuditOptions, signal: AbortSignal): Promise<Counts> {
  const found: Record<PodFault, Map<string, number>> = { missed: new Map(), stale: new Map() };
  let pods = 0;
  let undecided = 0;
  for await (const { items } of pagesOf(client, PODS, signal)) {
    for (const [index, pod] of items.filter(isObject).entries()) {
      if (index % PODS_AT_ONCE === 0) await sleep(0);
      signal.throwIfAborted();
      const { kind } = await auditPod(pod, deps, LOOKUP_MS);
      if (kind === 'ended') continue;
      pods += 1;
      if (kind === 'unknown') undecided += 1;
      if (kind !== 'missed' && kind !== 'stale') continue;
      const namespace = ownString(ownField(pod, 'metadata'), 'namespace') ?? '';
      found[kind].set(namespace, (found[kind].get(namespace) ?? 0) + 1);
    }
  }
  return { pods, undecided, ...found };
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
