// Prometheus series out of what the Recorder is told. Names are an interface: dashboards and alerts are written by them.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { createAuditMetrics } from './audit-metrics.ts';
import { createCaMetrics } from './ca-metrics.ts';
import { createCacheMetrics } from './cache-metrics.ts';
import { boundedLabel } from './labels.ts';
import type { Recorder } from './recorder.ts';
import { createUpstreamMetrics } from './upstream-metrics.ts';

const PREFIX = 'pod_identity_webhook';

// A decision from the cache takes 0.1 to 0.2 ms, so the low end must tell those apart; a live lookup takes 1 to 50 ms;
// the high end is the timeout of 5 s that the registration asks for, behind which nobody waits for us.
const ADMISSION_SECONDS = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 2.5, 5];

export interface MetricsOptions {
  readonly version: string;
  readonly commit: string;
  /** `process.version`. */
  readonly node: string;
}

export interface Scrape {
  readonly contentType: string;
  readonly body: string;
}

export interface Metrics {
  readonly recorder: Recorder;
  scrape(): Promise<Scrape>;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // Memory, descriptors, garbage collection and event loop lag (nodejs_eventloop_lag_p99_seconds).
  collectDefaultMetrics({ register: registry });

  const upstream = createUpstreamMetrics(registry);
  const caches = createCacheMetrics(registry, PREFIX);
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> =>
    new Counter({ name: `${PREFIX}_${name}`, help, labelNames: [...labelNames], registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> =>
    new Gauge({ name: `${PREFIX}_${name}`, help, labelNames: [...labelNames], registers });

  const decisions = counter('decisions_total', 'Reviews by decision, reason and method.', [
    'decision',
    'reason',
    'method',
  ]);
  const durations = new Histogram({
    name: `${PREFIX}_admission_duration_seconds`,
    help: 'Seconds from the last byte of a review in to the first byte of its answer out.',
    buckets: ADMISSION_SECONDS,
    registers,
  });
  const inFlight = gauge('in_flight', 'Reviews that are being worked on.', []);
  const lookups = counter('service_account_lookups_total', 'ServiceAccounts asked for from the API server.', [
    'result',
  ]);
  const notAfter = gauge('certificate_not_after_seconds', 'End of the serving certificate, seconds since 1970.', []);
  const reloadFailures = counter('reload_failures_total', 'Changes that were unusable; the last good one stays.', [
    'what',
  ]);
  const entries = gauge('config_map_entries', 'Entries of the ConfigMap of roles, used and refused.', ['state']);
  const unexpected = counter('unexpected_errors_total', 'Exceptions that nobody expected.', ['where']);
  const dropped = counter('log_lines_dropped_total', 'Log lines that the reader of the log did not take in time.', []);
  gauge('build_info', '1, labelled by the build.', ['version', 'commit', 'node']).set({ ...options }, 1);

  const whatLabel = boundedLabel();
  const whereLabel = boundedLabel();

  return {
    recorder: {
      decided(decision) {
        decisions.inc({ decision: decision.kind, reason: decision.reason, method: decision.method ?? '' });
        durations.observe(decision.seconds);
        upstream.decided(decision);
      },
      accountMissing: upstream.accountMissing,
      requested: upstream.requested,
      inFlight: (change) => inFlight.inc(change),
      lookedUp: (result) => lookups.inc({ result }),
      relisted: caches.relisted,
      watchFailed: caches.watchFailed,
      observeCache(resource, state) {
        caches.observeCache(resource, state);
        if (resource === 'serviceaccounts') upstream.observeAccounts(() => state().size);
      },
      configMapRead({ entries: used, refused }) {
        entries.set({ state: 'used' }, used);
        entries.set({ state: 'refused' }, refused);
      },
      ...createCaMetrics(registry, PREFIX),
      ...createAuditMetrics(registry, PREFIX),
      certificateLoaded: (date) => notAfter.set(date.getTime() / 1_000),
      reloadFailed: (what) => reloadFailures.inc({ what: whatLabel(what) }),
      failedUnexpectedly: (where) => unexpected.inc({ where: whereLabel(where) }),
      logDropped: () => dropped.inc(),
    },
    scrape: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
