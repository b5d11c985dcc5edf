// The ServiceAccounts of a set of manifest files. What is wrong with a file is said once per content, and it keeps the
// accounts that it had.
import { createHash } from 'node:crypto';
import { accountFrom } from '../admission/annotations.ts';
import type { Account } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import { ownField } from '../admission/json.ts';
import type { LogFields } from '../observe/log.ts';
import { accountKeyFrom, objectsOf, parseManifests } from './manifest-documents.ts';

export type Accounts = ReadonlyMap<string, Account>;

interface KnownFile {
  /** Of what was read last, good or not. */
  readonly version: string;
  readonly accounts: Accounts;
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
export async function readAccounts(
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
      files.set(file, { version, accounts: last?.accounts ?? new Map() });
    } else {
      files.set(file, { version, accounts: accountsIn(file, text, options) ?? last?.accounts ?? new Map() });
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
function accountsIn(file: string, text: string, { annotationPrefix, refused }: ReadingOptions): Accounts | undefined {
  const { documents, problems } = parseManifests(text);
  for (const { line, cause, fix } of problems) refused({ file, line, problem: `${cause}; ${fix}` });
  if (problems.length > 0) return undefined;
  const accounts = new Map<string, Account>();
  for (const manifest of documents.flatMap(({ value }) => objectsOf(value))) {
    const key = accountKeyFrom(manifest);
    if (key === undefined) continue;
    const annotations = ownField(ownField(manifest.object, 'metadata'), 'annotations');
    accounts.set(keyOf(key), accountFrom(annotations, annotationPrefix));
  }
  return accounts;
}

/** All accounts: of two with one name the later file's counts, as when kubectl applies a directory. */
export function mergedAccounts(files: KnownFiles): Accounts {
  return new Map([...files.values()].flatMap(({ accounts }) => [...accounts]));
}

export function problemOf(error: unknown): string {
  return String(ownField(error, 'message') ?? error);
}
