// Whose pod it is, and the command that creates it again; nothing else gives a stored pod what it lacks.
import type { PodFault } from '../admission/audit.ts';
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownList, ownString } from '../admission/json.ts';
import { shellWord } from '../aws/shell-word.ts';

export interface Owner {
  /** `Deployment/web`. */
  readonly name: string;
  /** What restarts it. */
  readonly restart: string;
}

/** Whose pods a rollout replaces. */
const ROLLED_OUT = ['Deployment', 'StatefulSet', 'DaemonSet'];

/** A pod without a controller is its own owner. Whoever makes a pod names its owner as he likes: it is quoted. */
export function ownerOf(pod: JsonObject, fault: PodFault): Owner {
  const metadata = ownField(pod, 'metadata');
  const namespace = ownString(metadata, 'namespace') ?? 'default';
  const name = ownString(metadata, 'name') ?? '';
  const controller = controllerOf(metadata);
  if (controller === undefined) return { name: `Pod/${name}`, restart: withoutController(fault, { namespace, name }) };
  const [kind, owner] = deploymentOf(controller, metadata);
  const restart = ROLLED_OUT.includes(kind)
    ? `kubectl rollout restart ${shellWord(`${kind.toLowerCase()}/${owner}`)} -n ${shellWord(namespace)}`
    : `kubectl delete pod ${shellWord(name)} -n ${shellWord(namespace)}`;
  return { name: `${kind}/${owner}`, restart };
}

type Controller = readonly [kind: string, name: string];

function controllerOf(metadata: unknown): Controller | undefined {
  const owners = ownList(metadata, 'ownerReferences');
  const owner = owners.find((one) => ownField(one, 'controller') === true);
  return owner === undefined ? undefined : [ownString(owner, 'kind') ?? '', ownString(owner, 'name') ?? ''];
}

/** A Deployment names its ReplicaSets by its own name and the hash that their pods have as label. */
function deploymentOf([kind, name]: Controller, metadata: unknown): Controller {
  const hash = ownString(ownField(metadata, 'labels'), 'pod-template-hash') ?? '';
  const isDeployments = kind === 'ReplicaSet' && hash !== '' && name.endsWith(`-${hash}`);
  return isDeployments ? ['Deployment', name.slice(0, -hash.length - 1)] : [kind, name];
}

/** What is stored of a missed pod can be sent again; a stale one would keep what it has. */
function withoutController(fault: PodFault, { namespace, name }: { namespace: string; name: string }): string {
  const which = `pod ${shellWord(name)} -n ${shellWord(namespace)}`;
  return fault === 'missed'
    ? `kubectl get ${which} -o yaml | kubectl replace --force -f -`
    : `kubectl delete ${which}, and create it from its manifest again`;
}
