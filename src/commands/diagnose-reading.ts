// What `diagnose pod` reads of a cluster: the pods in question and what is around them, as if given by -f.
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';
import { serviceAccountNameOf } from '../admission/pod.ts';
import { messageOf } from '../admission/thrown.ts';
import { servicesOf } from '../diagnosis/registration.ts';
import { refusalOf } from '../kube/answer.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Input } from './inputs.ts';
import { wrong } from './option-files.ts';

export interface Reader {
  /** Undefined where there is none. */
  object(path: string): Promise<JsonObject | undefined>;
  /** As the API server's lists are, but with the kind on each item. */
  list(path: string, kind: string, apiVersion?: string): Promise<JsonObject[]>;
}

export function createReader(client: Pick<KubeClient, 'get'>): Reader {
  const { signal } = new AbortController();

  async function object(path: string): Promise<JsonObject | undefined> {
    const answer = await client.get(path, { signal });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200 || !isObject(answer.body)) throw refusalOf(path, answer);
    return answer.body;
  }

  async function list(path: string, kind: string, apiVersion = 'v1'): Promise<JsonObject[]> {
    const found = await object(path);
    return ownList(found, 'items')
      .filter(isObject)
      .map((item) => ({ apiVersion, kind, ...item }));
  }

  return { object, list };
}

export interface Target {
  readonly subject: 'pod' | 'serviceaccount';
  readonly namespace: string;
  readonly name: string;
}

export async function podsOf(cluster: Reader, { subject, namespace, name }: Target): Promise<readonly JsonObject[]> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  if (subject === 'serviceaccount') {
    const pods = await cluster.list(path, 'Pod');
    return pods.filter((pod) => serviceAccountNameOf(pod) === name && !isOver(pod));
  }
  const pod = await cluster.object(`${path}/${name}`);
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

export async function surroundingsOf(
  cluster: Reader,
  { namespace, pods, serviceAccount, withOthers, hint }: Near,
): Promise<object[]> {
  /** Not everybody may read what belongs to the whole cluster, and the rest can be said without. */
  async function ifAllowed<T>(reading: Promise<readonly T[]>): Promise<readonly T[]> {
    try {
      return await reading;
    } catch (error) {
      hint(`not checked: ${messageOf(error)}`);
      return [];
    }
  }
  const accounts = withOthers
    ? await cluster.list(`/api/v1/namespaces/${namespace}/serviceaccounts`, 'ServiceAccount')
    : [{ apiVersion: 'v1', kind: 'ServiceAccount', ...serviceAccount }];
  const namespaces = await ifAllowed(cluster.object(`/api/v1/namespaces/${namespace}`).then((found) => [found]));
  const group = 'admissionregistration.k8s.io/v1';
  const path = `/apis/${group}/mutatingwebhookconfigurations`;
  const registered = await ifAllowed(
    cluster
      .list(path, 'MutatingWebhookConfiguration', group)
      .then((items) => [{ apiVersion: group, kind: 'MutatingWebhookConfigurationList', items }]),
  );
  const configurations = registered.flatMap(({ items }) => items);
  const endpoints = await ifAllowed(endpointSlicesOf(cluster, servicesOf(configurations)).then((found) => [found]));
  return [
    ...pods,
    { apiVersion: 'v1', kind: 'ServiceAccountList', items: accounts },
    ...namespaces.map((found) => ({ apiVersion: 'v1', kind: 'Namespace', ...found })),
    ...registered,
    ...endpoints,
  ];
}

async function endpointSlicesOf(cluster: Reader, services: ReturnType<typeof servicesOf>): Promise<JsonObject> {
  const group = 'discovery.k8s.io/v1';
  const lists = services.map(async ({ namespace, name }) => {
    const query = new URLSearchParams({ labelSelector: `kubernetes.io/service-name=${name}` });
    return cluster.list(
      `/apis/${group}/namespaces/${namespace}/endpointslices?${query.toString()}`,
      'EndpointSlice',
      group,
    );
  });
  return { apiVersion: group, kind: 'EndpointSliceList', items: (await Promise.all(lists)).flat() };
}

/** The ConfigMap of roles, where the webhook reads one. */
export async function configMapOf(cluster: Reader, configMapNamespace: string | undefined): Promise<object[]> {
  if (configMapNamespace === undefined) return [];
  const found = await cluster.object(`/api/v1/namespaces/${configMapNamespace}/configmaps/pod-identity-webhook`);
  return [{ apiVersion: 'v1', kind: 'ConfigMap', ...found }];
}

/** As if it had been given by -f. */
export function inputOf(items: readonly object[]): Input {
  const value = { apiVersion: 'v1', kind: 'List', items };
  const document = { value, tree: undefined, start: 0, end: 0, lineAt: () => 1 };
  return { name: 'the cluster', text: '', documents: [document] };
}
