// `diagnose manifests`: what is wrong with the identity of stored pods, from the manifests alone.
import { accountProblems } from '../diagnosis/account.ts';
import type { PodFacts, Surrounding } from '../diagnosis/facts.ts';
import { nameOf, podFacts } from '../diagnosis/facts.ts';
import { inOrder, podProblems } from '../diagnosis/pod.ts';
import { PREDICTED } from '../diagnosis/predicted.ts';
import type { Problem } from '../diagnosis/problem.ts';
import { regionsOf, roleOf } from '../diagnosis/variables.ts';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField } from '../admission/json.ts';
import { keyOf } from '../admission/identity.ts';
import type { ManifestObject } from '../kube/manifest-documents.ts';
import { objectsOf } from '../kube/manifest-documents.ts';
import type { Input } from './inputs.ts';
import { readInputs } from './inputs.ts';
import type { CommandIo, ExitCode } from './io.ts';
import { withTypedLists } from './listed-manifests.ts';
import type { Paint } from './paint.ts';
import { paintWith } from './paint.ts';
import type { Told } from './told.ts';
import { configMapIn } from './told.ts';
import { verdictsOf } from './verdict.ts';

export interface DiagnoseManifestsOptions extends Told {
  /** Paths; `-` is standard input. */
  readonly files: readonly string[];
  readonly output: 'text' | 'json';
  readonly now: () => number;
}

export async function runDiagnoseManifests(options: DiagnoseManifestsOptions, io: CommandIo): Promise<ExitCode> {
  const read = await readInputs(options.files, io);
  const listed = withTypedLists(read.inputs);
  const configMap = configMapIn(listed.inputs, options);
  const wrong = [...read.problems, ...configMap.problems];
  if (wrong.length > 0) {
    for (const problem of wrong) io.stderr(`${problem}\n`);
    return 2;
  }
  const surrounding = surroundingIn(listed.inputs, listed.kinds, options);
  const verdicts = await verdictsOf(listed.inputs, { ...options, entries: configMap.entries });
  const pods = verdicts
    .filter(({ prefix }) => prefix.length === 0)
    .map(({ pod, account, decision }) =>
      podFacts({ pod, namespace: account.namespace, account, decision }, surrounding),
    );
  for (const hint of hintsOf(pods, surrounding)) io.stderr(`${hint}\n`);
  const problems = diagnosisOf(pods, surrounding);
  const paint = paintWith(io.colour);
  io.stdout(
    options.output === 'json'
      ? `${JSON.stringify({ problems: problems.map(withPrediction) }, null, 2)}\n`
      : problemsText(problems, paint),
  );
  return problems.length > 0 ? 1 : 0;
}

/** Of the pods and of every account that was given with them. */
export function diagnosisOf(pods: readonly PodFacts[], surrounding: Surrounding): readonly Problem[] {
  const { settings, surroundings, serviceAccounts } = surrounding;
  const accounts = serviceAccounts.flatMap((account) => {
    const own = pods.filter((pod) => keyOf(pod.account) === nameOf(account));
    const regions = own.flatMap(({ containers }) => containers.flatMap(regionsOf));
    const roles = own.flatMap(({ containers }) => containers.flatMap(roleOf));
    return accountProblems(account, { settings, regions: [surroundings.region ?? '', ...regions], roles });
  });
  return inOrder([...accounts, ...pods.flatMap(podProblems)]);
}

function surroundingIn(
  inputs: readonly Input[],
  kinds: ReadonlySet<string>,
  { settings, surroundings, now }: DiagnoseManifestsOptions,
): Surrounding {
  const manifests = inputs.flatMap(({ documents }) => documents.flatMap(({ value }) => objectsOf(value)));
  const ofKind = (kind: string): JsonObject[] =>
    manifests.filter((manifest) => manifest.kind === kind).map(({ object }) => object);
  const webhookConfigurations = ofKind('MutatingWebhookConfiguration');
  const isListed = kinds.has('MutatingWebhookConfiguration');
  const knownKeys = new Map(manifests.flatMap(keysIn));
  return {
    serviceAccounts: ofKind('ServiceAccount'),
    knowsEveryAccount: kinds.has('ServiceAccount'),
    namespaces: ofKind('Namespace'),
    // Of one that was given by itself, another may be there beside it.
    webhookConfigurations: isListed || webhookConfigurations.some(isOfPodIdentity) ? webhookConfigurations : undefined,
    settings,
    surroundings,
    keysOf: (reference) => knownKeys.get(reference),
    now: now(),
  };
}

function isOfPodIdentity(configuration: JsonObject): boolean {
  return /pod-?identity|iam-for-pods/i.test(JSON.stringify(configuration));
}

function keysIn({ kind, object }: ManifestObject): [reference: string, keys: readonly string[]][] {
  if (kind !== 'Secret' && kind !== 'ConfigMap') return [];
  const fields = [ownField(object, 'data'), ownField(object, 'stringData')].filter(isObject);
  return [[`${kind}/${nameOf(object)}`, fields.flatMap((field) => Object.keys(field))]];
}

function hintsOf(pods: readonly PodFacts[], { serviceAccounts }: Surrounding): readonly string[] {
  if (pods.length === 0 && serviceAccounts.length === 0)
    return ['no pods and no ServiceAccounts in the manifests: nothing was checked'];
  if (pods.length === 0) return ['no pods in the manifests: only the ServiceAccounts were checked'];
  return pods
    .filter(({ serviceAccount }) => serviceAccount === undefined)
    .map(
      ({ object, account }) =>
        `${object}: ServiceAccount ${keyOf(account)} is not in the manifests and was not checked`,
    );
}

function withPrediction(problem: Problem): Problem & { readonly predictedError: string } {
  return { ...problem, predictedError: PREDICTED[problem.id] };
}

function problemsText(problems: readonly Problem[], paint: Paint): string {
  if (problems.length === 0) return 'nothing is wrong with the identity of these pods\n';
  return problems
    .map(
      ({ id, severity, object, evidence, fix }) =>
        `${paint.bold(`${severity} ${id}`)}: ${object}\n   evidence: ${evidence}\n   in logs:  ${PREDICTED[id]}\n   fix:      ${fix}\n`,
    )
    .join('');
}
