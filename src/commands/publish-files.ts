// How documents come into the directory that is uploaded: in one step each, and only where a directory can be.
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, messageOf } from '../admission/thrown.ts';
import { ConfigError } from '../config-error.ts';

/** In one step: whoever uploads at that moment has the old document or the new one. Rejects with ConfigError. */
export async function writeDocument(directory: string, path: string, document: unknown): Promise<void> {
  const file = join(directory, path);
  try {
    await makeDirectory(dirname(file));
    await writeFile(`${file}.new`, `${JSON.stringify(document, null, 2)}\n`);
    await rename(`${file}.new`, file);
  } catch (cause) {
    throw unusableDirectory(directory, cause);
  }
}

/** Not mkdir's own recursion: where a file system lets nobody make anything, as /proc, Node tries for ever. */
async function makeDirectory(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  // Of a working directory that was removed, the parent is itself.
  if (dirname(path) !== path) await makeDirectory(dirname(path));
  await mkdir(path).catch(async (error: unknown) => {
    // Somebody else may have made it in the meantime.
    if (!(await isDirectory(path))) throw error;
  });
}

/** Rejects where the path, or what it leads through, is something else. */
async function isDirectory(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  throw Object.assign(new Error(`${path} is a file`), { code: 'ENOTDIR' });
}

/** In one sentence, also where it is only read. */
export function unusableDirectory(directory: string, cause: unknown): ConfigError {
  const reason = REASONS[String(codeOf(cause))] ?? messageOf(cause);
  const problem = `--out=${JSON.stringify(directory)}: ${reason}; give a directory that you may write, as in --out=public`;
  return new ConfigError('usage', [problem], { cause });
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user has no right to it',
  EPERM: 'this user has no right to it',
  EROFS: 'its file system is read-only',
  ENOENT: 'no directory can be made there',
  EEXIST: 'there is a file in its place or on its way',
  ENOTDIR: 'there is a file in its place or on its way',
  EISDIR: 'there is a directory in the place of a document',
  ENAMETOOLONG: 'its name is too long',
};
