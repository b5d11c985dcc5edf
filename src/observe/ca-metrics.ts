// Series about the CA of the self-signed mode and the caBundle. They exist from the first word about a CA on: a server
// with certificate files has none, and no alert that reads their zeros.
import type { Registry } from 'prom-client';
import { Counter, Gauge } from 'prom-client';
import { boundedLabel } from './labels.ts';
import type { Recorder } from './recorder.ts';

export type CaMetrics = Pick<Recorder, 'caLoaded' | 'caStepped' | 'caBundle' | 'caBundleWritten'>;

export function createCaMetrics(registry: Registry, prefix: string): CaMetrics {
  const create = (): ReturnType<typeof seriesOf> => seriesOf(registry, prefix);
  const stepLabel = boundedLabel();
  let made: ReturnType<typeof create> | undefined;
  const series = (): ReturnType<typeof create> => (made ??= create());
  return {
    caLoaded: (notAfter) => series().notAfter.set(notAfter.getTime() / 1_000),
    caStepped: (step) => series().steps.inc({ step: stepLabel(step) }),
    caBundle(state) {
      series().inSync.set(state === 'in-sync' ? 1 : 0);
      series().found.set(state === 'absent' ? 0 : 1);
    },
    caBundleWritten: (why) => series().writes.inc({ why }),
  };
}

function seriesOf(registry: Registry, prefix: string) {
  const registers = [registry];
  return {
    notAfter: new Gauge({
      name: `${prefix}_ca_not_after_seconds`,
      help: 'End of the CA that signs serving certificates, seconds since 1970.',
      registers,
    }),
    steps: new Counter({
      name: `${prefix}_ca_steps_total`,
      help: 'Steps of the CA that this process took.',
      labelNames: ['step'],
      registers,
    }),
    inSync: new Gauge({
      name: `${prefix}_ca_bundle_in_sync`,
      help: '1 where the caBundle of the webhook configuration is what the Secret of the CA says.',
      registers,
    }),
    found: new Gauge({
      name: `${prefix}_webhook_configuration_found`,
      help: '1 where the webhook configuration exists whose caBundle is to be kept.',
      registers,
    }),
    writes: new Counter({
      name: `${prefix}_ca_bundle_writes_total`,
      help: 'Times that this process wrote the caBundle, for a step of the CA or to repair it.',
      labelNames: ['why'],
      registers,
    }),
  };
}
