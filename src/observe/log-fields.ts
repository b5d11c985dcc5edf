// What may go into a log line: plain values of bounded size, whatever was handed in. A second line of defence, not the
// first: nobody hands in a pod, a token or a key.
import { types } from 'node:util';

// A role ARN has up to 2,048 characters (IAM), the longest value that is logged on purpose.
const MAX_CHARACTERS = 2_048;
const MAX_ITEMS = 32;
// An error with its cause and the cause's fields; nothing that is logged on purpose goes deeper.
const MAX_DEPTH = 4;
const WITHHELD = '[withheld]';

// A JSON Web Token (its header always begins with `{"`, which is `eyJ` in base64url) and a private key in PEM.
const SECRET = /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*-----)?/g;

/** A copy with bounded strings, lists and depth, and with errors as `{ message, code, stack, cause }`. */
export function boundedFields(fields: object): Record<string, unknown> {
  try {
    return boundedObject(fields, MAX_DEPTH);
  } catch (error) {
    // A getter or proxy that throws must not take the line with it, nor the request that wrote it.
    return { unloggable: types.isNativeError(error) ? error.message : 'fields' };
  }
}

function boundedObject(value: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(entries.map(([key, field]) => [boundedString(key), boundedValue(field, depth - 1)]));
}

function boundedValue(value: unknown, depth: number): unknown {
  if (value === null || value === undefined || typeof value === 'boolean') return value;
  if (typeof value === 'string') return boundedString(value);
  if (typeof value === 'object') return boundedThing(value, depth);
  // JSON has neither NaN nor Infinity, and null would hide which it was.
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return typeof value === 'bigint' ? boundedString(value.toString()) : `[${typeof value}]`;
}

function boundedThing(value: object, depth: number): unknown {
  if (types.isNativeError(value)) return boundedError(value, depth);
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  // Bytes are contents, and contents are not logged.
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth <= 0) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item: unknown) => boundedValue(item, depth - 1));
  return boundedObject(value, depth);
}

function boundedError(error: Error, depth: number): Record<string, unknown> {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    message: boundedString(error.message),
    ...(code === undefined ? {} : { code: boundedValue(code, 0) }),
    ...(error.stack === undefined ? {} : { stack: boundedString(error.stack) }),
    ...(error.cause === undefined || depth <= 0 ? {} : { cause: boundedValue(error.cause, depth - 1) }),
  };
}

function boundedString(value: string): string {
  const short = value.length > MAX_CHARACTERS ? `${value.slice(0, MAX_CHARACTERS - 1)}…` : value;
  // Shorter ones are neither: the shortest key (Ed25519) has 64 characters of base64.
  return short.length < 64 ? short : short.replace(SECRET, WITHHELD);
}
