// What happens, in words of this program; metrics.ts makes Prometheus series of it. Every room of the shell may take
// this type; tests pass a plain object.
import type { Decision, Method, Reason } from '../admission/decision.ts';

export type LookupResult = 'found' | 'not-found' | 'failed' | 'rejected';

export type CaBundleState = 'in-sync' | 'differs' | 'absent';

/** What an audit of all stored pods has found; pods by namespace. */
export interface AuditCounts {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly missed: ReadonlyMap<string, number>;
  readonly stale: ReadonlyMap<string, number>;
}

/** State of one reflector, read when metrics are scraped. */
export interface CacheState {
  readonly size: number;
  readonly synced: boolean;
  readonly secondsSinceLastByte: number | undefined;
}

export interface Recorder {
  /** A review got its answer; `seconds` from its last byte in to its first byte out. */
  decided(decision: {
    readonly kind: Decision['kind'];
    readonly reason: Reason;
    readonly method?: Method | undefined;
    readonly seconds: number;
  }): void;
  /** An HTTP request on the admission port was answered. */
  requested(request: {
    readonly verb: string;
    readonly path: string;
    readonly code: number;
    readonly seconds: number;
  }): void;
  /** A review that is being worked on, and its end. */
  inFlight(change: 1 | -1): void;
  /** A ServiceAccount was asked for from the API server. */
  lookedUp(result: LookupResult): void;
  /** A review's ServiceAccount was not found by a live lookup. */
  accountMissing(): void;
  /** A reflector has replaced its whole state by a new list. */
  relisted(resource: string): void;
  /** A list or watch ended by a fault; it is taken up again. */
  watchFailed(resource: string, cause: string): void;
  /** `state` is asked at each scrape, until the process ends. */
  observeCache(resource: string, state: () => CacheState): void;
  /** The ConfigMap of roles was read; entries that cannot be used are refused one by one. */
  configMapRead(entries: { readonly entries: number; readonly refused: number }): void;
  certificateLoaded(notAfter: Date): void;
  /** A file or object was changed to something unusable; the last good one stays in use. */
  reloadFailed(what: string): void;
  /** The CA that signs, in self-signed mode. */
  caLoaded(notAfter: Date): void;
  /** A step of its rotation was taken by this process. */
  caStepped(step: string): void;
  /** What the webhook configuration says of it. */
  caBundle(state: CaBundleState): void;
  /** This process wrote the caBundle, for a step of the rotation or because somebody had changed it. */
  caBundleWritten(why: 'step' | 'repair'): void;
  /** All stored pods were looked at; undefined once another replica does that. */
  audited(counts: AuditCounts | undefined): void;
  /** An exception that nobody expected. */
  failedUnexpectedly(where: string): void;
  /** Log lines that were thrown away because the reader of the log did not keep up. */
  logDropped(): void;
}
