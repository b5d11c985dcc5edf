// What is known of an object of the cluster: the cache's word at once, and where the cache has none, the API server's
// own. A miss means that the cache is behind, because the API server checks what a pod refers to before it asks us.
import { messageOf } from '../admission/thrown.ts';
import type { Log, LogFields } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import type { LookupOptions } from '../admission/identity.ts';
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

/** What is needed of the cache. */
export interface LiveCache<Item> {
  get(name: string): Item | undefined;
  synced(): boolean;
  epoch(): number;
  offer(
    name: string,
    live: { readonly item: Item; readonly resourceVersion: string; readonly epoch: number },
  ): 'taken' | 'outdated' | 'incomparable';
}

export type LiveAnswer<Item> =
  { readonly kind: 'found'; readonly item: Item; readonly resourceVersion: string } | { readonly kind: 'not-found' };

/** A miss that could not be verified is `unknown`, never `not-found`. */
export type Found<Item> =
  | { readonly kind: 'found'; readonly item: Item }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'unknown'; readonly reason: 'not-synced' | 'lookup-failed' };

export interface LiveLookupOptions<Key, Item> {
  /** In the log: `ServiceAccount`. */
  readonly kind: string;
  readonly cache: LiveCache<Item>;
  /** Asks the API server; rejects where it gives no clear answer. */
  readonly read: (key: Key, signal: AbortSignal) => Promise<LiveAnswer<Item>>;
  /** What the cache calls it. */
  readonly nameOf: (key: Key) => string;
  /** Whether Kubernetes could store an object of that name. */
  readonly canExist: (key: Key) => boolean;
  readonly fieldsOf: (key: Key) => LogFields;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  /** Resolves after the time, or as soon as the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'lookedUp'>;
  /** No pod waits longer for a live answer. */
  readonly maxLookupMs?: number | undefined;
}

export interface LiveLookup<Key, Item> {
  readonly lookup: (key: Key, options: LookupOptions) => Promise<Found<Item>>;
  /** Questions that are on their way to the API server, or wait for it. */
  readonly inFlight: () => number;
}

const NOT_FOUND = { kind: 'not-found' } as const;
const NOT_SYNCED = { kind: 'unknown', reason: 'not-synced' } as const;
const FAILED = { kind: 'unknown', reason: 'lookup-failed' } as const;

export function createLiveLookup<Key, Item>(options: LiveLookupOptions<Key, Item>): LiveLookup<Key, Item> {
  type Flight = Promise<Found<Item>>;
  const { cache, read, nameOf, canExist, now, sleep, log, recorder, maxLookupMs = Infinity } = options;
  const flights = new Map<string, Flight>();
  // Live lookups that came while a flight was on its way: that one may have been answered before they asked.
  const queued = new Map<string, Flight>();
  const places = createPlaces(MAX_FLIGHTS);
  const notFound = createBriefMemory({ ...MEMORY, now });
  let isFailing = false;

  async function lookup(key: Key, { timeoutMs, live }: LookupOptions): Promise<Found<Item>> {
    if (!cache.synced()) return NOT_SYNCED;
    const name = nameOf(key);
    const item = live ? undefined : cache.get(name);
    if (item !== undefined) return { kind: 'found', item };
    if (!canExist(key) || (!live && notFound.has(name))) return NOT_FOUND;
    const flight = live ? nextFlight(key, name) : (flights.get(name) ?? start(key, { name, live }));
    return (await within(flight, Math.min(timeoutMs, maxLookupMs))) ?? FAILED;
  }

  async function nextFlight(key: Key, name: string): Flight {
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

  function start(key: Key, as: { readonly name: string; readonly live: boolean }): Flight {
    if (flights.size >= MAX_FLIGHTS + MAX_WAITING) {
      recorder.lookedUp('rejected');
      return Promise.resolve(FAILED);
    }
    const flight = inTurn(key, as).finally(() => flights.delete(as.name));
    flights.set(as.name, flight);
    return flight;
  }

  async function inTurn(key: Key, { name, live }: { readonly name: string; readonly live: boolean }): Flight {
    const turn = places.take();
    if (turn !== undefined) await turn;
    try {
      // While it waited, the watch may have brought it.
      const item = live ? undefined : cache.get(name);
      return item === undefined ? await fly(key, name) : { kind: 'found', item };
    } finally {
      places.leave();
    }
  }

  /** Never rejects. */
  async function fly(key: Key, name: string): Flight {
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
      return { kind: 'found', item: (offered === 'outdated' ? cache.get(name) : undefined) ?? item };
    } catch (error) {
      recorder.lookedUp('failed');
      report(key, error);
      return FAILED;
    } finally {
      landed.abort();
    }
  }

  /** Undefined where the promise takes longer; what it waited for goes on. */
  async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
    const settled = new AbortController();
    try {
      return await Promise.race([promise, sleep(milliseconds, settled.signal).then(() => undefined)]);
    } finally {
      settled.abort();
    }
  }

  /** One line when it begins: while the API server is away, each review's own line says `lookup-failed`. */
  function report(key: Key, error: unknown): void {
    const fields = {
      ...options.fieldsOf(key),
      kind: options.kind,
      error: messageOf(error),
    };
    if (isFailing) log.debug(fields, 'an object cannot be read from the API server');
    else log.warn(fields, 'an object cannot be read from the API server');
    isFailing = true;
  }

  return { lookup, inFlight: () => flights.size };
}
