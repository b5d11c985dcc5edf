// What `diagnose pod` reads of a cluster: the pods in question and what is around them, as if given by -f.
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownString } from '../admission/json.ts';
import { serviceAccountNameOf } from '../admission/pod.ts';
import { nameOf } from '../diagnosis/facts.ts';
import { servicesOf } from '../diagnosis/registration.ts';
import { CONFIG_MAP } from '../identity/config-map-entries.ts';
import type { Reader } from './cluster-reader.ts';
import { pathIn } from './cluster-reader.ts';
import type { Input } from './inputs.ts';
import { wrong } from './option-files.ts';
import { orHint } from './or-hint.ts';
import { referencedKeys } from './referenced-keys.ts';

const REGISTRATION = 'admissionregistration.k8s.io/v1';
const DISCOVERY = 'discovery.k8s.io/v1';

export interface Target {
  readonly subject: 'pod' | 'serviceaccount';
  readonly namespace: string;
  readonly name: string;
}

export async function podsOf(cluster: Reader, { subject, namespace, name }: Target): Promise<readonly JsonObject[]> {
  if (subject === 'serviceaccount') {
    const pods = await cluster.list(pathIn(namespace, 'pods'), { kind: 'Pod' });
    return pods.filter((pod) => serviceAccountNameOf(pod) === name && !isOver(pod));
  }
  const pod = await cluster.object(pathIn(namespace, 'pods', name));
  if (pod === undefined) throw wrong(`"${namespace}/${name}": there is no such pod in the cluster`);
  return [{ apiVersion: 'v1', kind: 'Pod', ...pod }];
}

function isOver(pod: JsonObject): boolean {
  return ['Succeeded', 'Failed'].includes(ownString(ownField(pod, 'status'), 'phase') ?? '');
}

export function accountNameIn([pod]: readonly JsonObject[]): string {
  return pod === undefined ? 'default' : serviceAccountNameOf(pod);
}

export interface Near {
  readonly namespace: string;
  readonly pods: readonly JsonObject[];
  readonly serviceAccount: JsonObject | undefined;
  /** Other accounts matter only where this one has no role. */
  readonly withOthers: boolean;
  readonly hint: (sentence: string) => void;
}

export interface Surroundings {
  /** Everything, as if given by -f. */
  readonly items: readonly object[];
  /** Undefined where they may not be read. */
  readonly configurations: readonly JsonObject[] | undefined;
  /** Of the Services that those call, as far as they may be read. */
  readonly endpointSlices: readonly JsonObject[];
}

export async function surroundingsOf(
  cluster: Reader,
  { namespace, pods, serviceAccount, withOthers, hint }: Near,
): Promise<Surroundings> {
  const ifAllowed = async <T>(reading: Promise<T>): Promise<T | undefined> => orHint(reading, notChecked(hint));
  const own = serviceAccount === undefined ? [] : [{ apiVersion: 'v1', kind: 'ServiceAccount', ...serviceAccount }];
  const others = withOthers
    ? await ifAllowed(cluster.list(pathIn(namespace, 'serviceaccounts'), { kind: 'ServiceAccount' }))
    : undefined;
  // Which program runs as which account tells whether one of them was meant.
  const neighbours = withOthers ? await ifAllowed(cluster.list(pathIn(namespace, 'pods'), { kind: 'Pod' })) : undefined;
  const ofCluster = await ifAllowed(cluster.object(`/api/v1/namespaces/${encodeURIComponent(namespace)}`));
  const path = `/apis/${REGISTRATION}/mutatingwebhookconfigurations`;
  const kind = { kind: 'MutatingWebhookConfiguration', apiVersion: REGISTRATION };
  const configurations = await ifAllowed(cluster.list(path, kind));
  const endpointSlices = await ifAllowed(endpointSlicesOf(cluster, servicesOf(configurations ?? [])));
  return {
    items: [
      ...pods,
      ...(neighbours ?? []).filter((each) => !pods.some((pod) => nameOf(pod) === nameOf(each))),
      ...(await referencedKeys(cluster, { pods, namespace }, ifAllowed)),
      // Without a list nothing is said of accounts that are not in it.
      ...(others === undefined && withOthers ? own : listOf('ServiceAccount', 'v1', others ?? own)),
      ...(ofCluster === undefined ? [] : [{ apiVersion: 'v1', kind: 'Namespace', ...ofCluster }]),
      ...listOf('MutatingWebhookConfiguration', REGISTRATION, configurations),
      ...listOf('EndpointSlice', DISCOVERY, endpointSlices),
    ],
    configurations,
    endpointSlices: endpointSlices ?? [],
  };
}

/** An empty list says that there is none; what could not be read is no list. */
function listOf(kind: string, apiVersion: string, items: readonly JsonObject[] | undefined): object[] {
  return items === undefined ? [] : [{ apiVersion, kind: `${kind}List`, items }];
}

async function endpointSlicesOf(cluster: Reader, services: ReturnType<typeof servicesOf>): Promise<JsonObject[]> {
  const lists = services.map(async ({ namespace, name }) =>
    cluster.labelled(`/apis/${DISCOVERY}/namespaces/${encodeURIComponent(namespace)}/endpointslices`, {
      kind: 'EndpointSlice',
      apiVersion: DISCOVERY,
      label: `kubernetes.io/service-name=${name}`,
    }),
  );
  return (await Promise.all(lists)).flat();
}

/** The ConfigMap of roles, where the webhook reads one. */
export async function configMapOf(
  cluster: Reader,
  { namespace, hint }: { readonly namespace: string | undefined; readonly hint: (sentence: string) => void },
): Promise<object[]> {
  if (namespace === undefined) return [];
  const found = await orHint(cluster.object(pathIn(namespace, 'configmaps', CONFIG_MAP)), notChecked(hint));
  return found === undefined ? [] : [{ apiVersion: 'v1', kind: 'ConfigMap', ...found }];
}

/** Not everybody may read everything, and the rest can be said without. */
function notChecked(hint: (sentence: string) => void): (why: string) => void {
  return (why) => hint(`not checked: ${why}`);
}

/** As if it had been given by -f. */
export function inputOf(items: readonly object[]): Input {
  const value = { apiVersion: 'v1', kind: 'List', items };
  const document = { value, tree: undefined, start: 0, end: 0, lineAt: () => 1 };
  return { name: 'the cluster', text: '', documents: [document] };
}
