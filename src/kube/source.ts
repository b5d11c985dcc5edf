// One reading of a resource into a store: a list, a watch, or a list that goes on as a watch. It ends by the server's
// wish or by throwing; what is done then is the reflector's to say.
import { codeOf, messageOf } from '../admission/thrown.ts';
import type { Log } from '../observe/log.ts';
import type { ReadClient } from './client.ts';
import { KubeError } from './error.ts';
import type { WatchEvent } from './events.ts';
import { referenceOf, watchEventFrom } from './events.ts';
import type { Resource } from './list.ts';
import { pagesOf, streamingListPath, watchAcceptOf, watchPath } from './list.ts';
import type { Change, Replacement, Store } from './store.ts';

/** A server that takes a streaming list for a plain watch never ends it; bookmarks of a watch come up to 120 s apart. */
const IDLE_MS = { list: 10_000, watch: 150_000 };
/** The server ends a watch after this long, in order; below the five minutes and more of load balancers on the way. */
const WATCH_SECONDS = 270;
/** Spread, so that the replicas do not all come back at once. */
const WATCH_SPREAD_SECONDS = 30;
/** Client errors that say nothing about streaming lists: who we are, what we may, and that it is too much now. */
const NOT_ABOUT_STREAMING = new Set([401, 403, 408, 410, 429]);

export interface SourceOptions<T> {
  readonly client: ReadClient;
  readonly resource: Resource;
  readonly store: Store<T>;
  readonly trim: (object: unknown) => T;
  readonly random: () => number;
  readonly log: Log;
  readonly idleMs?: { readonly list: number; readonly watch: number };
  /** Bytes came. */
  readonly heard: () => void;
  /** The store holds a new complete state. */
  readonly listed: () => void;
  /** The watch changed one object. */
  readonly changed: (key: string) => void;
}

export interface Source {
  /** Reads everything, then watches from there. */
  list(signal: AbortSignal): Promise<void>;
  watch(resourceVersion: string, signal: AbortSignal): Promise<void>;
}

export function createSource<T>(options: SourceOptions<T>): Source {
  const { client, resource, store, random, log, heard, idleMs = IDLE_MS } = options;
  let knowsStreaming = true;
  // Whatever comes between, and changes it: what cannot be read is asked for in JSON from then on.
  let binary = true;
  // The list that is being read, while one is.
  let pending: Replacement<T> | undefined;

  async function list(signal: AbortSignal): Promise<void> {
    if (knowsStreaming && (await streamed(signal))) return;
    await watch(await paged(signal), signal);
  }

  async function watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    pending = undefined;
    await follow(watchPath(resource, { resourceVersion, timeoutSeconds: watchSeconds() }), signal);
  }

  /** False where the server does not do it, and pages are to be tried. */
  async function streamed(signal: AbortSignal): Promise<boolean> {
    pending = store.begin();
    try {
      await follow(streamingListPath(resource, watchSeconds()), signal);
      return true;
    } catch (error) {
      if (pending === undefined || signal.aborted || !meansPages(error)) throw error;
      // Silence may have been the network's: only a server that said no is not asked again.
      if (error.code === 'refused') knowsStreaming = false;
      log.info({ resource: resource.name, error: error.message }, 'no streaming list, reading pages');
      return false;
    }
  }

  /** Resolves with the resourceVersion of the list. */
  async function paged(signal: AbortSignal): Promise<string> {
    const replacement = store.begin();
    let version: string | undefined;
    for await (const page of pagesOf(client, resource, signal)) {
      heard();
      version ??= page.resourceVersion;
      for (const object of page.items) applyTo(replacement, object);
    }
    if (version === undefined) throw new KubeError('the API server sent no page', { code: 'garbage' });
    replacement.finish(version);
    options.listed();
    return version;
  }

  async function follow(path: string, signal: AbortSignal): Promise<void> {
    const events = client.stream(path, {
      signal,
      accept: watchAcceptOf(resource, { binary }),
      onBytes: heard,
      idleMs: () => (pending === undefined ? idleMs.watch : idleMs.list),
    });
    try {
      for await (const line of events) {
        if (signal.aborted) return;
        const event = watchEventFrom(line);
        if (pending === undefined) take(event);
        else collect(pending, event);
      }
    } catch (error) {
      if (codeOf(error) === 'garbage') binary = false;
      throw error;
    }
    if (pending !== undefined && !signal.aborted)
      throw noStreamingList('the server ended it before its end was marked');
  }

  function collect(replacement: Replacement<T>, event: WatchEvent): void {
    if (event.type === 'DELETED') replacement.apply({ ...referenceOf(event.object), item: undefined });
    else if (event.type !== 'BOOKMARK') applyTo(replacement, event.object);
    else if (event.endsInitialEvents) {
      replacement.finish(event.resourceVersion);
      pending = undefined;
      options.listed();
    }
    // Before the end is marked, only a server that does not know of marks sends a bookmark.
    else throw noStreamingList('a bookmark came before the end was marked');
  }

  function applyTo(replacement: Replacement<T>, object: unknown): void {
    const change = changeFrom(object);
    if (change !== undefined) replacement.apply(change);
  }

  function take(event: WatchEvent): void {
    if (event.type === 'BOOKMARK') {
      inOrder(store.advance(event.resourceVersion));
      return;
    }
    const reference = referenceOf(event.object);
    const change = event.type === 'DELETED' ? { ...reference, item: undefined } : changeFrom(event.object);
    inOrder(change === undefined ? store.advance(reference.resourceVersion) : store.apply(change));
    if (change !== undefined) options.changed(change.key);
  }

  function changeFrom(object: unknown): Change<T> | undefined {
    const reference = referenceOf(object);
    try {
      return { ...reference, item: options.trim(object) };
    } catch (error) {
      log.error({ resource: resource.name, key: reference.key, error: messageOf(error) }, 'object passed over');
      return undefined;
    }
  }

  function watchSeconds(): number {
    return WATCH_SECONDS + Math.floor(random() * WATCH_SPREAD_SECONDS);
  }

  return { list, watch };
}

/** Within a watch, resourceVersions only grow. */
function inOrder(isInOrder: boolean): void {
  if (!isInOrder) throw new KubeError('resourceVersions of the watch went backwards', { code: 'rewound' });
}

function noStreamingList(what: string): KubeError {
  return new KubeError(`no streaming list: ${what}`, { code: 'no-streaming-list' });
}

function meansPages(error: unknown): error is KubeError {
  if (!(error instanceof KubeError)) return false;
  const { code, status = 0 } = error;
  if (code === 'refused') return status >= 400 && status < 500 && !NOT_ABOUT_STREAMING.has(status);
  return code === 'no-streaming-list' || code === 'silent';
}
