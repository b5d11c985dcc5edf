// Reading parsed JSON that somebody else wrote. `constructor` and `__proto__` are legal keys of annotations, so every
// read asks for an own property.

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The own property, or undefined where the value is no object or has no such key. */
export function ownField(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The own property where it is a string, else undefined. */
export function ownString(value: unknown, key: string): string | undefined {
  const field = ownField(value, key);
  return typeof field === 'string' ? field : undefined;
}

/** The own property where it is a list, else an empty one. */
export function ownList(value: unknown, key: string): readonly unknown[] {
  const field = ownField(value, key);
  return Array.isArray(field) ? field : [];
}

/** The own property as Go's decoder finds it: in any case, and of several the last. */
export function goField(value: JsonObject, name: string): unknown {
  const key = Object.keys(value).findLast((candidate) => candidate.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : value[key];
}
