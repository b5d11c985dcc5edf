// What the API server simulator stores: objects by collection, one resourceVersion for all, and the history that
// watches are served from, which can be compacted or taken back to an older state.

export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface ApiEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly collection: string;
  readonly version: number;
  readonly object: ApiObject;
}

export interface Snapshot {
  readonly version: number;
  readonly collections: ReadonlyMap<string, ReadonlyMap<string, ApiObject>>;
}

export interface ApiObjects {
  /** Creates or replaces; resolves with what is stored. */
  put(collection: string, object: ApiObject): ApiObject;
  remove(collection: string, key: string): void;
  get(collection: string, key: string): ApiObject | undefined;
  list(collection: string): readonly ApiObject[];
  version(): number;
  /** Lets time pass for others: the version grows, no object changes. */
  age(steps: number): void;
  /** Events after the version; undefined where they were compacted away. */
  since(collection: string, version: number): readonly ApiEvent[] | undefined;
  /** Forgets the history: versions before now are gone. */
  compact(): void;
  compactedTo(): number;
  snapshot(): Snapshot;
  /** Goes back to an older state, as a restored backup does. */
  restore(snapshot: Snapshot): void;
  onEvent(listener: (event: ApiEvent) => void): void;
}

export function keyOfObject({ metadata: { namespace, name } }: ApiObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export function createApiObjects(firstVersion = 1000): ApiObjects {
  let collections = new Map<string, Map<string, ApiObject>>();
  let events: ApiEvent[] = [];
  let version = firstVersion;
  let compacted = firstVersion;
  let listener: ((event: ApiEvent) => void) | undefined;

  function objectsOf(collection: string): Map<string, ApiObject> {
    const found = collections.get(collection) ?? new Map<string, ApiObject>();
    collections.set(collection, found);
    return found;
  }

  function record(type: ApiEvent['type'], collection: string, object: ApiObject): ApiObject {
    version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const event = { type, collection, version, object: stored };
    events.push(event);
    if (type === 'DELETED') objectsOf(collection).delete(keyOfObject(object));
    else objectsOf(collection).set(keyOfObject(object), stored);
    listener?.(event);
    return stored;
  }

  return {
    put: (collection, object) =>
      record(objectsOf(collection).has(keyOfObject(object)) ? 'MODIFIED' : 'ADDED', collection, object),
    remove(collection, key) {
      const object = objectsOf(collection).get(key);
      if (object === undefined) throw new Error(`there is no ${key} in ${collection}`);
      record('DELETED', collection, object);
    },
    get: (collection, key) => objectsOf(collection).get(key),
    list: (collection) => [...objectsOf(collection).values()],
    version: () => version,
    age(steps) {
      version += steps;
    },
    since: (collection, after) =>
      after < compacted
        ? undefined
        : events.filter((event) => event.collection === collection && event.version > after),
    compact() {
      events = [];
      compacted = version;
    },
    compactedTo: () => compacted,
    snapshot: () => ({
      version,
      collections: new Map([...collections].map(([name, objects]) => [name, new Map(objects)])),
    }),
    restore(snapshot) {
      version = snapshot.version;
      collections = new Map([...snapshot.collections].map(([name, objects]) => [name, new Map(objects)]));
      events = events.filter((event) => event.version <= version);
    },
    onEvent(next) {
      listener = next;
    },
  };
}
