// One object that is known by its name: read now, and changed only where it still is what was read. Whoever loses a race
// hears of it as a value; there is no lock, and nobody is overwritten.
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownString } from '../admission/json.ts';
import type { KubeAnswer } from './answer.ts';
import { refusalOf } from './answer.ts';
import type { KubeClient } from './client.ts';
import { KubeError } from './error.ts';

export type Change =
  | { readonly kind: 'changed'; readonly object: JsonObject }
  /** Somebody else changed it since it was read, or the change is not taken as it is. */
  | { readonly kind: 'conflict'; readonly status: number; readonly message: string };

export interface PatchOperation {
  readonly op: 'test' | 'add';
  /** JSON Pointer. */
  readonly path: string;
  readonly value: unknown;
}

/** Every function rejects with KubeError where the API server gives no answer, or says no. */
export interface NamedObject {
  /** Undefined where there is none. */
  read(signal: AbortSignal): Promise<JsonObject | undefined>;
  /** Needs the resourceVersion that was read within it: the API server compares. */
  replace(object: JsonObject, signal: AbortSignal): Promise<Change>;
  /** A JSON Patch; a `test` that does not hold is a conflict. */
  patch(operations: readonly PatchOperation[], signal: AbortSignal): Promise<Change>;
}

export interface NamedObjectOptions {
  readonly client: Pick<KubeClient, 'get' | 'write'>;
  /** Of the collection, with its namespace: /api/v1/namespaces/eks/secrets. */
  readonly collection: string;
  readonly name: string;
}

export function createNamedObject({ client, collection, name }: NamedObjectOptions): NamedObject {
  const path = `${collection}/${encodeURIComponent(name)}`;
  return {
    async read(signal) {
      const answer = await client.get(path, { signal });
      // Any other 404 comes from something on the way.
      if (answer.status === 404 && ownString(answer.body, 'reason') === 'NotFound') return undefined;
      return objectFrom(path, answer);
    },
    async replace(object, signal) {
      const answer = await client.write(path, { method: 'PUT', contentType: 'application/json', body: object, signal });
      return changeFrom(path, answer);
    },
    async patch(operations, signal) {
      const contentType = 'application/json-patch+json';
      const answer = await client.write(path, { method: 'PATCH', contentType, body: operations, signal });
      return changeFrom(path, answer);
    },
  };
}

// 422 is how the API server answers a `test` that does not hold. A policy that denies the change says so, too, with its
// own words in the message.
const CONFLICTS = new Set([409, 422]);

function changeFrom(path: string, answer: KubeAnswer): Change {
  const { status } = answer;
  if (CONFLICTS.has(status)) return { kind: 'conflict', status, message: refusalOf(path, answer).message };
  return { kind: 'changed', object: objectFrom(path, answer) };
}

function objectFrom(path: string, answer: KubeAnswer): JsonObject {
  if (answer.status !== 200) throw refusalOf(path, answer);
  if (isObject(answer.body)) return answer.body;
  throw new KubeError(`the API server sent no object for ${path}`, { code: 'garbage' });
}
