// Series about stored pods. They exist in the replica that audits, from its first audit on: a sum over all replicas is
// right, and one that never audits says nothing.
import type { Registry } from 'prom-client';
import { Gauge } from 'prom-client';
import type { AuditCounts, Recorder } from './recorder.ts';

const NAMES = ['unmutated_pods', 'stale_pods', 'audit_timestamp_seconds'] as const;

export function createAuditMetrics(registry: Registry, prefix: string): Pick<Recorder, 'audited'> {
  let series: ReturnType<typeof seriesOf> | undefined;
  // A namespace that had such pods is 0 until the next audit: an alert sees that it is over. Then it vanishes, because
  // clusters whose namespaces come and go would otherwise have ever more series.
  let before: ReadonlySet<string> = new Set();
  return {
    audited(counts) {
      if (counts === undefined) {
        for (const name of NAMES) registry.removeSingleMetric(`${prefix}_${name}`);
        series = undefined;
        before = new Set();
        return;
      }
      series ??= seriesOf(registry, prefix);
      const found = new Set([...counts.missed.keys(), ...counts.stale.keys()]);
      series.unmutated.reset();
      series.stale.reset();
      for (const namespace of [...found, ...before]) setCounts(series, counts, namespace);
      before = found;
      series.at.set(counts.at / 1_000);
    },
  };
}

function setCounts({ unmutated, stale }: ReturnType<typeof seriesOf>, counts: AuditCounts, namespace: string): void {
  unmutated.set({ namespace }, counts.missed.get(namespace) ?? 0);
  stale.set({ namespace }, counts.stale.get(namespace) ?? 0);
}

function seriesOf(registry: Registry, prefix: string) {
  const registers = [registry];
  return {
    unmutated: new Gauge({
      name: `${prefix}_unmutated_pods`,
      help: 'Stored pods that lack something of the identity which they would get today.',
      labelNames: ['namespace'],
      registers,
    }),
    stale: new Gauge({
      name: `${prefix}_stale_pods`,
      help: 'Stored pods whose role or audience is no longer that of their ServiceAccount.',
      labelNames: ['namespace'],
      registers,
    }),
    at: new Gauge({
      name: `${prefix}_audit_timestamp_seconds`,
      help: 'When all stored pods were last looked at, seconds since 1970.',
      registers,
    }),
  };
}
