// How fast repairs may follow each other: somebody who writes as often as we do must not be met by a storm.

/** Waits double from the first to the last, and begin anew after ten quiet minutes. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
const QUIET_MS = 600_000;

export interface Pace {
  /** How long to wait before the next one. */
  pauseMs(): number;
  /** One was made now. */
  count(): void;
}

/** `elapsed`: milliseconds of a clock that only goes forward. */
export function createPace(elapsed: () => number): Pace {
  let times = 0;
  let lastAt = 0;
  return {
    pauseMs() {
      if (elapsed() - lastAt > QUIET_MS) times = 0;
      const pauseMs = times === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (times - 1));
      return Math.max(0, lastAt + pauseMs - elapsed());
    },
    count() {
      times += 1;
      lastAt = elapsed();
    },
  };
}
