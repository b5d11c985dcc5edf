// A recorder that remembers.
import type { Recorder } from '../../src/observe/recorder.ts';

export interface TestRecorder extends Recorder {
  readonly events: readonly (readonly [name: keyof Recorder, ...values: readonly unknown[]])[];
  /** The values of each event of that name. */
  readonly of: (name: keyof Recorder) => readonly (readonly unknown[])[];
}

export function createTestRecorder(): TestRecorder {
  const events: [name: keyof Recorder, ...values: unknown[]][] = [];
  const keep =
    (name: keyof Recorder) =>
    (...values: unknown[]): void =>
      void events.push([name, ...values]);
  return {
    events,
    of: (name) => events.filter(([event]) => event === name).map(([, ...values]) => values),
    decided: keep('decided'),
    requested: keep('requested'),
    inFlight: keep('inFlight'),
    lookedUp: keep('lookedUp'),
    relisted: keep('relisted'),
    watchFailed: keep('watchFailed'),
    observeCache: keep('observeCache'),
    accountMissing: keep('accountMissing'),
    configMapRead: keep('configMapRead'),
    certificateLoaded: keep('certificateLoaded'),
    reloadFailed: keep('reloadFailed'),
    caLoaded: keep('caLoaded'),
    caStepped: keep('caStepped'),
    caBundle: keep('caBundle'),
    caBundleWritten: keep('caBundleWritten'),
    audited: keep('audited'),
    failedUnexpectedly: keep('failedUnexpectedly'),
    logDropped: keep('logDropped'),
  };
}
