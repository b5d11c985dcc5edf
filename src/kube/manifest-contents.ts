// What a set of manifest files says that this program reads of a cluster. What is wrong with a file is said once per
// content, and it keeps what it said before.
import { createHash } from 'node:crypto';
import { accountFrom } from '../admission/annotations.ts';
import type { Account } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import { ownField, ownString } from '../admission/json.ts';
import type { NamespacePolicy } from '../admission/namespace-policy.ts';
import { namespacePolicyFrom } from '../admission/namespace-policy.ts';
import type { LogFields } from '../observe/log.ts';
import type { ManifestObject } from './manifest-documents.ts';
import { accountKeyFrom, namespaceOf, objectsOf, parseManifests } from './manifest-documents.ts';

/** By `namespace/name`, namespaces by name. */
export interface Contents {
  readonly accounts: ReadonlyMap<string, Account>;
  readonly namespaces: ReadonlyMap<string, NamespacePolicy>;
  /** The text under the key `config` of each ConfigMap that has one. */
  readonly configMaps: ReadonlyMap<string, string>;
}

export const NO_CONTENTS: Contents = { accounts: new Map(), namespaces: new Map(), configMaps: new Map() };

interface KnownFile {
  /** Of what was read last, good or not. */
  readonly version: string;
  readonly contents: Contents;
}

/** By path. */
export type KnownFiles = ReadonlyMap<string, KnownFile>;

export interface ReadingOptions {
  readonly annotationPrefix: string;
  readonly readFile: (path: string) => Promise<string>;
  /** Told file, line where there is one, and problem. */
  readonly refused: (fields: LogFields) => void;
}

/** The files as they are now; one whose content is the same is the same object as before. */
export async function readManifests(
  paths: readonly string[],
  known: KnownFiles,
  options: ReadingOptions,
): Promise<KnownFiles> {
  const files = new Map<string, KnownFile>();
  for (const file of paths) {
    const last = known.get(file);
    const { version, text, problem } = await contentOf(file, options.readFile);
    if (last?.version === version) {
      files.set(file, last);
    } else if (text === undefined) {
      options.refused({ file, problem });
      files.set(file, { version, contents: last?.contents ?? NO_CONTENTS });
    } else {
      files.set(file, { version, contents: contentsIn(file, text, options) ?? last?.contents ?? NO_CONTENTS });
    }
  }
  return files;
}

interface Content {
  readonly version: string;
  /** Undefined where the file cannot be read. */
  readonly text?: string;
  readonly problem?: string;
}

async function contentOf(file: string, readFile: (path: string) => Promise<string>): Promise<Content> {
  try {
    const text = await readFile(file);
    return { version: createHash('sha256').update(text).digest('base64'), text };
  } catch (error) {
    const problem = problemOf(error);
    return { version: problem, problem };
  }
}

/** Undefined where the text is refused. */
function contentsIn(file: string, text: string, { annotationPrefix, refused }: ReadingOptions): Contents | undefined {
  const { documents, problems } = parseManifests(text);
  for (const { line, cause, fix } of problems) refused({ file, line, problem: `${cause}; ${fix}` });
  if (problems.length > 0) return undefined;
  return contentsOf(
    documents.flatMap(({ value }) => objectsOf(value)),
    annotationPrefix,
  );
}

/** Of two objects with one name, the later one counts. */
export function contentsOf(manifests: readonly ManifestObject[], annotationPrefix: string): Contents {
  const accounts = new Map<string, Account>();
  const namespaces = new Map<string, NamespacePolicy>();
  const configMaps = new Map<string, string>();
  for (const manifest of manifests) {
    const { kind, object } = manifest;
    const metadata = ownField(object, 'metadata');
    const annotations = ownField(metadata, 'annotations');
    const name = ownString(metadata, 'name') ?? '';
    const key = accountKeyFrom(manifest);
    if (key !== undefined) accounts.set(keyOf(key), accountFrom(annotations, annotationPrefix));
    if (kind === 'Namespace') namespaces.set(name, namespacePolicyFrom(annotations, annotationPrefix));
    const config = kind === 'ConfigMap' ? ownString(ownField(object, 'data'), 'config') : undefined;
    if (config !== undefined) configMaps.set(keyOf({ namespace: namespaceOf(object), name }), config);
  }
  return { accounts, namespaces, configMaps };
}

/** Of two objects with one name the later file's counts, as when kubectl applies a directory. */
export function mergedContents(files: KnownFiles): Contents {
  const all = [...files.values()].map(({ contents }) => contents);
  return {
    accounts: new Map(all.flatMap(({ accounts }) => [...accounts])),
    namespaces: new Map(all.flatMap(({ namespaces }) => [...namespaces])),
    configMaps: new Map(all.flatMap(({ configMaps }) => [...configMaps])),
  };
}

export function problemOf(error: unknown): string {
  return String(ownField(error, 'message') ?? error);
}
