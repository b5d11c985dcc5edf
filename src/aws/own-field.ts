// Reading parsed JSON of documents that somebody else publishes: own properties only, `constructor` is a legal key.

/** The own property where the value is an object that has it and it is a string that says something, else undefined. */
export function ownText(value: unknown, key: string): string | undefined {
  const field = ownField(value, key);
  return typeof field === 'string' && field !== '' ? field : undefined;
}

/** The own property, or undefined where the value is no object or has no such key. */
export function ownField(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}
