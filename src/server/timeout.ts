// How long a decision may take, out of the `?timeout=` that the API server puts on every call.
import { parseGoDuration } from '../admission/go-syntax.ts';

// The registration asks for timeoutSeconds: 5; callers by hand say nothing.
const DEFAULT_MS = 5_000;
// The API server gives a webhook at most 30 s (validation of timeoutSeconds).
const MAX_MS = 30_000;
// For the way back, and so that our 503 with its reason arrives before the caller's own timeout.
const MARGIN_MS = 500;
// What a live lookup needs on a healthy API server; with less than that the answer would always be "unknown".
const MIN_MS = 100;

/** Milliseconds that are left for the decision, from 100 to 29,500. `spentMs`: since the request came. */
export function timeoutMsFrom(url: string, spentMs: number): number {
  const start = url.indexOf('?');
  const value = start === -1 ? null : new URLSearchParams(url.slice(start + 1)).get('timeout');
  const asked = value === null ? DEFAULT_MS : (parseGoDuration(value) ?? DEFAULT_MS);
  return Math.max(MIN_MS, Math.min(asked, MAX_MS) - MARGIN_MS - spentMs);
}
