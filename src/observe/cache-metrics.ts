// Series about the copies of the cluster's state: how big, how fresh, how often they had to be taken up again.
import type { Registry } from 'prom-client';
import { Counter, Gauge } from 'prom-client';
import { boundedLabel } from './labels.ts';
import type { CacheState, Recorder } from './recorder.ts';

export type CacheMetrics = Pick<Recorder, 'observeCache' | 'relisted' | 'watchFailed'>;

export function createCacheMetrics(registry: Registry, prefix: string): CacheMetrics {
  const registers = [registry];
  const states = new Map<string, () => CacheState>();
  const resourceLabel = boundedLabel();
  const causeLabel = boundedLabel();

  const gaugeOf = (name: string, help: string, valueOf: (state: CacheState) => number | undefined): void => {
    registry.registerMetric(
      new Gauge({
        name: `${prefix}_${name}`,
        help,
        labelNames: ['resource'],
        registers: [],
        collect() {
          this.reset();
          for (const [resource, state] of states) {
            const value = valueOf(state());
            if (value !== undefined) this.set({ resource }, value);
          }
        },
      }),
    );
  };
  gaugeOf('cache_size', 'Objects in the cache.', (state) => state.size);
  gaugeOf('cache_synced', '1 once the cache has been filled.', (state) => (state.synced ? 1 : 0));
  gaugeOf(
    'seconds_since_last_watch_byte',
    'Seconds since the API server last sent anything; bookmarks come up to 120 s apart.',
    (state) => state.secondsSinceLastByte,
  );
  const relists = new Counter({
    name: `${prefix}_relists_total`,
    help: 'Times that the whole state was read anew.',
    labelNames: ['resource'],
    registers,
  });
  const failures = new Counter({
    name: `${prefix}_watch_failures_total`,
    help: 'Lists and watches that ended by a fault and were taken up again.',
    labelNames: ['resource', 'cause'],
    registers,
  });

  return {
    observeCache: (resource, state) => void states.set(resourceLabel(resource), state),
    relisted: (resource) => relists.inc({ resource: resourceLabel(resource) }),
    watchFailed: (resource, cause) => failures.inc({ resource: resourceLabel(resource), cause: causeLabel(cause) }),
  };
}
