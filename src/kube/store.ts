// What is known of one resource, in the order of its resourceVersions: the state as of the last list or event, and
// beside it answers to live reads that are newer. PURE. It never shows a state that the API server has left behind.
import { compareResourceVersions, isNewer, isOlder } from './resource-version.ts';

/** The answer to a live read. */
export interface LiveItem<T> {
  readonly item: T;
  readonly resourceVersion: string;
  /** What `epoch()` said when the question was asked. */
  readonly epoch: number;
}

/** What became of a live answer: `outdated` is one that the state is at least as new as. */
export type Offered = 'taken' | 'outdated' | 'incomparable';

/** Something that a list or watch says of one object. */
export interface Change<T> {
  readonly key: string;
  /** Undefined: it is gone. */
  readonly item: T | undefined;
  readonly resourceVersion: string;
}

/** A list that is being read; the store shows its old state until `finish`. */
export interface Replacement<T> {
  apply(change: Change<T>): void;
  /** The list is complete, as of this resourceVersion. */
  finish(resourceVersion: string): void;
}

export interface Store<T> {
  get(key: string): T | undefined;
  entries(): IterableIterator<[string, T]>;
  size(): number;
  /** The state is as of this resourceVersion; undefined before the first list. */
  resourceVersion(): string | undefined;
  /** Grows whenever a list begins: answers to earlier questions may tell of a history that is undone. */
  epoch(): number;
  begin(): Replacement<T>;
  /** An event of the watch. False: older than the state, so the store was rewound. */
  apply(change: Change<T>): boolean;
  /** A bookmark of the watch. False as for `apply`. */
  advance(resourceVersion: string): boolean;
  /** Takes a live answer where it is newer than the state. An `outdated` one that the state has no item for tells of an
   * object that was deleted since. */
  offer(key: string, live: LiveItem<T>): Offered;
}

export function createStore<T>(): Store<T> {
  let items = new Map<string, T>();
  // Versions of those items that came by a live read and that the watch has not passed yet.
  let ahead = new Map<string, LiveItem<T>>();
  let version: string | undefined;
  let epoch = 0;

  function begin(): Replacement<T> {
    epoch += 1;
    const listed = new Map<string, T>();
    return {
      apply: ({ key, item }) => put(listed, key, item),
      finish(resourceVersion) {
        // Live answers outlive the list only where they are newer than it, and were asked for after it began: a store
        // restored from a backup counts from an older number, and answers from before would look newer for ever.
        const kept = [...ahead].filter(
          ([, live]) => live.epoch === epoch && isNewer(live.resourceVersion, resourceVersion),
        );
        for (const [key, live] of kept) listed.set(key, live.item);
        items = listed;
        ahead = new Map(kept);
        version = resourceVersion;
      },
    };
  }

  function advance(resourceVersion: string): boolean {
    if (version !== undefined && isOlder(resourceVersion, version)) return false;
    version = resourceVersion;
    return true;
  }

  function apply({ key, item, resourceVersion }: Change<T>): boolean {
    if (!advance(resourceVersion)) return false;
    const live = ahead.get(key);
    // The live answer has seen this event already.
    if (live !== undefined && isNewer(live.resourceVersion, resourceVersion)) return true;
    ahead.delete(key);
    put(items, key, item);
    return true;
  }

  function offer(key: string, live: LiveItem<T>): Offered {
    if (version === undefined || live.epoch !== epoch) return 'incomparable';
    const earlier = ahead.get(key)?.resourceVersion ?? version;
    const newest = isNewer(earlier, version) ? earlier : version;
    const order = compareResourceVersions(live.resourceVersion, newest);
    if (order === undefined) return 'incomparable';
    if (order <= 0) return 'outdated';
    ahead.set(key, live);
    items.set(key, live.item);
    return 'taken';
  }

  return {
    get: (key) => items.get(key),
    entries: () => items.entries(),
    size: () => items.size,
    resourceVersion: () => version,
    epoch: () => epoch,
    begin,
    apply,
    advance,
    offer,
  };
}

function put<T>(items: Map<string, T>, key: string, item: T | undefined): void {
  if (item === undefined) items.delete(key);
  else items.set(key, item);
}
