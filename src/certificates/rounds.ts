// Looks at something again and again: at once, when woken, and after the wait that the last look asked for. Looks never
// overlap, a call to wake is always followed by a look, and one that fails is repeated with growing waits.

export interface RoundsOptions {
  /** Resolves with the milliseconds until it must look again, if nothing wakes it before. */
  readonly look: (signal: AbortSignal) => Promise<number>;
  /** Resolves after the time, or as soon as the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** How long to wait after so many failures in a row, from 0. */
  readonly retryMs: (failures: number, error: unknown) => number;
  readonly failed: (error: unknown, waitMs: number) => void;
}

export interface Rounds {
  wake(): void;
  /** Resolves when the last look has ended. */
  close(): Promise<void>;
}

export function createRounds({ look, sleep, retryMs, failed }: RoundsOptions): Rounds {
  const closing = new AbortController();
  let sleeping = new AbortController();
  let woken = false;
  let failures = 0;
  const running = run();

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      woken = false;
      const waitMs = await lookOnce();
      sleeping = new AbortController();
      if (!woken && !closing.signal.aborted) await sleep(waitMs, sleeping.signal);
    }
  }

  async function lookOnce(): Promise<number> {
    try {
      const waitMs = await look(closing.signal);
      failures = 0;
      return waitMs;
    } catch (error) {
      if (closing.signal.aborted) return 0;
      const waitMs = retryMs(failures, error);
      failures += 1;
      failed(error, waitMs);
      return waitMs;
    }
  }

  return {
    wake() {
      woken = true;
      sleeping.abort();
    },
    async close() {
      closing.abort();
      sleeping.abort();
      await running;
    },
  };
}
