// Where pods are in manifests: a Pod is one, and a workload holds the template of its pods.
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField } from '../admission/json.ts';
import type { ManifestObject, Path } from '../kube/manifest-documents.ts';

export interface PodInManifest {
  readonly pod: JsonObject;
  /** Of the pod in the object. */
  readonly prefix: Path;
}

const TEMPLATE: Path = ['spec', 'template'];
// By API group: other groups have kinds of these names whose templates are no pods (Volcano's Job, for example).
const POD_PATHS: ReadonlyMap<string, Path> = new Map([
  ['Pod', []],
  ['apps/Deployment', TEMPLATE],
  ['apps/StatefulSet', TEMPLATE],
  ['apps/DaemonSet', TEMPLATE],
  ['apps/ReplicaSet', TEMPLATE],
  ['batch/Job', TEMPLATE],
  ['batch/CronJob', ['spec', 'jobTemplate', ...TEMPLATE]],
]);

/** The pod that an object is, or makes; undefined where it is neither. */
export function podIn({ apiVersion, kind, object }: ManifestObject): PodInManifest | undefined {
  const group = apiVersion.replace(/[^/]*$/, '');
  const prefix = POD_PATHS.get(group + kind);
  if (prefix === undefined) return undefined;
  let pod: unknown = object;
  for (const key of prefix) pod = ownField(pod, String(key));
  return isObject(pod) ? { pod, prefix } : undefined;
}
