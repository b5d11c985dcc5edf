// The statements of a trust policy, each checked as IAM checks it before it stores a policy.
import type { Finding } from './finding.ts';
import { fault } from './finding.ts';
import type { JsonObject } from './json-object.ts';
import { isJsonObject } from './json-object.ts';
import { ownField } from './own-field.ts';
import type { ActionElement } from './trust-policy-actions.ts';
import { actionFaults } from './trust-policy-actions.ts';
import type { Clause } from './trust-policy-clauses.ts';
import { clausesFrom } from './trust-policy-clauses.ts';

export interface Statement {
  /** As in Statement[0]. */
  readonly path: string;
  readonly effect: 'Allow' | 'Deny';
  readonly principal: PrincipalElement;
  readonly action: ActionElement;
  /** One for each key of each operator, in the order of the document. */
  readonly clauses: readonly Clause[];
}

export interface PrincipalElement {
  /** "Principal": "*" */
  readonly isAnyone: boolean;
  readonly federated: readonly string[];
  readonly aws: readonly string[];
  readonly services: readonly string[];
}

const ELEMENTS = ['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Condition'];
const RESOURCES = ['Resource', 'NotResource'];
const PRINCIPAL_TYPES = ['AWS', 'Federated', 'Service', 'CanonicalUser'];

export interface Statements {
  readonly statements: readonly Statement[];
  readonly faults: readonly Finding[];
}

export function statementsFrom(document: JsonObject): Statements {
  const written = ownField(document, 'Statement');
  const list: readonly unknown[] = Array.isArray(written) ? written : [written];
  if (written === undefined || list.length === 0) {
    const message = `${written === undefined ? 'there is no Statement' : 'Statement is empty'}; IAM wants at least one`;
    return { statements: [], faults: [fault('empty-statement', message)] };
  }
  const read = list.map((value, index) =>
    statementFrom(value, Array.isArray(written) ? `Statement[${index}]` : 'Statement'),
  );
  return {
    statements: read.flatMap(({ statement }) => (statement === undefined ? [] : [statement])),
    faults: [...read.flatMap(({ faults }) => faults), ...duplicateSids(list)],
  };
}

/** The empty Sid, which AWS' own console writes, may stand as often as one likes. */
function duplicateSids(statements: readonly unknown[]): readonly Finding[] {
  const sids = statements
    .map((statement) => ownField(statement, 'Sid'))
    .filter((sid) => sid !== undefined && sid !== '');
  const twice = new Set(sids.filter((sid, index) => sids.indexOf(sid) !== index));
  return [...twice].map((sid) =>
    fault(
      'duplicate-sid',
      `Sid ${JSON.stringify(sid)} names more than one statement, and IAM wants each once; rename one`,
    ),
  );
}

interface Read {
  readonly statement?: Statement;
  readonly faults: readonly Finding[];
}

function statementFrom(value: unknown, path: string): Read {
  if (!isJsonObject(value)) return { faults: [fault('bad-statement', `${path} is no JSON object`)] };
  const effect = value['Effect'];
  const principal = principalFrom(value, path);
  const action = actionFrom(value, path);
  const condition = clausesFrom(value['Condition'], `${path}.Condition`);
  const faults = [
    ...foreignElements(value, path),
    ...sidFaults(value['Sid'], path),
    ...(effect === 'Allow' || effect === 'Deny' ? [] : [effectFault(effect, path)]),
    ...principal.faults,
    ...action.faults,
    ...condition.faults,
  ];
  if (faults.length > 0 || principal.found === undefined || action.found === undefined) return { faults };
  const found = { principal: principal.found, action: action.found, clauses: condition.clauses };
  return { statement: { path, effect: effect === 'Deny' ? 'Deny' : 'Allow', ...found }, faults };
}

function foreignElements(statement: JsonObject, path: string): readonly Finding[] {
  return Object.keys(statement).flatMap((key) => {
    if (ELEMENTS.includes(key)) return [];
    if (!RESOURCES.includes(key)) {
      return [
        fault('unknown-element', `${path} has ${JSON.stringify(key)}, which is no element of a statement; take it out`),
      ];
    }
    const message = `${path}.${key}: a trust policy has no resource, it is the role that it hangs on; take it out`;
    return [fault('resource-in-trust-policy', message)];
  });
}

/** "Statement IDs (SID) must be alpha-numeric." */
function sidFaults(sid: unknown, path: string): readonly Finding[] {
  if (sid === undefined || (typeof sid === 'string' && /^[0-9A-Za-z]*$/.test(sid))) return [];
  return [fault('bad-sid', `${path}.Sid is ${JSON.stringify(sid)}; IAM wants letters and digits only`)];
}

function effectFault(effect: unknown, path: string): Finding {
  if (effect === undefined) return fault('missing-effect', `${path} has no Effect; want "Allow" or "Deny"`);
  return fault('bad-effect', `${path}.Effect is ${JSON.stringify(effect)}; want "Allow" or "Deny", written so`);
}

interface Found<T> {
  readonly found?: T;
  readonly faults: readonly Finding[];
}

/** The name of the one element of two that is there. */
function oneOf<T extends string>(statement: JsonObject, names: readonly [T, T], path: string): Found<T> {
  const there = names.filter((name) => Object.hasOwn(statement, name));
  const [name] = there;
  if (name === undefined) return { faults: [fault(`missing-${names[0].toLowerCase()}`, `${path} has no ${names[0]}`)] };
  if (there.length === 1) return { found: name, faults: [] };
  return { faults: [fault('exclusive-elements', `${path} has both ${there.join(' and ')}, of which IAM takes one`)] };
}

/** IAM, NotPrincipal: "You cannot use the NotPrincipal element in an IAM identity-based policy nor in an IAM role trust policy." */
function principalFrom(statement: JsonObject, path: string): Found<PrincipalElement> {
  const { found: element, faults } = oneOf(statement, ['Principal', 'NotPrincipal'], path);
  if (element === 'NotPrincipal') {
    const message = `${path} has NotPrincipal, everyone but those, which IAM lets into no trust policy; write Principal`;
    return { faults: [fault('not-principal', message)] };
  }
  if (element === undefined) return { faults };
  const written = statement[element];
  const where = `${path}.${element}`;
  if (written === '*') return { found: { isAnyone: true, federated: [], aws: [], services: [] }, faults };
  if (!isJsonObject(written) || Object.keys(written).length === 0) {
    const want = 'want {"Federated": "arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH"}';
    return { faults: [fault('bad-principal', `${where} is ${JSON.stringify(written)}; ${want}`)] };
  }
  const problems = Object.entries(written).flatMap(([type, value]) => {
    if (!PRINCIPAL_TYPES.includes(type)) {
      return [
        fault('bad-principal', `${where} has ${JSON.stringify(type)}; want one of ${PRINCIPAL_TYPES.join(', ')}`),
      ];
    }
    return textsFrom(value) === undefined
      ? [fault('bad-principal', `${where}.${type} is ${JSON.stringify(value)}; want a string or a list of strings`)]
      : [];
  });
  if (problems.length > 0) return { faults: problems };
  const listed = (type: string): readonly string[] => textsFrom(ownField(written, type)) ?? [];
  const found = { federated: listed('Federated'), aws: listed('AWS'), services: listed('Service') };
  return { found: { isAnyone: false, ...found }, faults };
}

function actionFrom(statement: JsonObject, path: string): Found<ActionElement> {
  const { found: element, faults } = oneOf(statement, ['Action', 'NotAction'], path);
  if (element === undefined) return { faults };
  const patterns = textsFrom(statement[element]);
  if (patterns !== undefined)
    return { found: { element, patterns }, faults: actionFaults({ element, patterns }, path) };
  const written = JSON.stringify(statement[element]);
  return { faults: [fault('bad-action', `${path}.${element} is ${written}; want a string or a list of strings`)] };
}

/** Undefined where there is no string, or something else beside strings. */
function textsFrom(value: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((one) => typeof one === 'string');
  return texts.length === 0 || texts.length < list.length ? undefined : texts;
}
