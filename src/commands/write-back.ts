// Manifests with new values put into their text. What was written is read again and compared: a text that does not say
// what it must is never given out.
import { isDeepStrictEqual } from 'node:util';
import type { Document } from 'yaml';
import { parseDocument } from 'yaml';
import type { ManifestDocument } from '../kube/manifest-documents.ts';
import { jsonOf, YAML_OPTIONS } from '../kube/manifest-documents.ts';
import type { Edit } from './yaml-edits.ts';
import { yamlEdits } from './yaml-edits.ts';
import { blockText, styleOf } from './yaml-style.ts';

export interface Change {
  readonly document: ManifestDocument;
  /** All that the document's value has, and more. */
  readonly after: unknown;
}

export interface WrittenBack {
  readonly text: string;
  /** Documents that had to be printed anew, without the comments inside. */
  readonly printedAnew: readonly ManifestDocument[];
}

export function writeBack(text: string, changes: readonly Change[]): WrittenBack {
  const edits: Edit[] = [];
  const printedAnew: ManifestDocument[] = [];
  for (const { document, after } of changes) {
    const { tree, value, start, end } = document;
    if (tree === undefined) {
      edits.push({ offset: start, length: end - start, text: jsonLike(text.slice(start, end), after) });
      continue;
    }
    const found = yamlEdits(text, tree, { before: value, after });
    if (says(tree, edited(text, found, [start, end]), after)) {
      edits.push(...found);
    } else {
      edits.push(anew(text, tree, after));
      printedAnew.push(document);
    }
  }
  return { text: edited(text, edits, [0, text.length]), printedAnew };
}

/** Whether the part of the text that holds the document still does, and says the value. */
function says(tree: Document.Parsed, part: string, after: unknown): boolean {
  const again = parseDocument(part, { ...YAML_OPTIONS, version: tree.directives.yaml.version });
  try {
    return again.errors.length === 0 && isDeepStrictEqual(jsonOf(again), after);
  } catch {
    // An alias has lost its anchor.
    return false;
  }
}

/** The whole document in place of what it was; comments before and behind it stay. */
function anew(text: string, tree: Document.Parsed, after: unknown): Edit {
  const style = styleOf(text, tree);
  const [start, end] = [tree.contents?.range[0] ?? tree.range[0], tree.range[1]];
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const isWholeLine = text.slice(lineStart, start).trim() === '';
  const offset = isWholeLine ? lineStart : start;
  const lines = blockText(after, 0, style);
  return { offset, length: end - offset, text: isWholeLine ? lines : style.lineEnd + lines };
}

/** The edits applied to the part of the text between two offsets. */
function edited(text: string, edits: readonly Edit[], [start, end]: readonly [number, number]): string {
  let result = '';
  let position = start;
  for (const { offset, length, text: added } of edits.toSorted((one, other) => one.offset - other.offset)) {
    result += text.slice(position, offset) + added;
    position = offset + length;
  }
  return result + text.slice(position, end);
}

/** JSON with the indentation and the blanks around it of the text. */
function jsonLike(text: string, value: unknown): string {
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '';
  const before = text.slice(0, text.length - text.trimStart().length);
  const behind = text.slice(text.trimEnd().length);
  return before + JSON.stringify(value, null, indent) + behind;
}
