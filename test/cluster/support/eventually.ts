// Waiting for what another process does: ask again until it holds, and say what was missing when time is up.
import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** What is waited for, as the end of "still waiting for …". */
  readonly what: string;
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** Its rejection ends the waiting: the process that was to answer is gone. */
  readonly running?: Promise<never>;
}

/** The first value of `ask` that is not undefined. A rejection counts as "not yet"; the last one is the cause at the end. */
export async function eventually<T>(patience: Patience, ask: () => Promise<T | undefined>): Promise<T> {
  const { what, timeoutMs = 20_000, intervalMs = 50, running } = patience;
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  let gone: { readonly error: unknown } | undefined;
  running?.catch((error: unknown) => (gone = { error }));
  for (;;) {
    if (gone !== undefined) throw gone.error;
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`After ${timeoutMs} ms still waiting for ${what}.`, { cause });
    await sleep(intervalMs);
  }
}
