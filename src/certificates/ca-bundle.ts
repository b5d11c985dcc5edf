// Keeps the caBundle of the webhook configuration as the Secret says, and knows since when it has been so. What another
// controller owns is refused, and never fought over.
//
// Calls, of the one MutatingWebhookConfiguration by name: get and patch here, list and watch (with the field selector
// metadata.name) by whoever wakes us when it changes.
import { messageOf } from '../admission/thrown.ts';
import type { JsonObject } from '../admission/json.ts';
import { ownField } from '../admission/json.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import type { CaState } from './authority-state.ts';
import { CertificateError } from './certificate-error.ts';
import { createComplaint } from './complaint.ts';
import { createPace } from './pace.ts';
import type { Configuration, Operation } from './webhook-configuration.ts';
import { configurationFrom, isInSync, isTrusted, operationsFor } from './webhook-configuration.ts';

/** After so long without any configuration, whoever installs it may be waiting for us to be ready. */
const ABSENT_MS = 60_000;
/** The live configuration, as it was read. `unknown`: it could not be. */
export type Live =
  | { readonly kind: 'found'; readonly configuration: Configuration }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly error: unknown };

export interface CaBundleOptions {
  /** Name of the MutatingWebhookConfiguration. */
  readonly name: string;
  readonly service: { readonly namespace: string; readonly name: string };
  /** Undefined where there is none. */
  readonly read: (signal: AbortSignal) => Promise<JsonObject | undefined>;
  readonly patch: (
    operations: readonly Operation[],
    signal: AbortSignal,
  ) => Promise<
    { readonly kind: 'changed'; readonly object: JsonObject } | { readonly kind: 'conflict'; readonly message: string }
  >;
  /** Milliseconds of a clock that only goes forward. */
  readonly elapsed: () => number;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'caBundle' | 'caBundleWritten'>;
}

export interface CaBundle {
  /** Reads it now. Never rejects. */
  look(signal: AbortSignal): Promise<Live>;
  /** For how long every look has found the bundle of this state, up to this one; undefined where this one does not. */
  seenForMs(live: Live, state: CaState): number | undefined;
  /** Makes what was found hold the bundle of the state, which must have been read after it. Resolves with a wait where
   * it must not be written yet; rejects where it cannot be. */
  keep(live: Live, state: CaState, signal: AbortSignal): Promise<number | undefined>;
  /** Why no pods may be sent here yet; empty for good once the CA was seen, or there was nothing to see it in. */
  problem(): string;
}

export function createCaBundle(options: CaBundleOptions): CaBundle {
  const { name, service, elapsed, log, recorder } = options;
  const object = `MutatingWebhookConfiguration ${JSON.stringify(name)}`;
  const repairs = createPace(elapsed);
  let seen: { readonly generation: number; readonly since: number } | undefined;
  let latestSeen = 0;
  let absentSince: number | undefined;
  let ready = false;
  const complaint = createComplaint(`${object} has not been read yet`, (problem) => {
    log.error({ problem }, 'caBundle cannot be kept');
  });

  async function look(signal: AbortSignal): Promise<Live> {
    try {
      const found = await options.read(signal);
      if (found === undefined) return absent();
      absentSince = undefined;
      return { kind: 'found', configuration: configurationFrom(found, service) };
    } catch (error) {
      // What happens to it meanwhile is not known.
      seen = undefined;
      complaint.complain(`${object} cannot be read: ${messageOf(error)}${fixOf(error)}`);
      return { kind: 'unknown', error };
    }
  }

  function absent(): Live {
    absentSince ??= elapsed();
    seen = undefined;
    complaint.complain(`${object} does not exist; apply it, or name the right one by --webhook-configuration`);
    recorder.caBundle('absent');
    endWaiting();
    return { kind: 'absent' };
  }

  function endWaiting(): void {
    if (ready || absentSince === undefined || elapsed() - absentSince < ABSENT_MS) return;
    ready = true;
    log.warn({ object }, 'ready without a webhook configuration: there is none to write the caBundle into');
  }

  function seenForMs(live: Live, state: CaState): number | undefined {
    if (live.kind !== 'found') return undefined;
    const { configuration } = live;
    if (problemOf(configuration) !== '' || !isInSync(configuration, state)) return undefined;
    if (seen?.generation !== state.generation) seen = { generation: state.generation, since: elapsed() };
    latestSeen = state.generation;
    return elapsed() - seen.since;
  }

  async function keep(live: Live, state: CaState, signal: AbortSignal): Promise<number | undefined> {
    if (live.kind !== 'found') return undefined;
    const { configuration } = live;
    const problem = problemOf(configuration);
    if (problem === '') ready ||= isTrusted(configuration, state.current.certPem);
    if (seenForMs(live, state) !== undefined) return settled();
    seen = undefined;
    recorder.caBundle('differs');
    // The Secret was read later and knows less: it was emptied or restored, and is about to be put right.
    const isAhead = configuration.generation > state.generation;
    const ahead = `${object} has the bundle of a later generation than the Secret, and keeps it until the Secret has it`;
    if (problem === '' && !isAhead) return write(configuration, state, signal);
    complaint.complain(problem === '' ? ahead : problem);
    return undefined;
  }

  async function write(configuration: Configuration, state: CaState, signal: AbortSignal): Promise<number | undefined> {
    const isRepair = state.generation <= latestSeen;
    const pauseMs = isRepair ? repairs.pauseMs() : 0;
    if (pauseMs > 0) return pauseMs;
    const changed = await patched(operationsFor(configuration, state), signal);
    recorder.caBundleWritten(isRepair ? 'repair' : 'step');
    if (isRepair) repairs.count();
    const fields = { configuration: name, generation: state.generation };
    if (isRepair) log.warn(fields, 'caBundle was changed by somebody else, and is repaired');
    else log.info(fields, 'caBundle written');
    const written: Live = { kind: 'found', configuration: configurationFrom(changed, service) };
    if (seenForMs(written, state) === undefined) return undefined;
    ready = true;
    return settled();
  }

  async function patched(operations: readonly Operation[], signal: AbortSignal): Promise<JsonObject> {
    let change;
    try {
      change = await options.patch(operations, signal);
    } catch (error) {
      complaint.complain(`${object} cannot be changed: ${messageOf(error)}${fixOf(error)}`);
      throw error;
    }
    if (change.kind === 'changed') return change.object;
    complaint.raced(`${object} cannot be changed: ${change.message}`);
    throw new CertificateError('conflict', `${object}: ${change.message}`);
  }

  function settled(): undefined {
    complaint.clear();
    recorder.caBundle('in-sync');
  }

  function problemOf({ owner, entries }: Configuration): string {
    if (owner !== undefined) {
      const advice = 'remove the annotation, or give --tls-mode=files with a certificate of that controller';
      return `${object} is annotated ${owner}: another controller writes its caBundle; ${advice}`;
    }
    if (entries.length > 0) return '';
    const target = JSON.stringify(`${service.namespace}/${service.name}`);
    return `no entry of ${object} points at the Service ${target}; correct it, or --service-name and --namespace`;
  }

  return {
    look,
    seenForMs,
    keep,
    problem() {
      endWaiting();
      return ready ? '' : complaint.current();
    },
  };
}

function fixOf(error: unknown): string {
  return ownField(error, 'status') === 403 ? '; grant get, list, watch and patch on it by name' : '';
}
