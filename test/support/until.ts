// Waiting for what sockets bring: polls, because what is waited for has no event of its own.
import { setTimeout } from 'node:timers/promises';

/** Resolves as soon as the condition holds; throws after four seconds, naming it. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 4000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await setTimeout(2);
  }
}
