// The command with which a pod is created again, which is when it is given its identity.
import { ownField, ownString } from '../admission/json.ts';
import { shellWord } from '../aws/shell-word.ts';
import type { PodFacts } from './facts.ts';

export function restartOf({ pod, namespace }: PodFacts): string {
  const name = ownString(ownField(pod, 'metadata'), 'name') ?? 'NAME';
  return `kubectl delete pod ${shellWord(name)} -n ${shellWord(namespace)} (its owner creates it again)`;
}
