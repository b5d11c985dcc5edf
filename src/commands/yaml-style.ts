// How the author of a YAML text indents, and new values written in that way.
import type { Document } from 'yaml';
import { isMap, isScalar, isSeq, stringify, visit } from 'yaml';

export interface YamlStyle {
  /** Columns from a key to the keys below it. */
  readonly step: number;
  /** Columns from a key to the dashes below it: 0 or the step. */
  readonly listStep: number;
  readonly lineEnd: '\n' | '\r\n';
}

/** What the first nested mapping and the first list of the text do. */
export function styleOf(text: string, tree: Document.Parsed): YamlStyle {
  let step: number | undefined;
  let listStep: number | undefined;
  visit(tree, {
    Pair: (_key, { key, value }) => {
      const isBlock = (isMap(value) || isSeq(value)) && value.flow !== true && value.items.length > 0;
      if (!isBlock || !isScalar(key)) return undefined;
      const columns = columnOf(text, value.range?.[0] ?? 0) - columnOf(text, key.range?.[0] ?? 0);
      if (isMap(value)) step ??= columns;
      else listStep ??= columns;
      return step !== undefined && listStep !== undefined ? visit.BREAK : undefined;
    },
  });
  const lineEnd = text.charAt(text.indexOf('\n') - 1) === '\r' ? '\r\n' : '\n';
  // Dashes are written a whole step to the right; or at the key's column, which yaml does for steps of two only.
  return listStep === 0 ? { step: 2, listStep, lineEnd } : { step: step ?? 2, listStep: step ?? 2, lineEnd };
}

export function columnOf(text: string, offset: number): number {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  // A byte order mark before the first line takes no column.
  return offset - (lineStart === 0 && text.startsWith('\uFEFF') ? 1 : lineStart);
}

/** The value as lines that begin at a column and end with a line end. */
export function blockText(value: unknown, column: number, { step, listStep, lineEnd }: YamlStyle): string {
  const text = stringify(value, { ...WRITING, indent: step, indentSeq: listStep > 0 });
  // Only the last line end is not the value's: a text may end with several.
  const lines = text.slice(0, -1).split('\n');
  return lines.map((line) => (line === '' ? '' : ' '.repeat(column) + line) + lineEnd).join('');
}

/** The value on one line, for the inside of brackets. */
export function flowText(value: unknown): string {
  return stringify(value, { ...WRITING, collectionStyle: 'flow', flowCollectionPadding: false }).trimEnd();
}

// Text that YAML 1.1 or 1.2 would take for something else is quoted; long lines, such as ARNs, are not folded.
const WRITING = { version: '1.1', compat: 'core', lineWidth: 0, aliasDuplicateObjects: false } as const;
