// The operations of a patch as people read them: what is added, under the path where it is added, with what stands
// next to it.
import type { JsonObject } from '../admission/json.ts';
import { ownString } from '../admission/json.ts';
import type { Operation } from '../admission/patch.ts';
import type { Path } from '../kube/manifest-documents.ts';
import { printable } from './findings.ts';
import type { Paint } from './paint.ts';
import { blockText } from './yaml-style.ts';

export interface DiffOptions {
  readonly pod: JsonObject;
  readonly operations: readonly Operation[];
  /** Path of the pod in its manifest: `spec`, `template` for a Deployment. */
  readonly prefix: Path;
  readonly paint: Paint;
}

/** What is added to one field of an object. */
interface Addition {
  /** Of the object. */
  readonly path: readonly string[];
  readonly field: string;
  /** The field's list, where there is one; else the field is new. */
  readonly list: readonly unknown[] | undefined;
  readonly isPrepended: boolean;
  readonly added: readonly unknown[];
}

/** Lines in the form of a unified diff, with the path in the place of line numbers. */
export function diffText({ pod, operations, prefix, paint }: DiffOptions): string {
  const lines: string[] = [];
  let hunk: string | undefined;
  for (const addition of additionsOf(pod, operations)) {
    const header = headerOf(pod, prefix, addition.path);
    if (header !== hunk) lines.push(`@@ ${header} @@`);
    hunk = header;
    lines.push(...linesOf(addition));
  }
  const painted = (line: string): string =>
    line.startsWith('+') ? paint.green(line) : line.startsWith('@') ? paint.cyan(line) : line;
  return lines.map((line) => `${painted(printable(line))}\n`).join('');
}

function additionsOf(pod: JsonObject, operations: readonly Operation[]): Addition[] {
  const additions: Addition[] = [];
  for (const { path, value } of operations) {
    const keys = path.split('/').slice(1).map(unescaped);
    const list = valueAt(pod, keys.slice(0, -1));
    if (!Array.isArray(list)) {
      const field = keys.at(-1) ?? '';
      additions.push({ path: keys.slice(0, -1), field, list: undefined, isPrepended: false, added: [value] });
      continue;
    }
    const addition = { path: keys.slice(0, -2), field: keys.at(-2) ?? '', list, isPrepended: keys.at(-1) !== '-' };
    const last = additions.at(-1);
    if (last?.list === list) additions[additions.length - 1] = { ...last, added: [...last.added, value] };
    else additions.push({ ...addition, added: [value] });
  }
  return additions;
}

function linesOf({ field, list, isPrepended, added }: Addition): string[] {
  if (list === undefined) return signed('+', { [field]: added[0] });
  const items = signed('+', added, ITEM_COLUMN);
  const neighbour = list.length === 0 ? [] : signed(' ', [isPrepended ? list[0] : list.at(-1)], ITEM_COLUMN);
  return [` ${field}:`, ...(isPrepended ? [...items, ...neighbour] : [...neighbour, ...items])];
}

const ITEM_COLUMN = 2;

function signed(sign: '+' | ' ', value: unknown, column = 0): string[] {
  const text = blockText(value, column, { step: 2, listStep: ITEM_COLUMN, lineEnd: '\n' });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => sign + line);
}

/** `spec.containers[0] (app)`. */
function headerOf(pod: JsonObject, prefix: Path, path: readonly string[]): string {
  const keys = [...prefix, ...path].map(String);
  const text = keys.map((key) => (/^[0-9]+$/.test(key) ? `[${key}]` : `.${key}`)).join('');
  const name = ownString(valueAt(pod, path), 'name');
  return text.slice(1) + (name === undefined ? '' : ` (${name})`);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

function unescaped(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}
