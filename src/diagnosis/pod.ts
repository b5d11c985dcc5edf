// podProblems(facts): everything that is wrong with the identity of one stored pod. A healthy pod has nothing.
import { absenceProblems } from './absence.ts';
import { annotationsOf } from './account.ts';
import { isIdentified } from './credentials.ts';
import type { PodFacts } from './facts.ts';
import { gapProblems, podAnnotationProblems } from './gaps.ts';
import { isRoleKey } from './near-miss.ts';
import type { Problem } from './problem.ts';
import { PROBLEM_IDS } from './problem.ts';
import { tokenFileProblems } from './token-file.ts';
import { variableProblems } from './variables.ts';

export function podProblems(facts: PodFacts): Problem[] {
  const running = facts.containers.filter(({ kind }) => kind !== 'ephemeral container');
  return [
    ...absenceProblems(facts),
    ...idleAnnotationProblems(facts),
    ...podAnnotationProblems(facts),
    ...gapProblems(facts),
    ...running.flatMap((container) => [...variableProblems(facts, container), ...tokenFileProblems(facts, container)]),
  ];
}

/** The same thing is said once, and what keeps the identity away comes before what follows from that. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...once.values()].toSorted((one, other) => PROBLEM_IDS.indexOf(one.id) - PROBLEM_IDS.indexOf(other.id));
}

/** A pod that has an identity, and an annotation that was meant to give it another. */
function idleAnnotationProblems({ pod, object, settings, containers }: PodFacts): Problem[] {
  const roles = containers.map(({ variables }) => variables.get('AWS_ROLE_ARN'));
  return Object.entries(annotationsOf(pod))
    .filter(
      ([key, value]) =>
        isIdentified(containers) && isRoleKey(key, settings.annotationPrefix) && ![...roles, ''].includes(value.trim()),
    )
    .map(([key, value]) => ({
      id: 'annotation-on-pod',
      severity: 'warning',
      object,
      evidence: `the pod has annotation ${key} with ${value.trim()}, which is read on ServiceAccounts only, and has another role`,
      fix: `annotate the ServiceAccount of the pod instead, then create the pod again`,
    }));
}
