// The manifests that a command was given with -f: read and parsed, or every reason why they cannot be.
import { isObject, ownField, ownString } from '../admission/json.ts';
import type { ManifestDocument } from '../kube/manifest-documents.ts';
import { parseManifests } from '../kube/manifest-documents.ts';
import { listManifests } from '../kube/manifest-files.ts';
import type { CommandIo } from './io.ts';

export interface Input {
  /** As given; `stdin` for `-`. */
  readonly name: string;
  readonly text: string;
  readonly documents: readonly ManifestDocument[];
}

export interface Inputs {
  readonly inputs: readonly Input[];
  /** A sentence each, with file, line, cause and fix. */
  readonly problems: readonly string[];
}

/** Of a directory, every manifest below it. */
export async function readInputs(files: readonly string[], io: CommandIo): Promise<Inputs> {
  const inputs: Input[] = [];
  const problems: string[] = [];
  if (files.length === 0) problems.push('no manifests given; name them with -f FILE, or pipe them in with -f -');

  async function read(file: string): Promise<void> {
    const name = file === '-' ? 'stdin' : file;
    try {
      const text = await (file === '-' ? io.readStdin() : io.readFile(file));
      const manifests = parseManifests(text);
      inputs.push({ name, text, documents: manifests.documents });
      problems.push(...manifests.problems.map(({ line, cause, fix }) => `${name}:${line}: ${cause}; ${fix}`));
      problems.push(...noManifest(name, manifests.documents));
    } catch (error) {
      if (ownString(error, 'code') !== 'EISDIR') problems.push(`${name}: ${readingProblem(error)}`);
      else for (const path of await pathsBelow(file)) await read(path);
    }
  }

  async function pathsBelow(directory: string): Promise<readonly string[]> {
    try {
      return await (io.listManifests ?? listManifests)(directory);
    } catch (error) {
      problems.push(`${directory}: ${readingProblem(error)}`);
      return [];
    }
  }

  for (const file of new Set(files)) await read(file);
  return { inputs, problems };
}

/** A text that holds no object of anything must not look like manifests without pods: what was piped went wrong. */
function noManifest(name: string, documents: readonly ManifestDocument[]): readonly string[] {
  // A template may render nothing between two `---`.
  const [first] = documents.filter(({ value }) => value !== null && value !== undefined);
  if (first === undefined || documents.some(({ value }) => isObject(value))) return [];
  const what = Array.isArray(first.value) ? 'a bare list' : 'plain text';
  return [`${name}:${first.lineAt([])}: this is ${what}, and no manifest; give objects of Kubernetes in YAML or JSON`];
}

function readingProblem(error: unknown): string {
  const code = ownString(error, 'code');
  if (code === 'ENOENT') return 'there is no such file; correct the path';
  if (code === 'EACCES' || code === 'EPERM') return 'it may not be read; give yourself the right to read it';
  return `it cannot be read: ${String(ownField(error, 'message') ?? error)}; give another file`;
}
