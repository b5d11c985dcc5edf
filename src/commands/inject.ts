// `inject`: manifests in, the same manifests out with the identity put in, decided by the server's own code.
import { keyOf } from '../admission/identity.ts';
import { diffText } from './diff.ts';
import { explainedJson, explainedPod, explainedText } from './explain.ts';
import { printable } from './findings.ts';
import type { Input } from './inputs.ts';
import { readInputs } from './inputs.ts';
import type { CommandIo, ExitCode } from './io.ts';
import { changesOf, manifestsJson, manifestsText } from './manifests-out.ts';
import type { Paint } from './paint.ts';
import { paintWith } from './paint.ts';
import type { Told } from './told.ts';
import { configMapIn } from './told.ts';
import type { Verdict } from './verdict.ts';
import { shortfallOf, verdictsOf } from './verdict.ts';

export interface InjectOptions extends Told {
  /** Paths; `-` is standard input. */
  readonly files: readonly string[];
  readonly diff: boolean;
  readonly explain: boolean;
  readonly output: 'text' | 'json';
  /** What flags ask for and no pod gets, a sentence each. */
  readonly warnings: readonly string[];
}

export async function runInject(options: InjectOptions, io: CommandIo): Promise<ExitCode> {
  const { inputs, problems } = await readInputs(options.files, io);
  const configMap = configMapIn(inputs, options);
  const wrong = [...optionProblems(options), ...problems, ...configMap.problems];
  if (wrong.length > 0) {
    for (const problem of wrong) io.stderr(`${problem}\n`);
    return 2;
  }
  for (const warning of options.warnings) io.stderr(`warning: ${warning}\n`);
  for (const refusal of configMap.refusals) io.stderr(`${refusal}\n`);
  const verdicts = await verdictsOf(inputs, { ...options, entries: configMap.entries });
  if (verdicts.length === 0) io.stderr('no pods in the manifests: nothing was decided\n');
  for (const verdict of verdicts) {
    const who = `${verdict.object} (${verdict.place})`;
    const shortfall = shortfallOf(verdict, options.settings);
    if (shortfall !== undefined) io.stderr(`${who}: ${shortfall}\n`);
    for (const warning of verdict.decision.warnings) io.stderr(`${who}: warning: ${warning}\n`);
  }
  io.stdout(outputOf(options, { inputs, verdicts }, io));
  return verdicts.some(({ decision: { kind } }) => kind === 'refuse' || kind === 'unknown') ? 1 : 0;
}

function optionProblems({ diff, explain, output }: InjectOptions): string[] {
  if (!diff || output !== 'json') return [];
  return [`--diff is for people; leave ${explain ? 'it' : '--output=json'} out, or use --explain --output=json`];
}

interface Decided {
  readonly inputs: readonly Input[];
  readonly verdicts: readonly Verdict[];
}

function outputOf({ diff, explain, output }: InjectOptions, { inputs, verdicts }: Decided, io: CommandIo): string {
  if (explain && output === 'json') return explainedJson(verdicts.map(explainedPod));
  if (explain || diff) {
    const table = explain ? explainedText(verdicts.map(explainedPod)) : '';
    const diffs = diff ? verdicts.map((verdict) => verdictDiff(verdict, paintWith(io.colour))) : [];
    return [table, ...diffs].filter((part) => part !== '').join('\n');
  }
  const changes = changesOf(verdicts);
  if (output === 'json') return manifestsJson(inputs, changes);
  const { text, notes } = manifestsText(inputs, changes);
  for (const note of notes) io.stderr(`${note}\n`);
  return text;
}

/** Empty where nothing is added. */
function verdictDiff({ object, place, pod, prefix, account, decision }: Verdict, paint: Paint): string {
  if (decision.kind !== 'patch') return '';
  const header = [`--- ${object} (${place})`, `+++ ${object} with the identity of ServiceAccount ${keyOf(account)}`];
  const lines = diffText({ pod, operations: decision.operations, prefix, paint });
  return header.map((line) => `${paint.bold(printable(line))}\n`).join('') + lines;
}
