// README.md of the chart: what is written by hand, and a table of values made from values.yaml and its comments.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlias, isMap, isScalar, parseDocument, Scalar } from 'yaml';
import type { Node, Pair, YAMLMap } from 'yaml';
import { CHART } from './helm.ts';

interface Row {
  readonly key: string;
  readonly preset: string;
  readonly about: string;
}

const MARK = '-- ';

/** The text between the two marks of README.md. */
export function valuesTable(): string {
  const document = parseDocument(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  if (!isMap(document.contents)) throw new Error('values.yaml: want a map.');
  // The parser gives the comment above the first key to the map itself.
  const rows = rowsOf(document.contents, '');
  return [
    '| Value | Default | Meaning |',
    '| --- | --- | --- |',
    ...rows.map(({ key, preset, about }) => `| \`${key}\` | ${preset} | ${about} |`),
  ].join('\n');
}

/** A value with a comment of its own is a row; a map without one is looked into. */
function rowsOf(map: YAMLMap, path: string): Row[] {
  const [first] = map.items;
  return map.items.flatMap((pair) => {
    const key = `${path}${keyOf(pair)}`;
    const comment = commentOf(pair) ?? (pair === first ? (map.commentBefore ?? undefined) : undefined);
    const about = aboutOf(comment);
    if (about !== undefined) return [{ key, preset: presetOf(pair.value), about }];
    if (isMap(pair.value)) return rowsOf(pair.value, `${key}.`);
    throw new Error(`values.yaml: ${key} has no comment that begins with "# --".`);
  });
}

function keyOf(pair: Pair): string {
  if (!isScalar(pair.key)) throw new Error('values.yaml: want keys that are words.');
  return String(pair.key.value);
}

function commentOf(pair: Pair): string | undefined {
  return pair.key instanceof Scalar ? (pair.key.commentBefore ?? undefined) : undefined;
}

/** From the last mark on: what stands above it, apart, is about the file or a group. */
function aboutOf(comment: string | undefined): string | undefined {
  const at = comment?.lastIndexOf(` ${MARK}`) ?? -1;
  if (comment === undefined || at === -1) return undefined;
  return comment
    .slice(at + 1 + MARK.length)
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .replaceAll('|', '\\|');
}

function presetOf(value: unknown): string {
  if (isAlias(value)) throw new Error('values.yaml: want no aliases.');
  const plain: unknown = isNode(value) ? value.toJSON() : value;
  if (plain === null || plain === '') return '';
  return `\`${typeof plain === 'string' ? plain : JSON.stringify(plain)}\``.replaceAll('|', '\\|');
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'toJSON' in value;
}
