// How the API server simulator changes an object: PUT by resourceVersion, PATCH by JSON Patch with its tests.
import jsonpatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';
import { isObject, ownField, ownString } from '../../src/admission/json.ts';
import type { ApiObject, ApiObjects } from './api-objects.ts';

export interface Write {
  readonly method: 'PUT' | 'PATCH';
  readonly collection: string;
  readonly key: string;
  /** Parsed JSON of the request. */
  readonly body: unknown;
}

export type Written =
  { readonly status: 200; readonly object: ApiObject } | { readonly status: 404 | 409 | 422; readonly message: string };

export function written(objects: ApiObjects, { method, collection, key, body }: Write): Written {
  const stored = objects.get(collection, key);
  if (stored === undefined) return { status: 404, message: `"${key}" not found` };
  if (method === 'PUT') {
    const object = body;
    if (!isApiObject(object)) throw new Error('a PUT without an object');
    if (object.metadata.resourceVersion !== stored.metadata.resourceVersion) {
      return { status: 409, message: 'the object has been modified; please apply your changes to the latest version' };
    }
    return { status: 200, object: objects.put(collection, object) };
  }
  try {
    const { newDocument } = jsonpatch.applyPatch(structuredClone(stored), operationsFrom(body), true);
    return { status: 200, object: objects.put(collection, newDocument) };
  } catch {
    return { status: 422, message: 'the server rejected our request due to an error in our request' };
  }
}

function isApiObject(body: unknown): body is ApiObject {
  return ownString(ownField(body, 'metadata'), 'name') !== undefined;
}

function operationsFrom(body: unknown): Operation[] {
  return Array.isArray(body) ? body.filter(isOperation) : [];
}

function isOperation(value: unknown): value is Operation {
  return isObject(value) && ownString(value, 'path') !== undefined;
}
