// A policy's text as JSON, with the keys that stand twice in one object: JSON.parse keeps the last of them and says nothing.

import { parsedJson } from './parsed-json.ts';

export type ParsedJson =
  | {
      readonly kind: 'json';
      readonly value: unknown;
      /** Where keys stand twice, as in Statement[0].Condition.StringEquals. */
      readonly duplicates: readonly string[];
    }
  /** `why`: `not JSON`, and where or why as far as that is known. */
  | { readonly kind: 'not-json'; readonly why: string };

interface ObjectFrame {
  readonly kind: 'object';
  readonly path: string;
  readonly keys: Set<string>;
  key: string;
  /** Whether the next string is a key. */
  wantsKey: boolean;
}

interface ListFrame {
  readonly kind: 'list';
  readonly path: string;
  index: number;
}

type Frame = ObjectFrame | ListFrame;

/** A policy has six levels; what is nested much deeper is none, and would exhaust the stack of whoever reads it. */
const MAX_DEPTH = 100;

export function parseJson(text: string): ParsedJson {
  // Editors on Windows put a mark in front, which JSON does not know.
  const bare = text.replace(/^\uFEFF/, '');
  try {
    const value = parsedJson(bare);
    const duplicates = duplicatesIn(bare);
    if (duplicates === undefined)
      return { kind: 'not-json', why: `not JSON: it is nested more than ${MAX_DEPTH} levels deep` };
    return { kind: 'json', value, duplicates };
  } catch (error) {
    return { kind: 'not-json', why: String(error).replace(/^SyntaxError: /, '') };
  }
}

/** The text is JSON: what is left to find are strings and brackets. Undefined where they are nested too deep. */
function duplicatesIn(json: string): readonly string[] | undefined {
  const duplicates = new Set<string>();
  const frames: Frame[] = [];
  for (const [token] of json.matchAll(/"(?:[^"\\]+|\\.)*"|[{}[\],]/g)) {
    if (frames.length > MAX_DEPTH) return undefined;
    const frame = frames.at(-1);
    if (token === '{') frames.push({ kind: 'object', path: pathIn(frame), keys: new Set(), key: '', wantsKey: true });
    else if (token === '[') frames.push({ kind: 'list', path: pathIn(frame), index: 0 });
    else if (token === '}' || token === ']') frames.pop();
    else if (token === ',') advance(frame);
    else if (frame?.kind === 'object' && frame.wantsKey) {
      frame.wantsKey = false;
      frame.key = String(JSON.parse(token));
      if (frame.keys.has(frame.key)) duplicates.add(pathIn(frame));
      frame.keys.add(frame.key);
    }
  }
  return [...duplicates];
}

function advance(frame: Frame | undefined): void {
  if (frame?.kind === 'list') frame.index += 1;
  else if (frame !== undefined) frame.wantsKey = true;
}

function pathIn(frame: Frame | undefined): string {
  if (frame === undefined) return '';
  if (frame.kind === 'list') return `${frame.path}[${frame.index}]`;
  return pathTo(frame.path, frame.key);
}

/** `Condition.StringEquals`, and with brackets where the key is more than a word. */
export function pathTo(path: string, key: string): string {
  if (!/^\w+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
