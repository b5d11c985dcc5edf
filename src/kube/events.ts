// What a line of a watch says. Anything that the Kubernetes API does not define is refused here.
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownString } from '../admission/json.ts';
import { KubeError } from './error.ts';

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: JsonObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly endsInitialEvents: boolean };

/** An object's place in a cache, and its version. */
export interface ObjectReference {
  /** `namespace/name`, or the name of what is in no namespace. */
  readonly key: string;
  readonly resourceVersion: string;
}

/** Throws KubeError: `garbage`, or `error-event` with the code of its Status. */
export function watchEventFrom(line: unknown): WatchEvent {
  const type = ownString(line, 'type');
  const object = ownField(line, 'object');
  if (!isObject(object)) throw garbage('an event without object');
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object };
  if (type === 'BOOKMARK') return bookmarkFrom(object);
  if (type === 'ERROR') throw errorFrom(object);
  throw garbage('an event of unknown type');
}

export function referenceOf(object: unknown): ObjectReference {
  const metadata = ownField(object, 'metadata');
  const name = ownString(metadata, 'name');
  const namespace = ownString(metadata, 'namespace');
  const resourceVersion = ownString(metadata, 'resourceVersion');
  if (name === undefined || resourceVersion === undefined) throw garbage('an object without name or resourceVersion');
  return { key: namespace === undefined ? name : `${namespace}/${name}`, resourceVersion };
}

function bookmarkFrom(object: JsonObject): WatchEvent {
  const metadata = ownField(object, 'metadata');
  const resourceVersion = ownString(metadata, 'resourceVersion');
  if (resourceVersion === undefined) throw garbage('a bookmark without resourceVersion');
  const mark = ownString(ownField(metadata, 'annotations'), 'k8s.io/initial-events-end');
  return { type: 'BOOKMARK', resourceVersion, endsInitialEvents: mark === 'true' };
}

/** An ERROR event holds a Status, whatever kind was asked for. */
function errorFrom(object: JsonObject): KubeError {
  const code = ownField(object, 'code');
  const status = typeof code === 'number' ? code : 500;
  const reason = ownString(object, 'message') ?? ownString(object, 'reason') ?? 'no reason given';
  return new KubeError(`the API server ended the watch with ${status}: ${reason}`, { code: 'error-event', status });
}

function garbage(what: string): KubeError {
  return new KubeError(`the API server sent ${what}`, { code: 'garbage' });
}
