// Manifests as text, read as the Kubernetes tools read them: parsed once into documents, whose objects are found also
// inside of lists. What is wrong is told with its line and what to do, all at once.
import type { Document, ScalarTag, Tags } from 'yaml';
import { isNode, LineCounter, parseAllDocuments } from 'yaml';
import type { AccountKey } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';
import type { ManifestProblem } from './manifest-problems.ts';
import { problemsOf, valueProblem } from './manifest-problems.ts';

export type Path = readonly (string | number)[];

/** One document of a file. */
export interface ManifestDocument {
  /** What it says, as JSON; nothing in it is shared, also where the text uses aliases. */
  readonly value: unknown;
  /** The text's tree, to find places by; JSON has none. */
  readonly tree: Document.Parsed | undefined;
  /** Offsets of the document in the text. */
  readonly start: number;
  readonly end: number;
  /** 1-based line of what is at a path of `value`; in JSON, of the document. */
  lineAt(path: Path): number;
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

// Of YAML 1.2, which is otherwise not read.
const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  format: 'OCT',
  test: /^0o[0-7]+$/,
  resolve: (text) => Number(text),
};

/** YAML 1.1 as sigs.k8s.io/yaml, kubectl's reader, takes it: 0644 and 0o644 are octal, but dates and 1:30 are text. */
export const YAML_OPTIONS = {
  version: '1.1',
  prettyErrors: false,
  customTags: (tags: Tags): Tags =>
    tags.filter((tag) => typeof tag === 'string' || (JSON_TAGS.test(tag.tag) && tag.format !== 'TIME')).concat(OCTAL),
} as const;

export function parseManifests(text: string): Manifests {
  // What PowerShell's > writes, read as UTF-8, has a NUL in every other place.
  if (text.includes('\0')) {
    const problem = { line: 1, cause: 'the file is not UTF-8 text', fix: 'save it as UTF-8' };
    return { documents: [], problems: [problem] };
  }
  const json = jsonDocuments(text);
  if (json !== undefined) return { documents: json, problems: [] };
  const lineCounter = new LineCounter();
  const lineOf = (offset: number): number => lineCounter.linePos(offset).line;
  const trees = parseAllDocuments(text, { ...YAML_OPTIONS, lineCounter });
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  for (const tree of trees) {
    const found = problemsOf({ tree, text, lineOf });
    problems.push(...found);
    if (found.length > 0) continue;
    try {
      const [start, , end] = tree.range;
      documents.push({ value: jsonOf(tree), tree, start, end, lineAt: (path) => lineOf(offsetAt(tree, path)) });
    } catch (error) {
      problems.push(valueProblem(error, lineOf(offsetAt(tree, []))));
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

/** Documents of JSON that follow each other, as kubectl prints and reads them; undefined where the text is none. */
function jsonDocuments(text: string): ManifestDocument[] | undefined {
  if (!/^\uFEFF?\s*[[{]/.test(text)) return undefined;
  const documents: ManifestDocument[] = [];
  let [start, line] = [text.startsWith('\uFEFF') ? 1 : 0, 1];
  try {
    // Inside of a document a comma stands between two objects, and a string holds no line end.
    for (const part of text.slice(start).split(/(?<=\})(?=\s*\n\s*\{)/)) {
      const documentLine = line + lineEndsIn(/^\s*/.exec(part)?.[0] ?? '');
      const end = start + part.length;
      documents.push({ value: JSON.parse(part), tree: undefined, start, end, lineAt: () => documentLine });
      start = end;
      line += lineEndsIn(part);
    }
    return documents;
  } catch {
    // It may be YAML in flow style; and where it is neither, YAML's error has the line.
    return undefined;
  }
}

function lineEndsIn(text: string): number {
  return text.split('\n').length - 1;
}

function offsetAt(tree: Document.Parsed, path: Path): number {
  const node = path.length === 0 ? tree.contents : tree.getIn(path, true);
  return (isNode(node) ? node.range?.[0] : undefined) ?? tree.contents?.range[0] ?? tree.range[0];
}
