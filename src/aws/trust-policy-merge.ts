// New statements put into a policy that is there. What is there stays as it is; accounts join the statement of their own
// kind, so that merging twice changes nothing.
import type { JsonObject } from './json-object.ts';
import { isJsonObject } from './json-object.ts';
import { ownField } from './own-field.ts';
import type { TrustStatement } from './trust-policy-generate.ts';
import { valuesOf } from './trust-policy-generate.ts';

/** The policy is one that IAM takes. */
export function mergedPolicy(policy: JsonObject | undefined, added: readonly TrustStatement[]): JsonObject {
  if (policy === undefined) return { Version: '2012-10-17', Statement: added };
  const written = ownField(policy, 'Statement');
  let statements: readonly unknown[] = Array.isArray(written) ? written : [written];
  for (const statement of added) statements = withStatement(statements, statement);
  return { ...policy, Statement: statements };
}

function withStatement(statements: readonly unknown[], added: TrustStatement): readonly unknown[] {
  const at = statements.findIndex((one) => joined(one, added) !== undefined);
  if (at < 0) return [...statements, added];
  return statements.map((one, index) => (index === at ? joined(one, added) : one));
}

/** The statement with the accounts of the other; undefined where they differ in more than accounts. */
function joined(statement: unknown, added: TrustStatement): JsonObject | undefined {
  if (!isJsonObject(statement)) return undefined;
  const { operator, key, values: more } = subjectsOf(added);
  const condition = ownField(statement, 'Condition');
  const own = textsOf(ownField(ownField(condition, operator), key));
  const bare = { ...statement, Sid: undefined, Condition: withSubjects(condition, { operator, key, values: [] }) };
  const wanted = { ...added, Sid: undefined, Condition: withSubjects(added.Condition, { operator, key, values: [] }) };
  if (own.length === 0 || canonical(bare) !== canonical(wanted)) return undefined;
  const values = [...own, ...more.filter((one) => !own.includes(one))];
  return { ...statement, Condition: withSubjects(condition, { operator, key, values }) };
}

/** Every generated statement has one key for subjects, under one operator. */
function subjectsOf({ Condition }: TrustStatement): Subjects {
  const places = Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys)
      .filter(([key]) => key.endsWith(':sub'))
      .map(([key, values]) => ({ operator, key, values: textsOf(values) })),
  );
  return places.reduce((first) => first);
}

interface Subjects {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

function withSubjects(condition: unknown, { operator, key, values }: Subjects): unknown {
  const block = ownField(condition, operator);
  if (!isJsonObject(condition) || !isJsonObject(block)) return condition;
  return { ...condition, [operator]: { ...block, [key]: valuesOf(values) } };
}

function textsOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === 'string');
}

/** Equal for values that say the same: in any order of keys, and a list of one as the one. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return value.length === 1 ? canonical(value[0]) : `[${value.map(canonical).join()}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`);
  return `{${entries.toSorted().join()}}`;
}
