// Files that are named by an option: read, or one sentence that names option, file and what to do.
import { codeOf, messageOf } from '../admission/thrown.ts';
import { ConfigError } from '../config-error.ts';
import type { CommandIo } from './io.ts';

export interface OptionFile {
  /** As in --policy. */
  readonly option: string;
  /** `-` is standard input. */
  readonly file: string;
}

/** Rejects with ConfigError `usage`. */
export async function readOption({ option, file }: OptionFile, io: CommandIo): Promise<string> {
  try {
    return await (file === '-' ? io.readStdin() : io.readFile(file));
  } catch (error) {
    throw wrong(unreadable({ option, file }, error));
  }
}

// Beginning of every JSON Web Token: a header that begins with {" in base64url, and its first dot.
const TOKEN = /^eyJ[\w-]*\./;

function unreadable({ option, file }: OptionFile, error: unknown): string {
  const fix = 'give the path of a file, or - for standard input';
  // A token is as good as the role that it stands for: it must not come into a log by being repeated here.
  if (TOKEN.test(file))
    return `${option}: this is a token itself, which everybody sees in the list of processes; ${fix}`;
  const code = codeOf(error);
  const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : messageOf(error);
  return `${option}=${JSON.stringify(file)}: ${why}; ${fix}`;
}

/** The same for a file of JSON. */
export async function readJsonOption(from: OptionFile, io: CommandIo): Promise<unknown> {
  const text = await readOption(from, io);
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw wrong(`${from.option}=${JSON.stringify(from.file)} is not JSON: ${messageOf(error)}`);
  }
}

export function wrong(...problems: readonly string[]): ConfigError {
  return new ConfigError('usage', problems);
}
