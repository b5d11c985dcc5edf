// What is wrong with a manifest, in words of the person who wrote it: where, why, and what to do.
import type { Document, YAMLError } from 'yaml';
import { isAlias, isCollection, isNode, isScalar, visit } from 'yaml';
import { ownField } from '../admission/json.ts';

export interface ManifestProblem {
  /** 1-based. */
  readonly line: number;
  readonly cause: string;
  readonly fix: string;
}

export interface YamlText {
  readonly tree: Document.Parsed;
  /** Of the whole file. */
  readonly text: string;
  /** 1-based line of an offset. */
  readonly lineOf: (offset: number) => number;
}

/** What keeps a document from being read; empty where nothing does. */
export function problemsOf({ tree, text, lineOf }: YamlText): ManifestProblem[] {
  // After an error of syntax the parser guesses, and most of what it says then is a consequence.
  const errors = tree.errors.filter((error, index) => index === 0 || error.code === 'DUPLICATE_KEY');
  if (errors.length > 0) return errors.map((error) => syntaxProblem(error, { tree, text, lineOf }));
  const problems: ManifestProblem[] = [];
  const anchors = new Set<string>();
  visit(tree, {
    Node: (_key, node, ancestors) => {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        return;
      }
      const line = lineOf(node.range?.[0] ?? 0);
      const alias = `the alias *${node.source}`;
      if (!anchors.has(node.source)) {
        problems.push({ line, cause: `${alias} has no anchor before it`, fix: `put &${node.source} before it` });
      } else if (
        ancestors.some((ancestor) => isNode(ancestor) && !isAlias(ancestor) && ancestor.anchor === node.source)
      ) {
        problems.push({ line, cause: `${alias} stands inside of its own anchor`, fix: 'write the value instead' });
      }
    },
  });
  return problems;
}

/** What is wrong where a document's aliases and merge keys have no value. */
export function valueProblem(error: unknown, line: number): ManifestProblem {
  const cause = lowerFirst(String(ownField(error, 'message') ?? error));
  return { line, cause, fix: 'correct its aliases and merge keys' };
}

function syntaxProblem(
  { code, message, pos: [start, end] }: YAMLError,
  { tree, text, lineOf }: YamlText,
): ManifestProblem {
  const line = lineOf(start);
  // The parser takes the braces of a template for a value, and stumbles over it or what comes after it.
  const lineEnd = text.indexOf('\n', end);
  const lines = text
    .slice(0, lineEnd < 0 ? text.length : lineEnd)
    .split('\n')
    .slice(-2);
  if (lines.some((found) => found.includes('{{'))) {
    return { line, cause: 'this is a template, not YAML', fix: 'render it first, for example with helm template' };
  }
  if (code === 'TAB_AS_INDENT') return { line, cause: 'the line is indented with a tab', fix: 'indent it with spaces' };
  if (code === 'RESOURCE_EXHAUSTION') return { line, cause: 'it is nested too deeply', fix: 'nest less' };
  if (code === 'DUPLICATE_KEY') {
    const key = /^[^\s:]+/.exec(text.slice(start))?.[0] ?? '';
    return { line, cause: `the key ${key} is there twice in one mapping`, fix: 'keep one of them' };
  }
  const cause = `not YAML: ${lowerFirst(message)}`;
  if (code === 'MISSING_CHAR') {
    return { line: lineOf(openedAt(tree, start)), cause, fix: 'close what is opened on this line' };
  }
  return { line, cause, fix: 'correct the line, or the one before it' };
}

/** Offset of the quote or bracket that is not closed where it must be. */
function openedAt(tree: Document.Parsed, offset: number): number {
  let found = offset;
  visit(tree, {
    Node: (_key, node) => {
      const isOpen = isCollection(node)
        ? node.flow === true
        : isScalar(node) && node.type?.startsWith('QUOTE') === true;
      const [start, end] = node.range ?? [0, 0];
      if (isOpen && start <= offset && offset <= end) found = start;
    },
  });
  return found;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
