// When a directory is looked at: at once, soon after something in it changes, now and then anyway, and when asked.
// Looks never overlap.

// Editors write a file in several steps, milliseconds apart.
const SETTLE_MS = 100;
// Watches miss changes on network and container file systems; a person who edits a file waits this long at most.
const POLL_MS = 5_000;

export interface LooksOptions {
  /** Where the first one rejects there is no other; later ones do not reject. */
  readonly look: () => Promise<void>;
  /** Returns what ends the watch. */
  readonly watch: (changed: () => void) => () => void;
  /** Returns what cancels the timer. */
  readonly setTimer: (run: () => void, delayMs: number) => () => void;
}

export interface Looks {
  readonly first: Promise<void>;
  /** Resolves after a look that begins after this call. */
  again(): Promise<void>;
  /** Resolves when the last look has ended. */
  close(): Promise<void>;
}

export function createLooks({ look, watch, setTimer }: LooksOptions): Looks {
  const first = look();
  let running = first;
  let queued: Promise<void> | undefined;
  let closed = false;
  let ends: { readonly watch: () => void; readonly poll: () => void } | undefined;
  let cancelLook: (() => void) | undefined;

  async function again(): Promise<void> {
    queued ??= running.then(() => {
      queued = undefined;
      running = closed ? Promise.resolve() : look();
      return running;
    });
    return queued;
  }

  function changed(): void {
    cancelLook?.();
    if (!closed) cancelLook = setTimer(() => void again(), SETTLE_MS);
  }

  function poll(): void {
    if (closed) return;
    // Armed anew each time: a watch whose directory was replaced by another one of that name never says so.
    ends?.watch();
    ends = { watch: watch(changed), poll: setTimer(poll, POLL_MS) };
    void again();
  }

  first.then(poll, () => {});
  return {
    first,
    again,
    async close() {
      closed = true;
      ends?.watch();
      ends?.poll();
      cancelLook?.();
      await (queued ?? running).catch(() => {});
    },
  };
}
