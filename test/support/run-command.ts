// One run of a command as main.ts would do it: from its arguments to what it wrote and its exit code.
import { parseCommandLine } from '../../src/cli.ts';
import type { CommandRunner } from '../../src/command-runners.ts';
import { ConfigError } from '../../src/config-error.ts';
import { createTestIo } from './command-io.ts';
import type { Outcome } from './golden.ts';

export interface CommandArguments {
  readonly args: readonly string[];
  /** By name; - is standard input. */
  readonly files?: Readonly<Record<string, string>>;
}

/** What is wrong use is on stderr, with exit code 2. */
export async function runCommand(run: CommandRunner, { args, files = {} }: CommandArguments): Promise<Outcome> {
  const io = createTestIo(files);
  try {
    const line = parseCommandLine(args, {});
    if (line.kind !== 'run') throw new Error(`want a run, got ${line.kind}`);
    const exit = await run({ flags: line.flags, operands: line.operands, io });
    return { ...io.written(), exit };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { out, err } = io.written();
    return { out, err: err + error.problems.map((problem) => `${problem}\n`).join(''), exit: 2 };
  }
}
