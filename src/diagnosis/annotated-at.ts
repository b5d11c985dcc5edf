// When a ServiceAccount got its role, as far as its own metadata tells.
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownList, ownString } from '../admission/json.ts';

export interface AnnotatedAt {
  /** RFC 3339. */
  readonly time: string;
  /** What happened then, in words. */
  readonly what: string;
}

/** Not before this; undefined where nothing is known. */
export function annotatedAt(account: JsonObject | undefined, key: string): AnnotatedAt | undefined {
  const metadata = ownField(account, 'metadata');
  // A manager's entry has the time of its last change, so that it may be later than the annotation.
  const setters = ownList(metadata, 'managedFields').filter((entry) => setsAnnotation(entry, key));
  const time = setters.length === 1 ? ownString(setters[0], 'time') : undefined;
  if (time !== undefined) return { time, what: `the annotation ${key}` };
  const created = ownString(metadata, 'creationTimestamp');
  return created === undefined ? undefined : { time: created, what: 'the creation' };
}

function setsAnnotation(entry: unknown, key: string): boolean {
  const annotations = ownField(ownField(ownField(entry, 'fieldsV1'), 'f:metadata'), 'f:annotations');
  return ownField(annotations, `f:${key}`) !== undefined;
}
