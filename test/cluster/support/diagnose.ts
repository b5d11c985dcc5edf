// `diagnose pod` in this process, on the cluster of a test: the same code as the program's, and what it has written.
import { readFile } from 'node:fs/promises';
import { parseCommandLine } from '../../../src/cli.ts';
import { RUNNERS } from '../../../src/command-runners.ts';
import { ownList, ownString } from '../../../src/admission/json.ts';
import { createTestIo } from '../../support/command-io.ts';

export interface Diagnosis {
  readonly ids: readonly string[];
  readonly problems: readonly unknown[];
  /** What could not be checked. */
  readonly hints: readonly string[];
  readonly exit: number;
}

/** Asks nobody outside of this machine: --sts-endpoint is none unless given. */
export async function diagnose(
  target: string,
  { kubeconfig, args = [] }: { readonly kubeconfig: string; readonly args?: readonly string[] },
): Promise<Diagnosis> {
  const own = args.some((each) => each.startsWith('--sts-endpoint')) ? [] : ['--sts-endpoint=none'];
  const command = ['diagnose', 'pod', target, `--kubeconfig=${kubeconfig}`, '--output=json', ...own, ...args];
  const commandLine = parseCommandLine(command, {});
  if (commandLine.kind !== 'run') throw new Error(`want a run, got ${JSON.stringify(commandLine)}`);
  const io = { ...createTestIo({}), readFile: async (path: string) => readFile(path, 'utf8') };
  const exit = await RUNNERS['diagnose pod']({ ...commandLine, io });
  const { out, err } = io.written();
  const problems = ownList(JSON.parse(out), 'problems');
  return {
    problems,
    ids: problems.map((problem) => ownString(problem, 'id') ?? ''),
    hints: err.split('\n').slice(0, -1),
    exit,
  };
}
