// podProblems(facts): everything that is wrong with the identity of one stored pod. A healthy pod has nothing.
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownString } from '../admission/json.ts';
import { absenceProblems } from './absence.ts';
import { annotationsOf } from './account.ts';
import { isIdentified } from './credentials.ts';
import type { PodFacts } from './facts.ts';
import { gapProblems, podAnnotationProblems } from './gaps.ts';
import { isRoleKey } from './near-miss.ts';
import type { Problem, ProblemId } from './problem.ts';
import { PROBLEM_IDS } from './problem.ts';
import { tokenFileProblems } from './token-file.ts';
import { variableProblems } from './variables.ts';

export function podProblems(facts: PodFacts): Problem[] {
  const { containers, pod } = facts;
  const lasting = containers.filter(({ kind }) => kind !== 'ephemeral container');
  const problems = [
    ...(isLeaving(pod) ? [] : [...absenceProblems(facts), ...gapProblems(facts)]),
    ...idleAnnotationProblems(facts),
    ...podAnnotationProblems(facts),
    ...lasting.flatMap((container) => variableProblems(facts, container)),
    ...containers.flatMap((container) => tokenFileProblems(facts, container)),
  ];
  return isLeaving(pod) ? problems.filter(({ id }) => id !== 'role-arn-differs-from-annotation') : problems;
}

/**
 * Of a pod that has ended well, or that is being deleted, the next one counts, which is given what the account says
 * then. What stands in their template stays.
 */
function isLeaving(pod: JsonObject): boolean {
  const isDeleted = ownField(ownField(pod, 'metadata'), 'deletionTimestamp') !== undefined;
  return isDeleted || ownString(ownField(pod, 'status'), 'phase') === 'Succeeded';
}

/** The same thing is said once, and what keeps the identity away comes before what follows from that. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  // That the node's role is taken follows from what keeps another away; where there is no other, it is the news.
  const ids: readonly ProblemId[] = problems.some(({ id }) => id === 'annotation-missing')
    ? PROBLEM_IDS
    : PROBLEM_IDS.toSpliced(PROBLEM_IDS.indexOf('pod-not-mutated') + 1, 0, 'node-role-fallback');
  return [...once.values()].toSorted((one, other) => ids.lastIndexOf(one.id) - ids.lastIndexOf(other.id));
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
