// Reading what was thrown. By fields: `instanceof Error` is false for errors of another realm, which Jest's are.
import { ownField, ownString } from './json.ts';

export function messageOf(error: unknown): string {
  return ownString(error, 'message') ?? String(error);
}

/** `ENOENT` and the like, or the code of an error of ours. */
export function codeOf(error: unknown): unknown {
  return ownField(error, 'code');
}
