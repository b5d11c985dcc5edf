// The Condition of a statement, flattened: one clause for each key of each operator. All of them must hold.
import type { Finding } from './finding.ts';
import { fault } from './finding.ts';
import { isJsonObject } from './json-object.ts';
import { pathTo } from './trust-policy-json.ts';
import type { Operator } from './trust-policy-operators.ts';
import { operatorLike, parseOperator } from './trust-policy-operators.ts';

export interface Clause {
  /** As in Statement[0].Condition.StringEquals["HOST/PATH:sub"]. */
  readonly path: string;
  readonly operator: Operator;
  readonly key: string;
  /** Numbers and booleans as text, as IAM compares them. */
  readonly values: readonly string[];
}

export interface Clauses {
  readonly clauses: readonly Clause[];
  readonly faults: readonly Finding[];
}

/** `path` is that of the Condition, which may be absent. */
export function clausesFrom(condition: unknown, path: string): Clauses {
  if (condition === undefined) return { clauses: [], faults: [] };
  if (!isJsonObject(condition)) return { clauses: [], faults: [badCondition(path)] };
  const read = Object.entries(condition).map(([name, keys]) => clausesOf(name, keys, pathTo(path, name)));
  return { clauses: read.flatMap(({ clauses }) => clauses), faults: read.flatMap(({ faults }) => faults) };
}

function badCondition(path: string): Finding {
  return fault('bad-condition', `${path}: want an object of operators, {"StringEquals": {"HOST/PATH:sub": "…"}}`);
}

function clausesOf(name: string, keys: unknown, path: string): Clauses {
  const operator = parseOperator(name);
  if (operator === undefined) {
    const meant = operatorLike(name);
    const fix = meant === undefined ? 'take it out' : `write ${meant}`;
    return {
      clauses: [],
      faults: [fault('unknown-operator', `${path}: ${JSON.stringify(name)} is no condition operator of IAM; ${fix}`)],
    };
  }
  if (!isJsonObject(keys)) return { clauses: [], faults: [fault('bad-condition', `${path}: want an object of keys`)] };
  const clauses: Clause[] = [];
  const faults: Finding[] = [];
  for (const [key, written] of Object.entries(keys)) {
    const where = `${path}[${JSON.stringify(key)}]`;
    const values = valuesFrom(written);
    if (values !== undefined) clauses.push({ path: where, operator, key, values });
    else
      faults.push(fault('bad-condition', `${where} is ${JSON.stringify(written)}; want a string or a list of strings`));
  }
  return { clauses, faults: [...faults, ...doubledKeys(Object.keys(keys), path)] };
}

/** Names of keys are not case-sensitive, so two that differ by case are one key twice. */
function doubledKeys(keys: readonly string[], path: string): readonly Finding[] {
  const lower = keys.map((key) => key.toLowerCase());
  return keys
    .filter((key, index) => lower.indexOf(key.toLowerCase()) !== index)
    .map((key) =>
      fault('duplicate-keys', `${path} has ${JSON.stringify(key)} twice, in other capitals; write them together`),
    );
}

/** A string, a number, a boolean, or a list of them. */
function valuesFrom(written: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(written) ? written : [written];
  return list.every(isScalar) ? list.map(String) : undefined;
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
