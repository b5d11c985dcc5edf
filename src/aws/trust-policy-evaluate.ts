// One statement of a trust policy against one call: each part of it with its answer and both values.
import { allowsAction } from './trust-policy-actions.ts';
import type { Clause } from './trust-policy-clauses.ts';
import type { ConditionWorld } from './trust-policy-conditions.ts';
import { clauseTruth } from './trust-policy-conditions.ts';
import type { PrincipalElement, Statement } from './trust-policy-statements.ts';
import type { Truth } from './trust-policy-truth.ts';
import { every, truthOf } from './trust-policy-truth.ts';

export interface Call extends ConditionWorld {
  /** The provider that STS finds for the token. */
  readonly providerArn: string;
  readonly action: string;
}

/** One part of a statement: what it asks for and what the call brings. */
export interface Check {
  readonly path: string;
  readonly truth: Truth;
  readonly token: string;
  readonly policy: string;
}

export interface Outcome {
  readonly statement: Statement;
  readonly truth: Truth;
  /** The first part that does not hold; the last one where all do. */
  readonly deciding: Check;
  /** How many parts hold before it. */
  readonly reached: number;
}

/** Principal first, then action, then each clause of the Condition. */
export function outcomeOf(statement: Statement, call: Call): Outcome {
  const checks = [
    principalCheck(statement, call),
    actionCheck(statement, call),
    ...statement.clauses.map((clause) => clauseCheck(clause, call)),
  ];
  const truth = every(checks.map((check) => check.truth));
  const deciding = checks.reduce((found, check) => (truth === 'yes' || found.truth !== truth ? check : found));
  return { statement, truth, deciding, reached: checks.indexOf(deciding) };
}

function principalCheck({ path, principal }: Statement, { providerArn }: Call): Check {
  return {
    path: `${path}.Principal`,
    truth: providerTruth(principal, providerArn),
    token: providerArn,
    policy: principalText(principal),
  };
}

/**
 * "Principal": "*" and {"AWS": "*"} mean everyone; in an ARN a wildcard is a letter like others. IAM does not support
 * {"Federated": "*"}, so nobody can say whom it lets in.
 */
function providerTruth({ isAnyone, aws, federated }: PrincipalElement, providerArn: string): Truth {
  if (isAnyone || aws.includes('*') || federated.includes(providerArn)) return 'yes';
  return federated.includes('*') ? 'unknown' : 'no';
}

function principalText({ isAnyone, federated, aws, services }: PrincipalElement): string {
  return isAnyone ? '*' : alternatives([...federated, ...aws, ...services]);
}

function actionCheck({ path, action }: Statement, call: Call): Check {
  return {
    path: `${path}.${action.element}`,
    truth: truthOf(allowsAction(action, call.action)),
    token: call.action,
    policy: `${butFor(action.element === 'NotAction')}${alternatives(action.patterns)}`,
  };
}

function clauseCheck(clause: Clause, call: Call): Check {
  const found = call.context.valueOf(clause.key);
  return {
    path: clause.path,
    truth: clauseTruth(clause, call),
    token: found.kind === 'present' ? alternatives(found.values) : found.kind,
    policy: `${butFor(clause.operator.isNegated)}${alternatives(clause.values)}`,
  };
}

function butFor(isNegated: boolean): string {
  return isNegated ? 'anything but ' : '';
}

function alternatives(values: readonly string[]): string {
  return values.length === 0 ? 'nothing' : values.join(' or ');
}
