// The series of amazon-eks-pod-identity-webhook, by its names, labels, units and buckets: its dashboards keep working.
import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram, Summary } from 'prom-client';
import { codeLabel, verbLabel } from './labels.ts';
import type { Recorder } from './recorder.ts';

// Whatever else is asked for on the admission port is a scanner's, and every path would be a series.
const PATHS: ReadonlySet<string> = new Set([
  '/mutate',
  '/debug/alpha/deny',
  '/debug/alpha/500',
  '/debug/alpha/cache',
  '/debug/alpha/cache/clear',
]);

// 125 ms to 8 s, in microseconds: Go's ExponentialBuckets(125000, 2, 7).
const LATENCY_MICROSECONDS = [125_000, 250_000, 500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000];

export interface UpstreamMetrics extends Pick<Recorder, 'accountMissing' | 'decided' | 'requested'> {
  /** `count` is asked at each scrape. */
  observeAccounts(count: () => number): void;
}

export function createUpstreamMetrics(registry: Registry): UpstreamMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'http_request_count',
    help: 'Counter of requests broken out for each verb, path, and response code.',
    labelNames: ['verb', 'path', 'code'],
    registers,
  });
  const latencies = new Histogram({
    name: 'http_request_latencies',
    help: 'Response latency distribution in microseconds for each verb and path.',
    labelNames: ['verb', 'path'],
    buckets: LATENCY_MICROSECONDS,
    registers,
  });
  const durations = new Summary({
    name: 'http_request_duration_microseconds',
    help: 'Response latency summary in microseconds for each verb and path.',
    labelNames: ['verb', 'path'],
    // client_golang's summaries have no quantiles unless asked for.
    percentiles: [],
    // Nor a digest to compute them from: it keeps up to 1,000 values that nobody asks for, and sorts each new one in.
    ageBuckets: 0,
    registers,
  });
  const pods = new Counter({
    name: 'pod_identity_webhook_pod_count',
    help: 'Pods that were given an identity, by method.',
    labelNames: ['method'],
    registers,
  });
  const missing = new Counter({
    name: 'pod_identity_webhook_missing_sa_count',
    help: 'Reviews whose ServiceAccount a live lookup did not find.',
    registers,
  });

  const accountCounts: (() => number)[] = [];
  let used = false;
  registry.registerMetric(
    new Gauge({
      name: 'pod_identity_webhook_used',
      help: '1 once any ServiceAccount has been seen.',
      registers: [],
      collect() {
        used ||= accountCounts.some((count) => count() > 0);
        this.set(used ? 1 : 0);
      },
    }),
  );

  return {
    accountMissing: () => missing.inc(),
    decided({ kind, method }) {
      // Without a method the pod got the region alone.
      if (kind === 'patch' && method !== undefined) pods.inc({ method });
    },
    requested({ verb, path, code, seconds }) {
      if (!PATHS.has(path)) return;
      const labels = { verb: verbLabel(verb), path };
      const microseconds = Math.floor(seconds * 1e6);
      requests.inc({ ...labels, code: codeLabel(code) });
      latencies.observe(labels, microseconds);
      durations.observe(labels, microseconds);
    },
    observeAccounts: (count) => void accountCounts.push(count),
  };
}
