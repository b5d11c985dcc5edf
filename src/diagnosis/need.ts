// Whether a pod without identity wants one. Most pods of a cluster do not, and that they have none is no fault.
import { ownField, ownList, ownString } from '../admission/json.ts';
import { podAnnotation } from '../admission/pod.ts';
import { ownCredentials, ownProfile } from './credentials.ts';
import type { ContainerFacts, PodFacts } from './facts.ts';
import { NODE_AGENT_KEY } from './near-miss.ts';

/** `asked`: nothing in the pod says so, but the question is about this pod and no other. */
export type Need = 'named' | 'asked' | 'none';

/** Settings of EKS's network plugin, which are no SDK's. */
const AWS_VARIABLE = /^AWS_(?!VPC_)/;
/** Of buckets, ARNs, endpoints and of providers by flag. */
const AWS_WORD = /\bs3[an]?:\/\/|\barn:aws|\.amazonaws\.com\b|=aws\b/;

export function needOf(facts: PodFacts): Need {
  const { pod, account, containers } = facts;
  const spec = ownField(pod, 'spec');
  const own = containers.filter(({ isForeign }) => !isForeign);
  // What belongs to the node has the node's role by design: EKS's agent, its network plugin, drivers of volumes.
  if (own.length === 0 || ownString(spec, 'priorityClassName') === 'system-node-critical') return 'none';
  if (own.some(hasAwsVariable)) return 'named';
  const owners = ownList(ownField(pod, 'metadata'), 'ownerReferences');
  // What runs once on every node serves the node as a rule.
  if (owners.some((owner) => ownString(owner, 'kind') === 'DaemonSet')) return 'none';
  if (own.some(namesAws)) return 'named';
  return isAlone(facts) && account.name !== 'default' ? 'asked' : 'none';
}

/** Whether all pods that were given run as one account: somebody asks about them. */
export function isAlone({ imagesByAccount }: PodFacts): boolean {
  return imagesByAccount.size === 1;
}

function hasAwsVariable({ variables, imported }: ContainerFacts): boolean {
  return [...variables.keys(), ...imported].some((name) => AWS_VARIABLE.test(name));
}

function namesAws({ container, variables }: ContainerFacts): boolean {
  // Without the registry, which for many images is Amazon's.
  const image = (ownString(container, 'image') ?? '').replace(/^[^/]*[.:][^/]*\//, '');
  const words = [...ownList(container, 'command'), ...ownList(container, 'args'), ...variables.values()];
  return /\baws\b/.test(image) || words.some((word) => typeof word === 'string' && AWS_WORD.test(word));
}

/** Whether the pod gets to AWS by means of its own, which people have on purpose where no account has a role. */
export function hasOwnWay({ pod, containers }: PodFacts): boolean {
  if ((podAnnotation(pod, NODE_AGENT_KEY) ?? '') !== '') return true;
  return containers.some((container) => ownCredentials(container).length > 0 || ownProfile(container) !== undefined);
}

/** Whether the pod's names suggest that it was meant to run as another account, or its image does. */
export function belongsTo({ pod, namespace, containers, imagesByAccount }: PodFacts, accountKey: string): boolean {
  const images = imagesByAccount.get(accountKey);
  if (containers.some(({ container }) => images?.has(ownString(container, 'image') ?? '') === true)) return true;
  const base = accountKey.slice(namespace.length + 1).replace(/-(?:sa|irsa|role|account|service-?account)$/, '');
  const name = ownString(ownField(pod, 'metadata'), 'name') ?? '';
  return accountKey.startsWith(`${namespace}/`) && (name === base || name.startsWith(`${base}-`));
}
