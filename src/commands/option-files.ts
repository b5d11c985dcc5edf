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
    const code = codeOf(error);
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : messageOf(error);
    throw wrong(`${option}=${JSON.stringify(file)}: ${why}; give the path of a file, or - for standard input`);
  }
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
