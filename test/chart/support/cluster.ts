// Helm and a real API server: no kubelet, so what is installed is stored and never runs.
import { startControlPlane } from '../../cluster/support/control-plane.ts';
import type { ControlPlane } from '../../cluster/support/control-plane.ts';
import type { JsonObject } from '../../../src/admission/json.ts';
import { isObject, ownList } from '../../../src/admission/json.ts';
import { CHART, runHelm } from './helm.ts';
import type { HelmName } from './helm.ts';

export interface ChartCluster extends ControlPlane {
  /** Runs helm as the administrator; throws what it says where it fails. */
  helm(name: HelmName, args: readonly string[], values?: object): string;
  install(name: HelmName, release: Release): string;
  upgrade(name: HelmName, release: Release, args?: readonly string[]): string;
  uninstall(name: HelmName, release: Omit<Release, 'values'>): string;
  /** The object as it is stored. */
  stored(...path: readonly string[]): Promise<JsonObject>;
  /** Every object of these kinds, as kind/namespace/name. */
  everything(): Promise<string[]>;
}

export interface Release {
  readonly release: string;
  readonly namespace: string;
  readonly values?: object;
}

const KINDS = [
  'serviceaccounts',
  'secrets',
  'configmaps',
  'services',
  'deployments',
  'pods',
  'poddisruptionbudgets',
  'networkpolicies',
  'leases',
  'roles',
  'rolebindings',
  'clusterroles',
  'clusterrolebindings',
  'mutatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
];

export async function startChartCluster(): Promise<ChartCluster> {
  const controlPlane = await startControlPlane();
  const { kubeconfig, kubectl } = controlPlane;
  const helm = (name: HelmName, args: readonly string[], values?: object): string => {
    const { status, stdout, stderr } = runHelm(name, args, { values, kubeconfig });
    if (status !== 0) throw new Error(stderr.trim());
    return stdout;
  };
  return {
    ...controlPlane,
    helm,
    install: (name, { release, namespace, values }) =>
      helm(name, ['install', release, CHART, `--namespace=${namespace}`, '--create-namespace'], values),
    upgrade: (name, { release, namespace, values }, args = []) =>
      helm(name, ['upgrade', release, CHART, `--namespace=${namespace}`, '--reset-values', ...args], values ?? {}),
    uninstall: (name, { release, namespace }) => helm(name, ['uninstall', release, `--namespace=${namespace}`]),
    stored: async (...path) => {
      const object: unknown = JSON.parse(await kubectl(['get', ...path, '-o', 'json']));
      if (!isObject(object)) throw new Error('kubectl printed no object.');
      return object;
    },
    everything: async () => {
      const list: unknown = JSON.parse(await kubectl(['get', KINDS.join(','), '--all-namespaces', '-o', 'json']));
      return ownList(list, 'items').map(idOfStored).toSorted();
    },
  };
}

function idOfStored(object: unknown): string {
  if (!isObject(object) || !isObject(object['metadata'])) throw new Error('kubectl printed no object.');
  const { namespace, name } = object['metadata'];
  return [object['kind'], ...(namespace === undefined ? [] : [namespace]), name].map(String).join('/');
}
