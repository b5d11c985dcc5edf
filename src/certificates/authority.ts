// Keeps the CA in the Secret, and with it the leaf and the caBundle. Every replica does the same, without a leader: each
// step is idempotent, and the Secret's resourceVersion decides races. The configuration is read first, then the Secret,
// and only then is anything changed: so nobody ever writes what the Secret said before the configuration was as it is.
//
// Calls, of the one Secret by name: get and update here, list and watch (with the field selector metadata.name) by
// whoever wakes us when it changes. It is never created.
import type { JsonObject } from '../admission/json.ts';
import { ownField } from '../admission/json.ts';
import { codeOf, messageOf } from '../admission/thrown.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import { caFrom, certificatesIn, contentsFrom, withState } from './authority-secret.ts';
import type { SecretContents } from './authority-secret.ts';
import type { Ca, CaState, Step, StepOptions } from './authority-state.ts';
import { CLOCK_SKEW_MS, dueStep, firstState, stateAfter } from './authority-state.ts';
import type { CaBundle, Live } from './ca-bundle.ts';
import { CertificateError } from './certificate-error.ts';
import { createComplaint } from './complaint.ts';
import type { CaOptions, IssuedPair } from './issue.ts';
import type { LeafKeeper } from './leaf.ts';
import { trustedBefore } from './webhook-configuration.ts';

/** Clocks of nodes may be set and machines may sleep: what is due is asked of the wall clock this often. */
const LONGEST_WAIT_MS = 60_000;

export interface AuthorityOptions {
  /** `namespace/name` of the Secret. */
  readonly object: string;
  /** Undefined where there is none. */
  readonly read: (signal: AbortSignal) => Promise<JsonObject | undefined>;
  /** Only where it still is what was read. */
  readonly replace: (
    secret: JsonObject,
    signal: AbortSignal,
  ) => Promise<{ readonly kind: 'changed' } | { readonly kind: 'conflict'; readonly message: string }>;
  readonly bundle: Pick<CaBundle, 'look' | 'keep' | 'seenForMs'>;
  readonly leaf: Pick<LeafKeeper, 'keep'>;
  readonly issueCa: (options: CaOptions) => Promise<IssuedPair>;
  readonly caLifetimeMs: number;
  readonly leafLifetimeMs: number;
  /** The least time between two steps of a rotation. */
  readonly stepMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly elapsed: () => number;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'caLoaded' | 'caStepped' | 'reloadFailed'>;
}

export interface Authority {
  /** Does what is due. Resolves with the milliseconds until it must look again; rejects where it is to be tried again. */
  look(signal: AbortSignal): Promise<number>;
  /** Why the last look failed; empty where it did not. */
  problem(): string;
}

interface Found extends SecretContents {
  readonly secret: JsonObject;
  readonly live: Live;
}

export function createAuthority(options: AuthorityOptions): Authority {
  const { bundle, leaf, now, elapsed, stepMs, leafLifetimeMs, log, recorder } = options;
  const secretName = `the Secret ${JSON.stringify(options.object)}`;
  let held: CaState | undefined;
  let lostSince: number | undefined;
  const complaint = createComplaint(`${secretName} has not been read yet`, (problem) => {
    log.error({ problem, secret: options.object }, 'CA cannot be kept');
    if (held !== undefined) recorder.reloadFailed('ca');
  });

  async function look(signal: AbortSignal): Promise<number> {
    const live = await bundle.look(signal);
    const waits = [LONGEST_WAIT_MS, leafLifetimeMs / 6, stepMs];
    const state = await keepLeaf(live, waits, signal);
    if (state !== undefined) waits.push((await bundle.keep(live, state, signal)) ?? Infinity);
    if (live.kind === 'unknown') throw live.error;
    return Math.min(...waits);
  }

  /** Resolves with the state that the Secret has now; undefined where it has none yet. */
  async function keepLeaf(live: Live, waits: number[], signal: AbortSignal): Promise<CaState | undefined> {
    try {
      const asOf = now();
      const state = await settled(await found(live, signal), waits, signal);
      if (state === undefined) return undefined;
      hold(state);
      await leaf.keep(state.current, { asOf });
      complaint.clear();
      return state;
    } catch (error) {
      complain(error);
      if (held !== undefined) await leaf.keep(held.current, { asOf: now(), lastResort: true }).catch(() => {});
      throw error;
    }
  }

  async function found(live: Live, signal: AbortSignal): Promise<Found> {
    const secret = await options.read(signal);
    if (secret === undefined) {
      const advice = 'apply the chart or the manifests, which make it without data: the program never creates it';
      throw new CertificateError('secret', `${secretName} does not exist; ${advice}`);
    }
    return { secret, live, ...contentsFrom(secret, options.object) };
  }

  /** What the Secret says after what is due was done. */
  async function settled(secret: Found, waits: number[], signal: AbortSignal): Promise<CaState | undefined> {
    const { state, live } = secret;
    const liveGeneration = live.kind === 'found' ? live.configuration.generation : 0;
    if (held !== undefined && (state?.generation ?? 0) < held.generation) return store(secret, held, 'restore', signal);
    // Somebody knew more than the Secret: a replica that still holds it gets the time to say so.
    const isLost =
      state === undefined ? live.kind === 'unknown' || liveGeneration > 0 : liveGeneration > state.generation;
    lostSince = isLost ? (lostSince ?? elapsed()) : undefined;
    const graceMs = lostSince === undefined ? 0 : lostSince + stepMs - elapsed();
    if (graceMs > 0) waits.push(graceMs);
    if (state === undefined) {
      if (graceMs <= 0) return store(secret, await first(secret, liveGeneration + 1), 'fill', signal);
      complaint.complain(
        `${secretName} is empty: waiting for a replica that still has the CA, before a new one is made`,
      );
      return undefined;
    }
    if (isLost)
      return graceMs > 0 ? state : store(secret, { ...state, generation: liveGeneration + 1 }, 'raise', signal);
    // Nobody may sign for longer than whoever retires this CA will wait.
    if (leafLifetimeMs > state.leafLifetimeMs) return store(secret, { ...state, leafLifetimeMs }, 'lengthen', signal);
    const seenForMs = bundle.seenForMs(live, state);
    const due = dueStep(state, { now: now(), rotateCa: secret.rotateCa, seenForMs, stepMs });
    if ('step' in due) return store(secret, await stateAfter(due.step, state, stepOptions(secret)), due.step, signal);
    waits.push(due.waitMs ?? Infinity);
    return state;
  }

  async function store(
    { secret }: Found,
    state: CaState,
    step: Step | 'fill' | 'restore' | 'raise' | 'lengthen',
    signal: AbortSignal,
  ): Promise<CaState> {
    const change = await options.replace(withState(secret, state), signal);
    if (change.kind === 'conflict') throw new CertificateError('conflict', `${secretName}: ${change.message}`);
    recorder.caStepped(step);
    log.info({ secret: options.object, step, generation: state.generation }, 'CA stored');
    return state;
  }

  async function first(secret: Found, generation: number): Promise<CaState> {
    const { live } = secret;
    const texts = live.kind === 'found' ? trustedBefore(live.configuration) : [];
    const trusted = [...new Set(texts.flatMap(certificatesIn))];
    return firstState({ generation, trusted }, stepOptions(secret));
  }

  function stepOptions({ rotateCa }: Found): StepOptions {
    return { now: now(), rotateCa, stepMs, leafLifetimeMs, newCa };
  }

  async function newCa(): Promise<Ca> {
    const { certPem, keyPem } = await options.issueCa({
      name: 'pod-identity-webhook CA',
      notBefore: new Date(now() - CLOCK_SKEW_MS),
      notAfter: new Date(now() + options.caLifetimeMs),
    });
    return caFrom(certPem, keyPem);
  }

  function hold(state: CaState): void {
    if (state.current.certPem !== held?.current.certPem) recorder.caLoaded(new Date(state.current.notAfter));
    held = state;
  }

  function complain(error: unknown): void {
    if (codeOf(error) === 'conflict') complaint.raced(messageOf(error));
    else if (error instanceof CertificateError) complaint.complain(error.message);
    else {
      const fix = ownField(error, 'status') === 403 ? '; grant get, list, watch and update on it by name' : '';
      complaint.complain(`${secretName}: ${messageOf(error)}${fix}`);
    }
  }

  return { look, problem: complaint.current };
}
