// How a pod is created again, which is when it is given its identity. Whoever deletes one that nothing creates again has
// lost it, and what the cluster has stored of it cannot be created as it stands.
import { ownField, ownList, ownString } from '../admission/json.ts';
import type { PodFacts } from './facts.ts';
import { fixText, nameWord } from './fix.ts';

/** Controllers that make another pod for one that was deleted. Of kinds that others define, that is not known. */
const CREATES_AGAIN = ['ReplicaSet', 'StatefulSet', 'DaemonSet', 'ReplicationController', 'Job'];
const WHY = 'as identity is given at creation';

/** The commands, and after them the pod is created again. */
export function thenRestart(facts: PodFacts, commands: readonly string[]): string {
  const { pod, namespace } = facts;
  const name = nameWord(ownString(ownField(pod, 'metadata'), 'name') ?? '', 'POD');
  const remove = `kubectl delete pod ${name} -n ${nameWord(namespace, 'NAMESPACE')}`;
  if (ownerOf(facts) === 'creates') return fixText([...commands, remove], `its owner creates the pod again, ${WHY}`);
  const words = `${restartWords(facts)}, ${WHY}`;
  return commands.length === 0 ? words : fixText(commands, `then ${words}`);
}

/** The same in words, for what no command comes before. */
export function restartWords(facts: PodFacts): string {
  switch (ownerOf(facts)) {
    case 'creates':
      return 'delete the pod, which its owner creates again';
    case 'unknown':
      return 'have the owner of the pod create it again';
    case 'none':
      return 'delete the pod and create it again from its manifest';
  }
}

function ownerOf({ pod }: PodFacts): 'creates' | 'unknown' | 'none' {
  // An owner that is no controller only takes the pod with it when it is deleted.
  const owner = ownList(ownField(pod, 'metadata'), 'ownerReferences').find(
    (reference) => ownField(reference, 'controller') === true,
  );
  if (owner === undefined) return 'none';
  return CREATES_AGAIN.includes(String(ownField(owner, 'kind'))) ? 'creates' : 'unknown';
}
