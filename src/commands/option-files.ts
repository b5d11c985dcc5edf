// Files that are named by an option: read, or one sentence that names option, file and what to do.
import { codeOf, messageOf } from '../admission/thrown.ts';
import { parsedJson } from '../aws/parsed-json.ts';
import { isRawToken, RAW_TOKEN } from '../aws/raw-token.ts';
import { ConfigError } from '../config-error.ts';
import type { CommandIo } from './io.ts';

export interface OptionFile {
  /** As in --policy. */
  readonly option: string;
  /** `-` is standard input. */
  readonly file: string;
  /** What is wanted, for whoever gives a file that is no text. */
  readonly form?: string;
}

/** Rejects with ConfigError `usage`, also where there is nothing to read in it. */
export async function readOption({ option, file, form }: OptionFile, io: CommandIo): Promise<string> {
  const text = await textOf({ option, file }, io);
  const given = `${option}=${JSON.stringify(file)}`;
  if (text.trim() === '') throw wrong(`${given}: it is empty; ${ANOTHER_FILE}`);
  // What PowerShell's > writes has a NUL in every other place; what is no UTF-8 at all was read as U+FFFD.
  if (/[\0\uFFFD]/.test(text))
    throw wrong(`${given}: it is not UTF-8 text; ${form === undefined ? AS_TEXT : `want ${form}`}`);
  return text;
}

const AS_TEXT = 'save it as that, or give another file';
const ANOTHER_FILE = 'give the path of a file, or - for standard input';

async function textOf({ option, file }: OptionFile, io: CommandIo): Promise<string> {
  try {
    return await (file === '-' ? io.readStdin() : io.readFile(file));
  } catch (error) {
    throw wrong(unreadable({ option, file }, error));
  }
}

function unreadable({ option, file }: OptionFile, error: unknown): string {
  if (isRawToken(file)) return `${option}: ${RAW_TOKEN}; ${ANOTHER_FILE}`;
  const code = codeOf(error);
  const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : messageOf(error);
  return `${option}=${JSON.stringify(file)}: ${why}; ${ANOTHER_FILE}`;
}

/** The same for a file of JSON. */
export async function readJsonOption(from: OptionFile, io: CommandIo): Promise<unknown> {
  const text = await readOption(from, io);
  try {
    return parsedJson(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw wrong(`${from.option}=${JSON.stringify(from.file)} is ${messageOf(error)}`);
  }
}

export function wrong(...problems: readonly string[]): ConfigError {
  return new ConfigError('usage', problems);
}
