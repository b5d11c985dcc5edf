// What SDKs do in a pod without identity: they ask the instance metadata, and take the role of the node.
import { ownField } from '../admission/json.ts';
import type { PodFacts } from './facts.ts';
import type { Problem } from './problem.ts';

/** Whether the pod's own containers tell their SDKs not to ask the instance metadata: each speaks for itself alone. */
export function isMetadataDisabled({ containers }: PodFacts): boolean {
  return containers
    .filter(({ isForeign, kind }) => !isForeign && kind !== 'ephemeral container')
    .every(({ variables }) => variables.get('AWS_EC2_METADATA_DISABLED')?.toLowerCase() === 'true');
}

export function nodeRole(facts: PodFacts): Problem {
  // In the node's network nothing keeps a pod from the instance metadata, whatever the hop limit is.
  const evidence = isOnHost(facts)
    ? 'hostNetwork is true and no container has an identity: SDKs take the role of the node'
    : 'the pod names AWS and nothing gives it an identity: SDKs take the role of the node, where its metadata let them';
  const fix =
    'run the pod as a ServiceAccount of its own that has a role, or set AWS_EC2_METADATA_DISABLED=true to have none';
  return { id: 'node-role-fallback', severity: 'warning', object: facts.object, evidence, fix };
}

/** What follows where the pod is on the node's network. */
export function nodeRoleProblems(facts: PodFacts, causes: readonly Problem[]): Problem[] {
  if (causes.length === 0 || causes.some(({ id }) => id === 'node-role-fallback')) return [];
  return isOnHost(facts) && !isMetadataDisabled(facts) ? [nodeRole(facts)] : [];
}

function isOnHost({ pod }: PodFacts): boolean {
  return ownField(ownField(pod, 'spec'), 'hostNetwork') === true;
}
