// The pods among some manifests, and what is wrong with their identity: the rules of diagnosis/ and the decision of the
// server's own code.
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownString } from '../admission/json.ts';
import { containersOf } from '../admission/pod.ts';
import { accountProblems } from '../diagnosis/account.ts';
import type { PodFacts, Surrounding } from '../diagnosis/facts.ts';
import { nameOf, podFacts } from '../diagnosis/facts.ts';
import { inOrder, podProblems } from '../diagnosis/pod.ts';
import type { Problem } from '../diagnosis/problem.ts';
import { identityWebhooks } from '../diagnosis/registration.ts';
import { regionsOf, roleOf } from '../diagnosis/variables.ts';
import type { ConfigMapEntry } from '../identity/config-map-entries.ts';
import type { ManifestObject } from '../kube/manifest-documents.ts';
import { objectsOf } from '../kube/manifest-documents.ts';
import type { Listed } from './listed-manifests.ts';
import type { Told } from './told.ts';
import { verdictsOf } from './verdict.ts';

export interface DiagnosisOptions extends Told {
  readonly now: () => number;
  /** Whether somebody asks about these pods, not about all that there are. Default: where one account has them all. */
  readonly isAsked?: boolean;
}

export interface Diagnosed {
  readonly pods: readonly PodFacts[];
  readonly accounts: readonly JsonObject[];
  readonly problems: readonly Problem[];
}

export async function diagnosed(
  listed: Listed,
  options: DiagnosisOptions & { readonly entries: readonly ConfigMapEntry[] },
): Promise<Diagnosed> {
  const verdicts = await verdictsOf(listed.inputs, options);
  const ofPods = verdicts.filter(({ prefix }) => prefix.length === 0);
  const surrounding = { ...surroundingIn(listed, options), imagesByAccount: imagesByAccount(ofPods) };
  const pods = ofPods.map(({ pod, account, decision }) =>
    podFacts({ pod, namespace: account.namespace, account, decision }, surrounding),
  );
  return { pods, accounts: surrounding.serviceAccounts, problems: problemsOf(pods, surrounding) };
}

/** Of the pods and of every account that was given with them. */
function problemsOf(pods: readonly PodFacts[], surrounding: Surrounding): readonly Problem[] {
  const { settings, surroundings, serviceAccounts } = surrounding;
  const accounts = serviceAccounts.flatMap((account) => {
    const own = pods.filter((pod) => keyOf(pod.account) === nameOf(account));
    const regions = own.flatMap(({ containers }) => containers.flatMap(regionsOf));
    const roles = own.flatMap(({ containers }) => containers.flatMap(roleOf));
    return accountProblems(account, { settings, regions: [surroundings.region ?? '', ...regions], roles });
  });
  return inOrder([...accounts, ...pods.flatMap(podProblems)]);
}

function imagesByAccount(
  pods: readonly { readonly pod: JsonObject; readonly account: AccountKey }[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const images = new Map<string, Set<string>>();
  for (const { pod, account } of pods) {
    const known = images.get(keyOf(account)) ?? new Set();
    for (const { container } of containersOf(pod)) known.add(ownString(container, 'image') ?? '');
    images.set(keyOf(account), known);
  }
  return images;
}

function surroundingIn(
  { inputs, kinds }: Listed,
  { settings, surroundings, now, isAsked = false }: DiagnosisOptions,
): Omit<Surrounding, 'imagesByAccount'> {
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
    webhookConfigurations:
      isListed || identityWebhooks(webhookConfigurations).length > 0 ? webhookConfigurations : undefined,
    endpointSlices: kinds.has('EndpointSlice') ? ofKind('EndpointSlice') : undefined,
    settings,
    surroundings,
    isAsked,
    keysOf: (reference) => knownKeys.get(reference),
    now: now(),
  };
}

function keysIn({ kind, object }: ManifestObject): [reference: string, keys: readonly string[]][] {
  if (kind !== 'Secret' && kind !== 'ConfigMap') return [];
  const fields = [ownField(object, 'data'), ownField(object, 'stringData')].filter(isObject);
  return [[`${kind}/${nameOf(object)}`, fields.flatMap((field) => Object.keys(field))]];
}
