// Whether a pod without identity wants one. Most pods of a cluster do not, and that they have none is no fault.
import { ownField, ownList, ownString } from '../admission/json.ts';
import { podAnnotation } from '../admission/pod.ts';
import { annotationsOf } from './account.ts';
import { bringsCredentials } from './credentials.ts';
import { programOf } from './other-account.ts';
import type { ContainerFacts, PodFacts } from './facts.ts';
import { NODE_AGENT_KEY } from './near-miss.ts';

/** `asked`: nothing in the pod says so, but the question is about this pod and no other. */
export type Need = 'named' | 'asked' | 'none';

/** Settings of EKS's network plugin, which are no SDK's. */
const AWS_VARIABLE = /^AWS_(?!VPC_)/;
/** Buckets, ARNs, and providers by flag, of which external-dns has two. Clusters and the like are named after AWS, too. */
const AWS_WORD = /\bs3[an]?:\/\/|\barn:aws|(?:^|\s)--?[\w.-]*provider[\w.-]*=aws(?:-sd)?(?![\w-])/;
/** Endpoints that want signed requests: who calls a database or a registry of Amazon's has other means. */
const AWS_ENDPOINT =
  /\b(?:s3|sqs|sns|dynamodb|kinesis|firehose|secretsmanager|ssm|sts|kms|lambda|events|logs|bedrock[\w-]*)\.[\w.-]*amazonaws\.com/;

export function needOf(facts: PodFacts): Need {
  const { pod, account, containers } = facts;
  const spec = ownField(pod, 'spec');
  const own = containers.filter(({ isForeign }) => !isForeign);
  // What belongs to the node has the node's role by design: EKS's agent, its network plugin, drivers of volumes.
  if (own.length === 0 || ownString(spec, 'priorityClassName') === 'system-node-critical') return 'none';
  if (own.some(hasAwsVariable) || isHalfAnnotated(facts)) return 'named';
  const owners = ownList(ownField(pod, 'metadata'), 'ownerReferences');
  // What runs once on every node serves the node as a rule.
  if (owners.some((owner) => ownString(owner, 'kind') === 'DaemonSet')) return 'none';
  if (own.some(namesAws)) return 'named';
  return isAlone(facts) && account.name !== 'default' ? 'asked' : 'none';
}

/** Whether somebody asks about these pods: says so, or has given those of one account and no others. */
export function isAlone({ isAsked, imagesByAccount }: PodFacts): boolean {
  return isAsked || imagesByAccount.size === 1;
}

/** An account that says how its token shall be, and has none: charts leave the role empty, but not these. */
function isHalfAnnotated({ serviceAccount, settings }: PodFacts): boolean {
  const annotations = annotationsOf(serviceAccount);
  return ['audience', 'token-expiration', 'sts-regional-endpoints'].some(
    (name) => (annotations[`${settings.annotationPrefix}/${name}`] ?? '') !== '',
  );
}

function hasAwsVariable({ variables, imported }: ContainerFacts): boolean {
  return [...variables.keys(), ...imported].some((name) => AWS_VARIABLE.test(name));
}

function namesAws({ container, variables }: ContainerFacts): boolean {
  // Without the registry, which for many images is Amazon's.
  const image = (ownString(container, 'image') ?? '').replace(/^[^/]*[.:][^/]*\//, '');
  const words = [...ownList(container, 'command'), ...ownList(container, 'args'), ...variables.values()];
  return (
    /\baws\b/.test(image) ||
    words.some((word) => typeof word === 'string' && (AWS_WORD.test(word) || AWS_ENDPOINT.test(word)))
  );
}

/** Whether the pod gets to AWS by means of its own, which people have on purpose where no account has a role. */
export function hasOwnWay({ pod, containers }: PodFacts): boolean {
  if ((podAnnotation(pod, NODE_AGENT_KEY) ?? '') !== '') return true;
  return containers.some(bringsCredentials);
}

/** Whether the pod's names suggest that it was meant to run as another account, or its image does. */
export function belongsTo({ pod, namespace, containers, imagesByAccount }: PodFacts, accountKey: string): boolean {
  const images = imagesByAccount.get(accountKey);
  if (containers.some(({ container }) => images?.has(programOf(container)) === true)) return true;
  const base = accountKey.slice(namespace.length + 1).replace(/-(?:sa|irsa|role|account|service-?account)$/, '');
  const name = ownString(ownField(pod, 'metadata'), 'name') ?? '';
  return accountKey.startsWith(`${namespace}/`) && (name === base || name.startsWith(`${base}-`));
}
