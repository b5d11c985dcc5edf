// The grammar of the JSON Patch that the API server gets: `add` and nothing else, and never below a parent that is not
// there, because a patch that does not apply refuses the pod whatever the failurePolicy is (kube-apiserver's mutating
// dispatcher).

/** One operation of RFC 6902; the only kind this program emits. */
export interface Operation {
  readonly op: 'add';
  readonly path: string;
  readonly value: unknown;
}

/** A JSON Pointer (RFC 6901) from its unescaped segments. */
export function pointer(...segments: readonly (string | number)[]): string {
  return segments.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Whether items can be put into this field without replacing a value of the user's. */
export function isListOrAbsent(field: unknown): boolean {
  return field === undefined || field === null || Array.isArray(field);
}

/** Operations that append the items to the list at `path`, which is created where it is absent or null. */
export function appended(path: string, field: unknown, items: readonly unknown[]): Operation[] {
  if (items.length === 0) return [];
  if (!Array.isArray(field)) return [{ op: 'add', path, value: items }];
  return items.map((value) => ({ op: 'add', path: `${path}/-`, value }));
}

/** Operations that put the items before all others of the list at `path`, in the order given. */
export function prepended(path: string, field: unknown, items: readonly unknown[]): Operation[] {
  if (items.length === 0) return [];
  if (!Array.isArray(field)) return [{ op: 'add', path, value: items }];
  return items.map((value, index) => ({ op: 'add', path: `${path}/${index}`, value }));
}
