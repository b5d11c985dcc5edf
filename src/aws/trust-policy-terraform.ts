// A trust policy as Terraform's aws_iam_policy_document, which makes the JSON of it when it is applied.
import type { JsonObject } from './json-object.ts';
import { isJsonObject } from './json-object.ts';
import { ownField } from './own-field.ts';

/** The policy is one that IAM takes. */
export function terraformOf(policy: JsonObject): string {
  const version = ownField(policy, 'Version');
  const head = version === '2012-10-17' ? [] : [`version = ${literal(version ?? '2008-10-17')}`, ''];
  const statements = listOf(ownField(policy, 'Statement')).map((one) => block('statement', statementLines(one)));
  const body = [...head, ...statements.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]))];
  return `${block('data "aws_iam_policy_document" "trust"', body).join('\n')}\n`;
}

function statementLines(statement: unknown): readonly string[] {
  const sid = ownField(statement, 'Sid');
  const named = ['Action', 'NotAction'].filter((name) => ownField(statement, name) !== undefined);
  const heads: readonly (readonly [string, string])[] = [
    ...(typeof sid === 'string' && sid !== '' ? [['sid', literal(sid)] as const] : []),
    ['effect', literal(ownField(statement, 'Effect'))],
    ...named.map(
      (name) => [name === 'Action' ? 'actions' : 'not_actions', literals(ownField(statement, name))] as const,
    ),
  ];
  const blocks = [
    ...principalBlocks('principals', ownField(statement, 'Principal')),
    ...principalBlocks('not_principals', ownField(statement, 'NotPrincipal')),
    ...conditionBlocks(ownField(statement, 'Condition')),
  ];
  return [...aligned(heads), ...blocks.flatMap((lines) => ['', ...lines])];
}

function principalBlocks(name: string, principal: unknown): readonly (readonly string[])[] {
  const types = principal === '*' ? { '*': '*' } : principal;
  if (!isJsonObject(types)) return [];
  return Object.entries(types).map(([type, values]) =>
    block(
      name,
      aligned([
        ['type', literal(type)],
        ['identifiers', literals(values)],
      ]),
    ),
  );
}

function conditionBlocks(condition: unknown): readonly (readonly string[])[] {
  const operators = isJsonObject(condition) ? Object.entries(condition) : [];
  return operators.flatMap(([test, keys]) =>
    Object.entries(isJsonObject(keys) ? keys : {}).map(([variable, values]) =>
      block(
        'condition',
        aligned([
          ['test', literal(test)],
          ['variable', literal(variable)],
          ['values', literals(values)],
        ]),
      ),
    ),
  );
}

function block(head: string, lines: readonly string[]): readonly string[] {
  return [`${head} {`, ...lines.map((line) => (line === '' ? '' : `  ${line}`)), '}'];
}

/** As `terraform fmt` writes it. */
function aligned(rows: readonly (readonly [name: string, value: string])[]): readonly string[] {
  const longest = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(longest)} = ${value}`);
}

function literals(values: unknown): string {
  return `[${listOf(values).map(literal).join(', ')}]`;
}

/** In HCL ${ and %{ begin an expression; doubled, they do not. */
function literal(value: unknown): string {
  return JSON.stringify(String(value)).replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
