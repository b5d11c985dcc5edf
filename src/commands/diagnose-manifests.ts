// `diagnose manifests`: what is wrong with the identity of stored pods, from the manifests alone.
import { keyOf } from '../admission/identity.ts';
import type { Diagnosed, DiagnosisOptions } from './diagnose-inputs.ts';
import { diagnosed } from './diagnose-inputs.ts';
import { reportedFrom, reportJson, reportText } from './diagnose-report.ts';
import { readInputs } from './inputs.ts';
import type { CommandIo, ExitCode } from './io.ts';
import { withTypedLists } from './listed-manifests.ts';
import { formProblems } from './object-form.ts';
import { paintWith } from './paint.ts';
import { configMapIn } from './told.ts';

export interface DiagnoseManifestsOptions extends DiagnosisOptions {
  /** Paths; `-` is standard input. */
  readonly files: readonly string[];
  readonly output: 'text' | 'json';
}

export async function runDiagnoseManifests(options: DiagnoseManifestsOptions, io: CommandIo): Promise<ExitCode> {
  const read = await readInputs(options.files, io);
  const listed = withTypedLists(read.inputs);
  const configMap = configMapIn(listed.inputs, options);
  const wrong = [...read.problems, ...formProblems(listed.inputs), ...configMap.problems];
  if (wrong.length > 0) {
    for (const problem of wrong) io.stderr(`${problem}\n`);
    return 2;
  }
  const found = await diagnosed(listed, { ...options, entries: configMap.entries });
  for (const hint of hintsOf(found)) io.stderr(`${hint}\n`);
  // Of an empty pipe nothing can be said; a list of a kind that is empty says that there is none.
  if (isEmpty(found) && !['Pod', 'ServiceAccount'].some((kind) => listed.kinds.has(kind))) return 2;
  const problems = found.problems.map(reportedFrom);
  if (options.output === 'json') io.stdout(reportJson(problems));
  // Of nothing, "nothing is wrong" would be true and mean something else.
  else if (!isEmpty(found)) io.stdout(reportText(problems, paintWith(io.colour)));
  return problems.length > 0 ? 1 : 0;
}

function isEmpty({ pods, accounts }: Diagnosed): boolean {
  return pods.length === 0 && accounts.length === 0;
}

function hintsOf(found: Diagnosed): readonly string[] {
  const { pods } = found;
  if (isEmpty(found))
    return [
      'no pods and no ServiceAccounts in the manifests: nothing was checked; give what kubectl get pods,serviceaccounts -A -o yaml prints',
    ];
  if (pods.length === 0) return ['no pods in the manifests: only the ServiceAccounts were checked'];
  return pods
    .filter(({ serviceAccount }) => serviceAccount === undefined)
    .map(
      ({ object, account }) =>
        `${object}: ServiceAccount ${keyOf(account)} is not in the manifests and was not checked`,
    );
}
