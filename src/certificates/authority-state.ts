// The CA of the self-signed mode and where its rotation stands, as all replicas share it. A rotation has three steps:
// *introduce* (a next CA exists and is trusted beside the current one), *switch* (it signs, and the one before it is
// still trusted) and *retire* (that one is trusted no more). PURE.
import type { IssuedPair } from './issue.ts';

export interface Ca extends IssuedPair {
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface PreviousCa {
  readonly certPem: string;
  /** No leaf of it is valid from then on; milliseconds since 1970. */
  readonly retireAt: number;
}

export interface CaState {
  /** Grows with every step, and never goes back. */
  readonly generation: number;
  /** When the last step was taken; for people. */
  readonly steppedAt: number;
  /** No leaf is issued by the current CA for longer than this. */
  readonly leafLifetimeMs: number;
  /** The value of the annotation that last asked for a rotation; empty where none did. */
  readonly rotateCa: string;
  /** Signs leaves. */
  readonly current: Ca;
  /** Introduced: trusted already, and signs after the next step. */
  readonly next?: Ca;
  /** Still trusted, for the leaves that they signed. */
  readonly previous: readonly PreviousCa[];
}

/** Clocks of nodes run a little apart: certificates are valid from this long before they are made. */
export const CLOCK_SKEW_MS = 300_000;

/** Whoever rotates by hand again and again must not fill the webhook configuration. */
const MOST_PREVIOUS = 8;

/** What clients trust: PEM, the signing CA first. */
export function bundleOf({ current, next, previous }: CaState): string {
  return [current, next, ...previous].map((ca) => ca?.certPem ?? '').join('');
}

export type Step = 'introduce' | 'switch' | 'retire' | 'replace';

export interface Situation {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How long the live webhook configuration has held the bundle of this state without a break; undefined: it does not. */
  readonly seenForMs: number | undefined;
  /** The value of the annotation that asks for a rotation; empty where there is none. */
  readonly rotateCa: string;
  /** The least time between two steps: API servers must hear of the one before. */
  readonly stepMs: number;
}

/** The step that is due now, or in how many milliseconds to ask again: undefined where nothing is under way. */
export function dueStep(state: CaState, situation: Situation): { readonly step: Step } | { readonly waitMs?: number } {
  const { now, stepMs, seenForMs } = situation;
  // Nothing verifies against a CA that has expired: there is no caller that a step could surprise.
  if (now >= state.current.notAfter) return { step: isAlive(state.next, now) ? 'switch' : 'replace' };
  const wanted = wantedStep(state, situation);
  // The live configuration has not taken up the last step: the watch will tell.
  if (seenForMs === undefined) return {};
  // The bundle of a step cannot be seen before the step: this is also the time between two of them.
  const waitMs = Math.max(stepMs - seenForMs, wanted.at - now);
  return waitMs > 0 ? { waitMs } : { step: wanted.step };
}

/** The step that comes next, and the earliest time for it. */
function wantedStep(state: CaState, { rotateCa }: Situation): { readonly step: Step; readonly at: number } {
  const { current, next, previous } = state;
  if (next !== undefined) return { step: 'switch', at: 0 };
  const retireAt = Math.min(...previous.map((ca) => ca.retireAt));
  const isAsked = rotateCa !== '' && rotateCa !== state.rotateCa;
  const introduceAt = previous.length >= MOST_PREVIOUS ? Infinity : isAsked ? 0 : rotationAt(current);
  return retireAt <= introduceAt ? { step: 'retire', at: retireAt } : { step: 'introduce', at: introduceAt };
}

/** With a third of its life left, a CA still outlives every leaf that it signs, whatever delays the steps. */
export function rotationAt({ notBefore, notAfter }: Pick<Ca, 'notBefore' | 'notAfter'>): number {
  return notAfter - (notAfter - notBefore - CLOCK_SKEW_MS) / 3;
}

function isAlive(ca: Ca | undefined, now: number): ca is Ca {
  return ca !== undefined && now < ca.notAfter;
}

export interface StepOptions extends Pick<Situation, 'now' | 'rotateCa' | 'stepMs'> {
  /** Of whoever takes the step. */
  readonly leafLifetimeMs: number;
  /** Makes a CA for `introduce` and `replace`. */
  readonly newCa: () => Promise<Ca>;
}

/** The state after the step. */
export async function stateAfter(step: Step, state: CaState, options: StepOptions): Promise<CaState> {
  const { now, rotateCa, stepMs, leafLifetimeMs, newCa } = options;
  const { next, ...kept } = { ...state, generation: state.generation + 1, steppedAt: now };
  const previous = kept.previous.filter((ca) => ca.retireAt > now);
  if (step === 'introduce') return { ...kept, rotateCa, next: await newCa() };
  if (step === 'retire') return { ...kept, previous };
  if (step === 'replace' || next === undefined) {
    return { ...kept, rotateCa, leafLifetimeMs, current: await newCa(), previous };
  }
  const retiring = { certPem: state.current.certPem, retireAt: retirementAt(now, state.leafLifetimeMs, stepMs) };
  return { ...kept, leafLifetimeMs, current: next, previous: [retiring, ...previous] };
}

/** A minute on top of the longest leaf, for clocks that differ and for leaves that were being signed just now. */
function retirementAt(now: number, leafLifetimeMs: number, stepMs: number): number {
  return now + leafLifetimeMs + stepMs;
}

/** The first state of all. What was trusted before it is trusted for as long as after a rotation: replicas that are
 * about to be replaced still serve leaves of it. */
export async function firstState(
  { generation, trusted }: { readonly generation: number; readonly trusted: readonly string[] },
  options: StepOptions,
): Promise<CaState> {
  const { now, rotateCa, stepMs, leafLifetimeMs, newCa } = options;
  const retireAt = retirementAt(now, leafLifetimeMs, stepMs);
  const previous = trusted.slice(0, MOST_PREVIOUS).map((certPem) => ({ certPem, retireAt }));
  return { generation, steppedAt: now, leafLifetimeMs, rotateCa, current: await newCa(), previous };
}
