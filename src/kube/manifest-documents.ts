// Manifests as text, read as the Kubernetes tools read them: parsed once into documents, whose objects are found also
// inside of lists. What is wrong is told with its line and what to do, all at once.
import type { Document, Tags, YAMLError } from 'yaml';
import { isAlias, isNode, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { AccountKey } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';

export type Path = readonly (string | number)[];

/** One document of a file. */
export interface ManifestDocument {
  /** What it says, as JSON; nothing in it is shared, also where the text uses aliases. */
  readonly value: unknown;
  /** The text's tree, to find places by; a JSON file has none. */
  readonly tree: Document.Parsed | undefined;
  /** 1-based line of what is at a path of `value`; undefined in a JSON file. */
  lineAt(path: Path): number | undefined;
}

export interface ManifestProblem {
  /** 1-based. */
  readonly line: number;
  readonly cause: string;
  readonly fix: string;
}

/** Documents, or what keeps the text from being read as such. */
export interface Manifests {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly ManifestProblem[];
}

/** An object of Kubernetes' form, and where in its document it stands. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly object: JsonObject;
  readonly path: Path;
}

// Far more than people write, far less than what expands to gigabytes.
const MAX_ALIAS_COUNT = 10_000;
const JSON_TAGS = /^tag:yaml\.org,2002:(?:map|seq|str|null|bool|int|float|merge)$/;

/** YAML 1.1 as sigs.k8s.io/yaml, kubectl's reader, takes it: 0644 is octal, but dates and 1:30 are text. */
export const YAML_OPTIONS = {
  version: '1.1',
  prettyErrors: false,
  customTags: (tags: Tags): Tags =>
    tags.filter((tag) => typeof tag === 'string' || (JSON_TAGS.test(tag.tag) && tag.format !== 'TIME')),
} as const;

export function parseManifests(text: string): Manifests {
  // What PowerShell's > writes, read as UTF-8, has a NUL in every other place.
  if (text.includes('\0')) {
    const problem = { line: 1, cause: 'the file is not UTF-8 text', fix: 'save it as UTF-8' };
    return { documents: [], problems: [problem] };
  }
  const json = jsonFrom(text);
  if (json !== undefined) {
    return { documents: [{ value: json.value, tree: undefined, lineAt: () => undefined }], problems: [] };
  }
  const lineCounter = new LineCounter();
  const lineOf = (offset: number): number => lineCounter.linePos(offset).line;
  const trees = parseAllDocuments(text, { ...YAML_OPTIONS, lineCounter });
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  for (const tree of trees) {
    const found = problemsOf(tree, text, lineOf);
    problems.push(...found);
    if (found.length > 0) continue;
    try {
      documents.push({ value: jsonOf(tree), tree, lineAt: (path) => lineOf(offsetAt(tree, path)) });
    } catch (error) {
      const cause = String(ownField(error, 'message') ?? error);
      problems.push({ line: lineOf(offsetAt(tree, [])), cause: lowerFirst(cause), fix: 'write it without that alias' });
    }
  }
  return { documents, problems };
}

/** The value of a tree as JSON. Throws where aliases or merge keys cannot be resolved. */
export function jsonOf(tree: Document.Parsed): unknown {
  const value: unknown = tree.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  return JSON.parse(JSON.stringify(value));
}

/** The objects of a document's value; those of a `kind: List` instead of the list. */
export function objectsOf(value: unknown, path: Path = []): ManifestObject[] {
  const kind = ownString(value, 'kind') ?? '';
  const apiVersion = ownString(value, 'apiVersion') ?? '';
  if (!isObject(value) || kind === '' || apiVersion === '') return [];
  if (kind === 'List')
    return ownList(value, 'items').flatMap((item, index) => objectsOf(item, [...path, 'items', index]));
  return [{ apiVersion, kind, object: value, path }];
}

/** The namespace that an object gets when it is applied without --namespace. */
export function namespaceOf(object: JsonObject): string {
  const namespace = ownString(ownField(object, 'metadata'), 'namespace') ?? '';
  return namespace === '' ? 'default' : namespace;
}

/** The key of a ServiceAccount; undefined for every other object. */
export function accountKeyFrom({ apiVersion, kind, object }: ManifestObject): AccountKey | undefined {
  const name = ownString(ownField(object, 'metadata'), 'name') ?? '';
  if (apiVersion !== 'v1' || kind !== 'ServiceAccount' || name === '') return undefined;
  return { namespace: namespaceOf(object), name };
}

function jsonFrom(text: string): { readonly value: unknown } | undefined {
  if (!/^\uFEFF?\s*[[{]/.test(text)) return undefined;
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, '')) };
  } catch {
    // It may be YAML in flow style; and where it is neither, YAML's error has the line.
    return undefined;
  }
}

function problemsOf(tree: Document.Parsed, text: string, lineOf: (offset: number) => number): ManifestProblem[] {
  // After an error of syntax the parser guesses, and most of what it says then is a consequence.
  const errors = tree.errors.filter((error, index) => index === 0 || error.code === 'DUPLICATE_KEY');
  if (errors.length > 0) return errors.map((error) => ({ line: lineOf(error.pos[0]), ...adviceFor(error, text) }));
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

function adviceFor({ code, message, pos }: YAMLError, text: string): Pick<ManifestProblem, 'cause' | 'fix'> {
  // The parser takes the braces of a template for a value, and stumbles over what comes after them.
  const lines = text.slice(0, pos[1]).split('\n').slice(-2);
  if (lines.some((line) => line.includes('{{'))) {
    return { cause: 'this is a template, not YAML', fix: 'render it first, for example with helm template' };
  }
  if (code === 'TAB_AS_INDENT') return { cause: 'the line is indented with a tab', fix: 'indent it with spaces' };
  if (code === 'RESOURCE_EXHAUSTION') return { cause: 'it is nested too deeply', fix: 'nest less' };
  if (code === 'DUPLICATE_KEY') {
    const key = /^[^\s:]+/.exec(text.slice(pos[0]))?.[0] ?? '';
    return { cause: `the key ${key} is there twice in one mapping`, fix: 'keep one of them' };
  }
  return { cause: `not YAML: ${lowerFirst(message)}`, fix: 'correct the line, or the one before it' };
}

function offsetAt(tree: Document.Parsed, path: Path): number {
  const node = path.length === 0 ? tree.contents : tree.getIn(path, true);
  return (isNode(node) ? node.range?.[0] : undefined) ?? tree.contents?.range[0] ?? tree.range[0];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
