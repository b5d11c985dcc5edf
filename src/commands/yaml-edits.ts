// Where to write what, so that a YAML text says a new value: places found in the text's tree, text made for them. Only
// what is new is written; every other byte stays, with its comments, quotes and indentation.
import { isDeepStrictEqual } from 'node:util';
import type { Document, Pair, ParsedNode, YAMLMap, YAMLSeq } from 'yaml';
import { isAlias, isCollection, isMap, isPair, isScalar, isSeq } from 'yaml';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField } from '../admission/json.ts';
import type { YamlStyle } from './yaml-style.ts';
import { blockText, columnOf, flowText, styleOf } from './yaml-style.ts';

/** Puts text in the place of `length` characters from an offset on. */
export interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** A node, what it says and what it is to say: the same and more. */
interface Spot<N extends ParsedNode = ParsedNode> {
  readonly node: N;
  readonly before: unknown;
  readonly after: unknown;
  /** What it hangs on. */
  readonly below: 'document' | 'key' | 'dash' | 'bracket';
  /** Column and end offset of the key. */
  readonly keyColumn: number;
  readonly keyEnd: number;
}

interface Editor {
  readonly text: string;
  readonly style: YamlStyle;
  readonly edits: Edit[];
  /** What the anchors so far will say: an alias means the last one of its name before it. */
  readonly anchors: Map<string, unknown>;
}

/** The edits by which the document says `after`, which has all of `before`. An alias stays where it says the right thing. */
export function yamlEdits(text: string, tree: Document.Parsed, change: { before: unknown; after: unknown }): Edit[] {
  const editor: Editor = { text, style: styleOf(text, tree), edits: [], anchors: new Map() };
  if (tree.contents !== null) {
    write(editor, { ...change, node: tree.contents, below: 'document', keyColumn: 0, keyEnd: 0 });
  }
  return editor.edits;
}

function write(editor: Editor, spot: Spot): void {
  const { node, before, after } = spot;
  if (isAlias(node)) {
    const said = editor.anchors.has(node.source) ? editor.anchors.get(node.source) : before;
    if (!isDeepStrictEqual(said, after)) replace(editor, spot);
    return;
  }
  if (node.anchor !== undefined) editor.anchors.set(node.anchor, after);
  if (isMap(node) && node.items.length > 0) writeMap(editor, { ...spot, node });
  else if (isSeq(node) && node.items.length > 0) writeList(editor, { ...spot, node });
  else if (!isDeepStrictEqual(before, after)) replace(editor, spot);
}

function writeMap(editor: Editor, spot: Spot<YAMLMap.Parsed>): void {
  const { node, before, after } = spot;
  if (!isObject(after)) return;
  const inherited = inheritedFrom(editor, node.items.find(({ key }) => isMergeKey(key))?.value ?? null);
  const pairs = node.items.filter(({ key }) => !isMergeKey(key));
  const own = new Set(pairs.map(({ key }) => keyText(key)));
  // What comes in by a merge cannot be taken out again.
  if (Object.keys(inherited).some((key) => !own.has(key) && !Object.hasOwn(after, key))) return replace(editor, spot);

  for (const { key, value } of pairs) {
    const name = keyText(key);
    if (value === null) continue;
    const place = { below: node.flow === true ? 'bracket' : 'key', keyEnd: key.range[1] } as const;
    const keyColumn = columnOf(editor.text, key.range[0]);
    write(editor, { ...place, keyColumn, node: value, before: ownField(before, name), after: ownField(after, name) });
  }
  const isAdded = ([key, value]: [string, unknown]): boolean =>
    !own.has(key) && !(Object.hasOwn(inherited, key) && isDeepStrictEqual(inherited[key], value));
  addKeys(editor, node, Object.fromEntries(Object.entries(after).filter(isAdded)));
}

function addKeys({ text, style, edits }: Editor, node: YAMLMap.Parsed, added: JsonObject): void {
  if (Object.keys(added).length === 0) return;
  if (node.flow === true) {
    edits.push({ offset: endOf(node.items.at(-1), node), length: 0, text: `, ${flowText(added).slice(1, -1)}` });
    return;
  }
  // Of the last key: an anchor can stand before the first.
  const column = columnOf(text, node.items.at(-1)?.key.range[0] ?? node.range[0]);
  edits.push(newLines(text, endOf(node, node), blockText(added, column, style), column));
}

function writeList(editor: Editor, spot: Spot<YAMLSeq.Parsed>): void {
  const { node, keyColumn, keyEnd } = spot;
  const { text, style, edits } = editor;
  const [before, after] = [ownItems(spot.before), ownItems(spot.after)];
  const surplus = after.length - before.length;
  const isPrepended = surplus > 0 && !isDeepStrictEqual(after.slice(0, before.length), before);
  const shift = isPrepended ? surplus : 0;
  const added = isPrepended ? after.slice(0, surplus) : after.slice(before.length);
  const below = node.flow === true ? 'bracket' : 'dash';
  for (const [index, item] of node.items.entries()) {
    write(editor, { below, keyColumn: 0, keyEnd: 0, node: item, before: before[index], after: after[index + shift] });
  }
  if (added.length === 0) return;
  if (node.flow === true) {
    const items = flowText(added).slice(1, -1);
    if (isPrepended) edits.push({ offset: node.range[0] + 1, length: 0, text: `${items}, ` });
    else edits.push({ offset: endOf(node.items.at(-1), node), length: 0, text: `, ${items}` });
    return;
  }
  const column = columnOf(text, node.range[0]);
  const lines = blockText(added, column, style);
  // Before the first item means behind the key's line: comments between the two belong to that item.
  if (isPrepended) edits.push(newLines(text, keyEnd, lines));
  // Comments at the key's own column may belong to the next key.
  else edits.push(newLines(text, endOf(node, node), lines, column > keyColumn ? column : Infinity));
}

/** Writes the whole value anew in the node's place. */
function replace({ text, style, edits }: Editor, { node, after, below, keyColumn }: Spot): void {
  const start = node.range[0];
  const end = endOf(node, node);
  const flow = flowText(after);
  if (below === 'bracket' || flow === '[]' || flow === '{}') {
    const blank = /[\s[{]/.test(text.charAt(start - 1)) ? '' : ' ';
    edits.push({ offset: start, length: end - start, text: blank + flow });
  } else if (below === 'dash') {
    const column = columnOf(text, start);
    const lines = blockText(after, column, style).slice(column, -style.lineEnd.length);
    edits.push({ offset: start, length: end - start, text: lines });
  } else if (below === 'key') {
    const column = keyColumn + (Array.isArray(after) ? style.listStep : style.step);
    const blanks = start - text.slice(0, start).trimEnd().length;
    // An empty value has nothing to remove, but the blank before its comment must stay.
    if (end > start) edits.push({ offset: start - blanks, length: end - start + blanks, text: '' });
    edits.push(newLines(text, end, blockText(after, column, style)));
  }
}

/**
 * Lines behind the line of an offset, and behind the comments that follow it at `commentColumn` or to its right. The last
 * line of a text may lack its end.
 */
function newLines(text: string, offset: number, lines: string, commentColumn = Infinity): Edit {
  // A block scalar ends behind its last line's end.
  const lineEnd = text.charAt(offset - 1) === '\n' ? offset - 1 : text.indexOf('\n', offset);
  if (lineEnd < 0) {
    const ending = /\r?\n$/.exec(lines)?.[0] ?? '';
    return { offset: text.length, length: 0, text: ending + lines.slice(0, -ending.length) };
  }
  let position = lineEnd + 1;
  const comment = /( *)#.*\n/y;
  for (;;) {
    comment.lastIndex = position;
    const match = comment.exec(text);
    if (match === null || (match[1]?.length ?? 0) < commentColumn) return { offset: position, length: 0, text: lines };
    position = comment.lastIndex;
  }
}

/** Offset behind the last thing in the node, where comments may follow. */
function endOf(item: ParsedNode | Pair<ParsedNode, ParsedNode | null> | undefined, parent: ParsedNode): number {
  if (item === undefined) return parent.range[1];
  if (isPair(item)) return endOf(item.value ?? item.key, parent);
  if (!isCollection(item) || item.flow === true || item.items.length === 0) return item.range[1];
  return endOf(item.items.at(-1), item);
}

function isMergeKey(key: ParsedNode): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}

/** The key as JSON has it. */
function keyText(key: ParsedNode): string {
  if (!isScalar(key) || key.value === null) return '';
  return typeof key.value === 'string' ? key.value : JSON.stringify(key.value);
}

/** What a merge key brings in. */
function inheritedFrom({ anchors }: Editor, value: ParsedNode | null): JsonObject {
  const sources = isSeq(value) ? value.items : [value];
  let inherited: JsonObject = {};
  // The first of several sources wins.
  for (const source of sources.toReversed()) {
    const said = isAlias(source) ? anchors.get(source.source) : undefined;
    if (isObject(said)) inherited = { ...inherited, ...said };
  }
  return inherited;
}

function ownItems(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
