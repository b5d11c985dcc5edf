// How long a token lives: read as Go reads integers, kept within what Kubernetes accepts, and spread where all tokens
// of a cluster would otherwise be renewed at once.
import { parseGoInt } from './go-syntax.ts';
import { quoted } from './warning.ts';

/** Kubernetes refuses a projected token that lives shorter. */
const MIN_SECONDS = 600;
/** What EKS allows at most; a longer one works only where the API server's own limit is higher. */
const DAY_SECONDS = 86_400;
/** Kubernetes refuses a projected token that lives longer (validation of serviceAccountToken projections). */
const MAX_SECONDS = 2 ** 32;
/** EKS spreads a day over its last two hours: 79200 to 86400 seconds. */
const SPREAD_SECONDS = 7_200;

/** Seconds within what Kubernetes accepts; undefined with a warning where the text is no integer. */
export function expirationFrom(text: string, owner: string): { readonly seconds?: number; readonly warning?: string } {
  const value = parseGoInt(text);
  if (value === undefined)
    return { warning: `ignored token-expiration ${quoted(text)} of ${owner}: want whole seconds` };
  const seconds = clampedExpiration(value);
  if (value < MIN_SECONDS) {
    return { seconds, warning: `token-expiration ${text} of ${owner} raised to 600, Kubernetes' minimum` };
  }
  if (value > MAX_SECONDS) {
    return { seconds, warning: `token-expiration ${text} of ${owner} lowered to 4294967296, Kubernetes' maximum` };
  }
  if (value > DAY_SECONDS) {
    return { seconds, warning: `token-expiration ${text} of ${owner} is above 86400: the API server may shorten it` };
  }
  return { seconds };
}

/** The nearest number of seconds that Kubernetes accepts for a projected token. */
export function clampedExpiration(seconds: bigint | number): number {
  if (seconds < MIN_SECONDS) return MIN_SECONDS;
  if (seconds > MAX_SECONDS) return MAX_SECONDS;
  return Number(seconds);
}

/** A day becomes 79200 to 86400 seconds, the same for the same review; any other expiration stays. */
export function jittered(seconds: number, uid: string): number {
  return seconds === DAY_SECONDS ? DAY_SECONDS - (hash(uid) % (SPREAD_SECONDS + 1)) : seconds;
}

/** Whether `jittered` could have made this of a day. */
export function isSpread(seconds: unknown): boolean {
  return typeof seconds === 'number' && seconds >= DAY_SECONDS - SPREAD_SECONDS && seconds <= DAY_SECONDS;
}

/** FNV-1a, 32 bits: spreads well enough, and is the same in every replica. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}
