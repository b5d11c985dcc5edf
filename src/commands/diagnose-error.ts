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
  const log = fromStdin ? await io.readStdin() : words.join(' ');
  if (log.trim() === '') {
    io.stderr(`there is no error to explain: give the line in quotes, or pipe it in with diagnose error -\n`);
    return 2;
  }
  const causes = causesOf(log);
  io.stdout(output === 'json' ? `${JSON.stringify({ causes }, null, 2)}\n` : causesText(causes, paintWith(io.colour)));
  return causes[0]?.id === 'unknown' ? 0 : 1;
}

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
