// What a diagnosis found, for people and for programs.
import type { CauseId } from '../diagnosis/cause.ts';
import { PREDICTED } from '../diagnosis/predicted.ts';
import type { Problem, ProblemId } from '../diagnosis/problem.ts';
import { printable } from './findings.ts';
import type { Paint } from './paint.ts';

export interface Reported extends Omit<Problem, 'id'> {
  readonly id: ProblemId | CauseId;
  /** What the pod's log says because of it. */
  readonly predictedError: string;
}

export function reportedFrom(problem: Problem): Reported {
  return { ...problem, predictedError: PREDICTED[problem.id] };
}

export function reportJson(problems: readonly Reported[]): string {
  return `${JSON.stringify({ problems }, null, 2)}\n`;
}

export function reportText(problems: readonly Reported[], paint: Paint): string {
  if (problems.length === 0) return 'nothing is wrong with the identity of these pods\n';
  return problems
    .map(
      ({ id, severity, object, evidence, fix, predictedError }) =>
        `${paint.bold(`${severity} ${id}`)}: ${printable(object)}\n   evidence: ${printable(evidence)}\n   in logs:  ${printable(predictedError)}\n   fix:      ${linesOf(fix)}\n`,
    )
    .join('');
}

/** Under each other: a remark stands on a line of its own, so that the command can be pasted. */
function linesOf(fix: string): string {
  return fix.split('\n').map(printable).join('\n             ');
}
