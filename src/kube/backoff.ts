// How long to wait before the API server is asked again. PURE. Waits grow to ten seconds and no further, so that a
// cluster that comes back is seen soon; they are spread, so that a thousand clients do not come back at once.

const FIRST_MS = 200;
const LONGEST_MS = 10_000;
/** A longer Retry-After is a fault of something on the way: the API server itself says 1 to 30 seconds. */
const LONGEST_RETRY_AFTER_SECONDS = 60;

/** The longest wait after this many failures in a row. */
export function longestWaitMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
}

/**
 * What the server asked for, else full jitter. Asked for a second, a second is waited however often it failed before: a
 * starting API server says so until its caches are filled. In whole milliseconds, which is what logs show.
 */
export function waitMs(
  failures: number,
  { random, retryAfterSeconds = 0 }: { readonly random: () => number; readonly retryAfterSeconds?: number | undefined },
): number {
  if (retryAfterSeconds <= 0) return Math.round(random() * longestWaitMs(failures));
  // A tenth on top, because everyone was told the same second.
  return Math.round(Math.min(retryAfterSeconds, LONGEST_RETRY_AFTER_SECONDS) * 1000 * (1 + random() / 10));
}
