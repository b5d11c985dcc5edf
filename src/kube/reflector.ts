// A resource of the cluster, kept in memory: lists it, watches it, and takes either up again after every fault, for as
// long as the process lives. What it knows is never thrown away before something newer is complete.
import { messageOf } from '../admission/thrown.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import { longestWaitMs, waitMs } from './backoff.ts';
import type { ReadClient } from './client.ts';
import { KubeError, causeOf, isForbidden } from './error.ts';
import type { Resource } from './list.ts';
import { currentVersion } from './list.ts';
import { isOlder } from './resource-version.ts';
import { createSource } from './source.ts';
import type { LiveItem, Offered } from './store.ts';
import { createStore } from './store.ts';

/** What a watch is answered when it cannot go on from where we are. */
const NEEDS_LIST = new Set([400, 404, 410, 422]);

export interface ReflectorOptions<T> {
  readonly client: ReadClient;
  readonly resource: Resource;
  /** What is kept of an object, never undefined. Where it throws, the object is passed over. */
  readonly trim: (object: unknown) => T;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  /** Resolves after the time, or as soon as the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'relisted' | 'watchFailed' | 'observeCache'>;
  /** Called with the key that changed, or with undefined when a list has replaced everything. */
  readonly onChange?: ((key: string | undefined) => void) | undefined;
  /** Milliseconds of silence that end a streaming list, and a watch. */
  readonly idleMs?: { readonly list: number; readonly watch: number };
}

export interface Reflector<T> {
  get(key: string): T | undefined;
  entries(): IterableIterator<[string, T]>;
  size(): number;
  /** Whether the state was complete once; it stays true. */
  synced(): boolean;
  /** By `now`; undefined before the first byte. */
  lastByteAt(): number | undefined;
  epoch(): number;
  /** Whether the API server's last word was 403. */
  forbidden(): boolean;
  /** Takes the answer to a live read, where it is newer than the state. */
  offer(key: string, live: LiveItem<T>): Offered;
  /** Resolves when `synced` becomes true. */
  ready(): Promise<void>;
  /** Reads everything anew, now. The old state is served meanwhile. */
  relist(): void;
  /** Resolves when the watch is closed. */
  close(): Promise<void>;
}

/** Starts at once. Nothing that the cluster does ends it or makes it throw. */
export function createReflector<T>(options: ReflectorOptions<T>): Reflector<T> {
  const { client, resource, now, sleep, random, log, recorder } = options;
  const store = createStore<T>();
  const closing = new AbortController();
  let session = new AbortController();
  let synced = false;
  let mustList = true;
  let mustVerify = false;
  let wasHurried = false;
  let forbidden = false;
  let failures = 0;
  let watchingSince: number | undefined;
  let lastByteAt: number | undefined;
  let becomeReady: (() => void) | undefined;
  const whenReady = new Promise<void>((resolve) => {
    becomeReady = resolve;
  });
  const source = createSource({ ...options, store, heard, listed, changed });
  recorder.observeCache(resource.name, () => ({
    size: store.size(),
    synced,
    secondsSinceLastByte: lastByteAt === undefined ? undefined : (now() - lastByteAt) / 1000,
  }));
  const running = run();

  function heard(): void {
    lastByteAt = now();
  }

  function listed(): void {
    mustList = false;
    watchingSince = now();
    recorder.relisted(resource.name);
    log.info({ resource: resource.name, size: store.size() }, 'list complete');
    if (!synced) becomeReady?.();
    synced = true;
    changed(undefined);
  }

  function changed(key: string | undefined): void {
    try {
      options.onChange?.(key);
    } catch (error) {
      log.error({ resource: resource.name, key, error: messageOf(error) }, 'a change was not taken up');
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      session = new AbortController();
      const { signal } = session;
      const failure = await attempt(signal);
      // relist() and close() abort: there is nothing to wait for.
      if (!signal.aborted) await pause(failure, signal);
    }
  }

  /** Resolves with what went wrong, or with undefined when the server ended the watch in order. */
  async function attempt(signal: AbortSignal): Promise<unknown> {
    watchingSince = undefined;
    try {
      const version = store.resourceVersion();
      if (mustList || version === undefined) await source.list(signal);
      else await goOn(version, signal);
      return undefined;
    } catch (error) {
      return error ?? new Error('nothing was thrown');
    }
  }

  async function goOn(version: string, signal: AbortSignal): Promise<void> {
    // A cluster whose store was restored from a backup counts from an older number. A watch from ours would be taken,
    // and stay silent until that number is reached again.
    if (mustVerify && isOlder(await currentVersion(client, resource, signal), version)) {
      throw new KubeError('the cluster went back to an older state', { code: 'rewound' });
    }
    watchingSince = now();
    await source.watch(version, signal);
  }

  async function pause(failure: unknown, signal: AbortSignal): Promise<void> {
    // Only a watch that outlived the wait before it counts as success: one that breaks at once must not be a storm.
    const isSteady = watchingSince !== undefined && now() - watchingSince > longestWaitMs(failures);
    if (isSteady) failures = 0;
    mustVerify = failure !== undefined;
    forbidden = isForbidden(failure);
    const wantsList = !mustList && needsList(failure);
    mustList ||= wantsList;
    if (failure === undefined && isSteady) return;
    // Whoever calls our version too old does answer: the outage's wait is over. Once in a row, so that it is no storm.
    wasHurried = wantsList && !wasHurried;
    const retryAfterSeconds = failure instanceof KubeError ? failure.retryAfterSeconds : undefined;
    const ms = wasHurried ? 0 : Math.round(waitMs(failures, { random, retryAfterSeconds }));
    report(failure, ms);
    failures += 1;
    await sleep(ms, signal).catch(() => undefined);
  }

  function report(failure: unknown, ms: number): void {
    const cause = causeOf(failure);
    recorder.watchFailed(resource.name, cause);
    const error = failure === undefined ? 'the API server ended the watch at once' : messageOf(failure);
    const fields = { resource: resource.name, cause, error, failures: failures + 1, waitMs: ms };
    // An API server that is away for hours is told of at its beginning and then every few minutes.
    if (failures % 32 !== 0) log.debug(fields, 'watch broken, trying again');
    else if (forbidden)
      log.error({ ...fields, fix: `grant get, list and watch on ${resource.name}` }, 'may not be read');
    else log.warn(fields, 'watch broken, trying again');
  }

  return {
    get: (key) => store.get(key),
    entries: () => store.entries(),
    size: () => store.size(),
    epoch: () => store.epoch(),
    forbidden: () => forbidden,
    offer(key, live) {
      const offered = store.offer(key, live);
      if (offered === 'taken') changed(key);
      return offered;
    },
    synced: () => synced,
    lastByteAt: () => lastByteAt,
    ready: async () => whenReady,
    relist() {
      mustList = true;
      session.abort();
    },
    async close() {
      closing.abort();
      session.abort();
      await running;
    },
  };
}

function needsList(failure: unknown): boolean {
  if (!(failure instanceof KubeError)) return failure !== undefined;
  const { code, status = 0 } = failure;
  if (code === 'refused') return NEEDS_LIST.has(status);
  return code === 'garbage' || code === 'rewound' || code === 'error-event';
}
