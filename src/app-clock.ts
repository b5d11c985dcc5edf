// Time, as the parts of the server are given it.
import { setTimeout as sleepFor } from 'node:timers/promises';

/** Milliseconds of a clock that never goes back. */
export function monotonicMs(): number {
  return performance.now();
}

/** Resolves after the time, or as soon as the signal aborts. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleepFor(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => {});
}

/** No timer of ours keeps a process alive that is about to end. */
export function setTimer(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs).unref();
  return () => clearTimeout(timer);
}
