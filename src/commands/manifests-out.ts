// The manifests that came in, with the identity in their pods: as they were written, or as one JSON List.
import jsonpatch from 'fast-json-patch';
import { pointer } from '../admission/patch.ts';
import { objectsOf } from '../kube/manifest-documents.ts';
import type { ManifestDocument } from '../kube/manifest-documents.ts';
import type { Input } from './inputs.ts';
import type { Verdict } from './verdict.ts';
import type { Change } from './write-back.ts';
import { writeBack } from './write-back.ts';

/** The documents that the verdicts change, each with its new value. */
export function changesOf(verdicts: readonly Verdict[]): Change[] {
  const values = new Map<ManifestDocument, unknown>();
  for (const { document, path, prefix, decision } of verdicts) {
    if (decision.kind !== 'patch') continue;
    if (!values.has(document)) values.set(document, copied(document.value));
    const root = pointer(...path, ...prefix);
    const operations = decision.operations.map(({ op, path: place, value }) => ({
      op,
      path: root + place,
      value: copied(value),
    }));
    jsonpatch.applyPatch(values.get(document), operations);
  }
  return [...values].map(([document, after]) => ({ document, after }));
}

export interface ManifestsText {
  /** All inputs, one after the other. */
  readonly text: string;
  /** What the reader must know of it, a sentence each. */
  readonly notes: readonly string[];
}

export function manifestsText(inputs: readonly Input[], changes: readonly Change[]): ManifestsText {
  const notes: string[] = [];
  let text = '';
  let previous: Input | undefined;
  for (const input of inputs) {
    const own = new Set(input.documents);
    const changed = changes.filter(({ document }) => own.has(document));
    const written = writeBack(input.text, changed);
    for (const document of written.printedAnew) {
      const place = `${input.name}:${document.lineAt([])}`;
      notes.push(`${place}: printed anew, without its comments: the identity could not be added in place`);
    }
    // A byte order mark may only begin a text.
    if (previous === undefined) text = written.text;
    else text += separatorOf(previous, input) + written.text.replace(/^\uFEFF/, '');
    previous = input;
  }
  return { text, notes };
}

/** One List of all objects; what is no object of Kubernetes cannot be in it. */
export function manifestsJson(inputs: readonly Input[], changes: readonly Change[]): string {
  const after = new Map(changes.map((change) => [change.document, change.after]));
  const values = inputs.flatMap(({ documents }) =>
    documents.map((document) => (after.has(document) ? after.get(document) : document.value)),
  );
  const items = values.flatMap((value) => objectsOf(value)).map(({ object }) => object);
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`;
}

function separatorOf(previous: Input, next: Input): string {
  const lineEnd = previous.text === '' || previous.text.endsWith('\n') ? '' : '\n';
  // kubectl reads JSON documents that simply follow each other.
  const isUnmarked = (isJson(previous) && isJson(next)) || /^\uFEFF?---\s/.test(next.text);
  return isUnmarked ? lineEnd : `${lineEnd}---\n`;
}

function isJson({ documents }: Input): boolean {
  return documents.length > 0 && documents.every(({ tree }) => tree === undefined);
}

/** A copy that shares nothing, so that a patch of one container changes no other. */
function copied(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json));
}
