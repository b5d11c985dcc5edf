// Time in a test's hand: it passes when the test says so, and never by itself.
import { setImmediate } from 'node:timers/promises';

export interface TestClock {
  readonly now: () => number;
  /** Resolves when the time has passed, or as soon as the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Sleeps that have not ended. */
  readonly sleeping: () => number;
  /** Lets the time pass and everything happen that waited for it. */
  readonly pass: (milliseconds: number) => Promise<void>;
}

export function createTestClock(): TestClock {
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  let ms = 0;
  return {
    now: () => ms,
    sleep: async (milliseconds, signal) =>
      new Promise((resolve) => {
        const sleeper = {
          until: ms + milliseconds,
          wake() {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', sleeper.wake, { once: true });
        if (signal?.aborted === true) sleeper.wake();
      }),
    sleeping: () => sleepers.size,
    async pass(milliseconds) {
      ms += milliseconds;
      for (const sleeper of sleepers) if (sleeper.until <= ms) sleeper.wake();
      await setImmediate();
    },
  };
}
