// The standalone source: the manifests of a directory in the place of a cluster. What becomes
// unreadable keeps what it said last.
import { readFile as readFileFrom } from 'node:fs/promises';
import type { AccountKey, AccountLookup, LookupOptions } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import { ownString } from '../admission/json.ts';
import { ConfigError } from '../config-error.ts';
import type { Log, LogFields } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import { createLooks } from './looks.ts';
import type { Contents, KnownFiles } from './manifest-contents.ts';
import { mergedContents, NO_CONTENTS, problemOf, readManifests } from './manifest-contents.ts';
import { listManifests, setRealTimer, watchManifests } from './manifest-files.ts';

export interface ManifestSourceOptions {
  /** The value of --standalone. */
  readonly directory: string;
  readonly annotationPrefix: string;
  readonly log: Log;
  readonly recorder?: Pick<Recorder, 'reloadFailed' | 'observeCache'>;
  /** Told what the manifests say, after each change. */
  readonly onChange?: (contents: Contents) => void;
  /** Paths of the manifests below the directory. */
  readonly readDirectory?: (directory: string) => Promise<readonly string[]>;
  readonly readFile?: (path: string) => Promise<string>;
  /** Returns what ends the watch. */
  readonly watchDirectory?: (directory: string, changed: () => void) => () => void;
  /** Returns what cancels the timer. */
  readonly setTimer?: (run: () => void, delayMs: number) => () => void;
}

export interface ManifestSource {
  /** Rejects with ConfigError where the directory cannot be read. */
  ready(): Promise<void>;
  /** With `live`, and before an account is said not to be there, the directory is read again. */
  lookup(key: AccountKey, options: LookupOptions): Promise<AccountLookup>;
  /** What the manifests say now. */
  contents(): Contents;
  /** Number of ServiceAccounts. */
  size(): number;
  /** Resolves when nothing is read any more. */
  close(): Promise<void>;
}

/** Starts to read at once. */
export function createManifestSource(options: ManifestSourceOptions): ManifestSource {
  const { directory, annotationPrefix, log, recorder } = options;
  const { readDirectory = listManifests, watchDirectory = watchManifests, setTimer = setRealTimer } = options;
  const readFile = options.readFile ?? ((path: string) => readFileFrom(path, 'utf8'));
  let files: KnownFiles = new Map();
  let contents = NO_CONTENTS;
  let synced = false;
  let complaint: string | undefined;

  async function look(): Promise<void> {
    const found = await readManifests(await readDirectory(directory), files, { annotationPrefix, readFile, refused });
    complaint = undefined;
    if (synced && isSame(found, files)) return;
    files = found;
    contents = mergedContents(found);
    synced = true;
    log.info({ directory, files: files.size, serviceAccounts: contents.accounts.size }, 'manifests read');
    options.onChange?.(contents);
  }

  function refused(fields: LogFields): void {
    log.error(fields, 'manifest refused, its last good content stays');
    recorder?.reloadFailed('manifest');
  }

  /** Says once that the directory cannot be read any more, however often it is looked at. */
  function lost(error: unknown): void {
    const problem = problemOf(error);
    if (problem !== complaint) {
      log.error({ directory, problem }, 'manifests cannot be read, the last good ones stay');
      recorder?.reloadFailed('manifest');
    }
    complaint = problem;
  }

  async function lookAndTell(): Promise<void> {
    try {
      await look();
    } catch (error) {
      if (!synced) throw new ConfigError('unusable-file', [directoryProblem(directory, error)], { cause: error });
      lost(error);
    }
  }

  const looks = createLooks({ look: lookAndTell, watch: (changed) => watchDirectory(directory, changed), setTimer });
  recorder?.observeCache('serviceaccounts', () => ({
    size: contents.accounts.size,
    synced,
    secondsSinceLastByte: undefined,
  }));

  return {
    ready: async () => looks.first,
    async lookup(key, { live }) {
      if (!synced) return { kind: 'unknown', reason: 'not-synced' };
      const name = keyOf(key);
      if (live || !contents.accounts.has(name)) await looks.again();
      const account = contents.accounts.get(name);
      return account === undefined ? { kind: 'not-found' } : { kind: 'found', account };
    },
    contents: () => contents,
    size: () => contents.accounts.size,
    close: async () => looks.close(),
  };
}

function isSame(one: KnownFiles, other: KnownFiles): boolean {
  return one.size === other.size && [...one].every(([path, file]) => other.get(path) === file);
}

function directoryProblem(directory: string, error: unknown): string {
  const option = `--standalone=${JSON.stringify(directory)}`;
  const code = ownString(error, 'code');
  const advice = 'give a directory with manifests of ServiceAccounts, as in --standalone=examples';
  if (code === 'ENOENT') return `${option}: there is no such directory; ${advice}`;
  if (code === 'ENOTDIR') return `${option}: this is not a directory; ${advice}`;
  if (code === 'EACCES') return `${option}: the directory may not be read; give this user the right to read it`;
  return `${option}: the directory cannot be read (${problemOf(error)}); ${advice}`;
}
