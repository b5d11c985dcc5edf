// `diagnose error`: the likely causes of one error of a pod's log, with the command that tells each from the others.
import type { Cause } from '../diagnosis/cause.ts';
import { causesOf } from '../diagnosis/error.ts';
import type { CommandIo, ExitCode } from './io.ts';
import type { Paint } from './paint.ts';
import { paintWith } from './paint.ts';

export interface DiagnoseErrorOptions {
  /** As the shell split the line; `-` alone is standard input. */
  readonly words: readonly string[];
  readonly output: 'text' | 'json';
}

export async function runDiagnoseError({ words, output }: DiagnoseErrorOptions, io: CommandIo): Promise<ExitCode> {
  const fromStdin = words.length === 1 && words[0] === '-';
  const log = fromStdin ? await logFrom(io) : words.join(' ');
  if (log.trim() === '') {
    io.stderr(`there is no error to explain: give the line in quotes, or pipe it in with diagnose error -\n`);
    return 2;
  }
  const causes = causesOf(log);
  // A log may hold a byte that is none of its encoding; where nothing was found, that is what keeps it from being read.
  if (fromStdin && causes[0]?.id === 'unknown' && /[\0\uFFFD]/.test(log)) {
    io.stderr(`the log is not text in UTF-8, nor in UTF-16 with its mark in front: pipe it in as one of these\n`);
    return 2;
  }
  io.stdout(output === 'json' ? `${JSON.stringify({ causes }, null, 2)}\n` : causesText(causes, paintWith(io.colour)));
  return causes[0]?.id === 'unknown' ? 0 : 1;
}

/** PowerShell writes UTF-16 into files, with a mark in front. */
async function logFrom(io: CommandIo): Promise<string> {
  if (io.readStdinBytes === undefined) return io.readStdin();
  const bytes = await io.readStdinBytes();
  const mark = [...bytes.subarray(0, 2)].join(' ');
  return new TextDecoder(ENCODINGS[mark] ?? 'utf-8').decode(bytes);
}

/** By U+FEFF in their order of bytes. */
const ENCODINGS: Readonly<Record<string, string>> = { '255 254': 'utf-16le', '254 255': 'utf-16be' };

function causesText(causes: readonly Cause[], paint: Paint): string {
  const parts = causes.map(
    ({ id, why, check, fix }, index) =>
      `${paint.bold(`${index + 1}. ${id}`)}\n   why:   ${why}\n   check: ${belowEachOther(check)}\n   fix:   ${belowEachOther(fix)}\n`,
  );
  const several = 'Each of these gives this error; most likely first. The checks tell them apart.\n\n';
  return (causes.length > 1 ? several : '') + parts.join('\n');
}

/** The command, and under it what is to be read: whoever takes the one with the mouse leaves the other. */
function belowEachOther(text: string): string {
  return text.replaceAll('\n', '\n          ');
}
