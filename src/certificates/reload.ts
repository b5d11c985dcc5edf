// When files are to be looked at again: soon after something in their directories changes, and now and then anyway.
// Looks never overlap, and the last change is always followed by a look.

// kubelet swaps `..data` in one step, and other writers take milliseconds from the key to the certificate.
const SETTLE_MS = 50;
// What does not fit is looked at again before anybody is told: it may be half-written.
const SECOND_LOOK_MS = 1_000;
// Directory watches miss changes (a mount that is replaced, NFS, symbolic links to elsewhere).
const POLL_MS = 30_000;

export interface ReloaderOptions {
  readonly directories: readonly string[];
  /** Whether it wants a second look soon. Does not throw. */
  readonly look: () => Promise<'done' | 'look-again'>;
  /** Returns what ends the watch. */
  readonly watchDirectory: (directory: string, changed: () => void) => () => void;
  /** Returns what cancels the timer. */
  readonly setTimer: (run: () => void, delayMs: number) => () => void;
}

export interface Reloader {
  close(): void;
}

export function createReloader({ directories, look, watchDirectory, setTimer }: ReloaderOptions): Reloader {
  let looking = false;
  let changedMeanwhile = false;
  let closed = false;
  let cancelLook: (() => void) | undefined;
  let cancelPoll: (() => void) | undefined;
  let unwatch: readonly (() => void)[] = [];

  function lookIn(delayMs: number): void {
    cancelLook?.();
    if (closed) return;
    cancelLook = setTimer(() => {
      cancelLook = undefined;
      void lookNow();
    }, delayMs);
  }

  async function lookNow(): Promise<void> {
    if (looking) {
      changedMeanwhile = true;
      return;
    }
    looking = true;
    const outcome = await look();
    looking = false;
    if (changedMeanwhile) lookIn(SETTLE_MS);
    else if (outcome === 'look-again' && cancelLook === undefined) lookIn(SECOND_LOOK_MS);
    changedMeanwhile = false;
  }

  function poll(): void {
    // Armed anew each time: a watch whose directory was replaced by another one of that name never says so.
    for (const end of unwatch) end();
    unwatch = directories.map((directory) => watchDirectory(directory, () => lookIn(SETTLE_MS)));
    cancelPoll = setTimer(poll, POLL_MS);
    void lookNow();
  }

  poll();
  return {
    close() {
      closed = true;
      cancelLook?.();
      cancelPoll?.();
      for (const end of unwatch) end();
    },
  };
}
