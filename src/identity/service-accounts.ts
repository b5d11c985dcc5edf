// What is known of a ServiceAccount: the cache's word at once, and where the cache has none, the API server's own. The
// API server has proved that the account exists before it asks us, so a miss means that the cache is behind.
import type { Account, AccountKey, AccountLookup, LookupOptions } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import { ownString } from '../admission/json.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import { createBriefMemory } from './brief-memory.ts';
import { createPlaces } from './places.ts';

/** What the API server is asked at once, however many made-up names come. */
const MAX_FLIGHTS = 50;
/** A burst of 500 new accounts waits for its turn, or for the watch, some 100 ms; turned away, its pods would wait for
 * the API server's retry after a second. */
const MAX_WAITING = 450;
const FLIGHT_MS = 1000;
/** A name that is asked for in vain is asked for once a second at most, and at most so many are remembered. */
const MEMORY = { milliseconds: 1000, size: 1000 };

/** What this file needs of the cache of ServiceAccounts. */
export interface AccountCache {
  get(key: string): Account | undefined;
  synced(): boolean;
  epoch(): number;
  offer(
    key: string,
    live: { readonly item: Account; readonly resourceVersion: string; readonly epoch: number },
  ): 'taken' | 'outdated' | 'incomparable';
}

export type AccountAnswer =
  { readonly kind: 'found'; readonly item: Account; readonly resourceVersion: string } | { readonly kind: 'not-found' };

export interface ServiceAccountsOptions {
  readonly cache: AccountCache;
  /** Asks the API server; rejects where it gives no clear answer. */
  readonly read: (key: AccountKey, signal: AbortSignal) => Promise<AccountAnswer>;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  /** Resolves after the time, or as soon as the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'lookedUp'>;
  /** `--service-account-lookup-grace-period`: no pod waits longer for a live answer. */
  readonly maxLookupMs?: number | undefined;
}

export interface ServiceAccounts {
  readonly lookup: (key: AccountKey, options: LookupOptions) => Promise<AccountLookup>;
  /** Questions that are on their way to the API server, or wait for it. */
  readonly inFlight: () => number;
}

/** Why signals abort. Without a reason, each abort makes an Error with its stack, which costs more than the lookup. */
const OVER = 'over';

type Flight = Promise<AccountLookup>;

const NOT_FOUND: AccountLookup = { kind: 'not-found' };
const NOT_SYNCED: AccountLookup = { kind: 'unknown', reason: 'not-synced' };
const FAILED: AccountLookup = { kind: 'unknown', reason: 'lookup-failed' };

export function createServiceAccounts(options: ServiceAccountsOptions): ServiceAccounts {
  const { cache, read, now, sleep, log, recorder, maxLookupMs = Infinity } = options;
  const flights = new Map<string, Flight>();
  // Live lookups that came while a flight was on its way: that one may have been answered before they asked.
  const queued = new Map<string, Flight>();
  const places = createPlaces(MAX_FLIGHTS);
  const notFound = createBriefMemory({ ...MEMORY, now });
  let isFailing = false;

  async function lookup(key: AccountKey, { timeoutMs, live }: LookupOptions): Promise<AccountLookup> {
    if (!cache.synced()) return NOT_SYNCED;
    const name = keyOf(key);
    const account = live ? undefined : cache.get(name);
    if (account !== undefined) return { kind: 'found', account };
    if (!canExist(key) || (!live && notFound.has(name))) return NOT_FOUND;
    const flight = live ? nextFlight(key, name) : (flights.get(name) ?? start(key, { name, live }));
    return (await within(flight, Math.min(timeoutMs, maxLookupMs))) ?? FAILED;
  }

  async function nextFlight(key: AccountKey, name: string): Flight {
    const current = flights.get(name);
    if (current === undefined) return start(key, { name, live: true });
    const waiting = queued.get(name);
    if (waiting !== undefined) return waiting;
    const next = current.then(async () => {
      queued.delete(name);
      return flights.get(name) ?? start(key, { name, live: true });
    });
    queued.set(name, next);
    return next;
  }

  function start(key: AccountKey, as: { readonly name: string; readonly live: boolean }): Flight {
    if (flights.size >= MAX_FLIGHTS + MAX_WAITING) {
      recorder.lookedUp('rejected');
      return Promise.resolve(FAILED);
    }
    const flight = inTurn(key, as).finally(() => flights.delete(as.name));
    flights.set(as.name, flight);
    return flight;
  }

  async function inTurn(key: AccountKey, { name, live }: { readonly name: string; readonly live: boolean }): Flight {
    const turn = places.take();
    if (turn !== undefined) await turn;
    try {
      // While it waited, the watch may have brought it.
      const account = live ? undefined : cache.get(name);
      return account === undefined ? await fly(key, name) : { kind: 'found', account };
    } finally {
      places.leave();
    }
  }

  /** Never rejects. */
  async function fly(key: AccountKey, name: string): Flight {
    const epoch = cache.epoch();
    const landed = new AbortController();
    try {
      const answer = await within(read(key, landed.signal), FLIGHT_MS);
      if (answer === undefined) throw new Error(`no answer within ${FLIGHT_MS} ms`);
      isFailing = false;
      recorder.lookedUp(answer.kind);
      if (answer.kind === 'not-found') {
        notFound.remember(name);
        return NOT_FOUND;
      }
      const { item, resourceVersion } = answer;
      const offered = cache.offer(name, { item, resourceVersion, epoch });
      // Deleted since, perhaps: but it was there after the question came, so this pod may have it.
      return { kind: 'found', account: (offered === 'outdated' ? cache.get(name) : undefined) ?? item };
    } catch (error) {
      recorder.lookedUp('failed');
      report(key, error);
      return FAILED;
    } finally {
      landed.abort(OVER);
    }
  }

  /** Undefined where the promise takes longer; what it waited for goes on. */
  async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
    const settled = new AbortController();
    try {
      return await Promise.race([promise, sleep(milliseconds, settled.signal).then(() => undefined)]);
    } finally {
      settled.abort(OVER);
    }
  }

  /** One line when it begins: while the API server is away, each review's own line says `lookup-failed`. */
  function report({ namespace, name }: AccountKey, error: unknown): void {
    const message = ownString(error, 'message') ?? String(error);
    const fields = { namespace, serviceAccount: name, error: message };
    if (isFailing) log.debug(fields, 'a ServiceAccount cannot be read from the API server');
    else log.warn(fields, 'a ServiceAccount cannot be read from the API server');
    isFailing = true;
  }

  return { lookup, inFlight: () => flights.size };
}

/**
 * Kubernetes stores no other names (DNS label and subdomain, RFC 1123). A review that did not come from an API server
 * may hold any, and `..` would lead a read to another place.
 */
function canExist({ namespace, name }: AccountKey): boolean {
  const isNamespace = namespace.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(namespace);
  return isNamespace && name.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name);
}
