// A role's trust policy as IAM reads it. What IAM would refuse to store is told as faults, all at once.
import type { Finding } from './finding.ts';
import { fault } from './finding.ts';
import type { JsonObject } from './json-object.ts';
import { isJsonObject } from './json-object.ts';
import { ownField } from './own-field.ts';
import { parseJson } from './trust-policy-json.ts';
import type { Statement } from './trust-policy-statements.ts';
import { statementsFrom } from './trust-policy-statements.ts';

export interface TrustPolicy {
  /** Policy variables count in the newer one only. */
  readonly version: '2008-10-17' | '2012-10-17';
  readonly hasVersion: boolean;
  readonly statements: readonly Statement[];
  /** Characters without the blanks between its elements, as IAM counts them. */
  readonly length: number;
  /** Why IAM would not store it; the statements that have a fault are not among `statements`. */
  readonly faults: readonly Finding[];
}

const ELEMENTS = ['Version', 'Id', 'Statement'];

/** Never throws: what cannot be read has a fault and no statements. */
export function trustPolicyFrom(text: string): TrustPolicy {
  const json = parseJson(text);
  if (json.kind === 'not-json') return refused('invalid-json', `the policy is ${json.why}`);
  if (!isJsonObject(json.value)) return refused('invalid-json', 'the policy is no JSON object; want {"Version": …}');
  const faults = json.duplicates.map((path) =>
    fault('duplicate-keys', `${path} stands twice in one object, and only one can count; write its parts together`),
  );
  const statements = statementsFrom(json.value);
  const { version, problem } = versionOf(json.value);
  return {
    version,
    hasVersion: Object.hasOwn(json.value, 'Version'),
    // What stands twice hides a part of the document: nothing can be said of the rest.
    statements: faults.length > 0 ? [] : statements.statements,
    length: JSON.stringify(json.value).length,
    faults: [
      ...faults,
      ...characterFaults(text),
      ...unknownElements(json.value),
      ...problem,
      ...idFaults(json.value),
      ...statements.faults,
    ],
  };
}

function refused(rule: string, message: string): TrustPolicy {
  return { version: '2012-10-17', hasVersion: true, statements: [], length: 0, faults: [fault(rule, message)] };
}

/** IAM, quotas: "Policy documents can contain only" tab, line feed, carriage return and U+0020 to U+00FF. */
function characterFaults(text: string): readonly Finding[] {
  // A mark in front of the text is the file's, not the policy's.
  const [strange] = /[^\t\n\r\u0020-\u00FF]/u.exec(text.replace(/^\uFEFF/, '')) ?? [];
  if (strange === undefined) return [];
  const code = `U+${strange.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
  return [fault('bad-character', `the policy has ${code}, and IAM takes no character beyond U+00FF; take it out`)];
}

function unknownElements(document: JsonObject): readonly Finding[] {
  return Object.keys(document)
    .filter((key) => !ELEMENTS.includes(key))
    .map((key) => fault('unknown-element', `${JSON.stringify(key)} is no element of a policy; take it out`));
}

function idFaults(document: JsonObject): readonly Finding[] {
  const id = ownField(document, 'Id');
  if (id === undefined || typeof id === 'string') return [];
  return [fault('bad-id', `Id is ${JSON.stringify(id)}; want a string, or none`)];
}

/** IAM, Version: absent means the older language. */
function versionOf(document: JsonObject): Pick<TrustPolicy, 'version'> & { readonly problem: readonly Finding[] } {
  const written = Object.hasOwn(document, 'Version') ? document['Version'] : '2008-10-17';
  if (written === '2012-10-17' || written === '2008-10-17') return { version: written, problem: [] };
  const message = `Version is ${JSON.stringify(written)}, and IAM knows only "2012-10-17" and "2008-10-17"; write the first`;
  return { version: '2012-10-17', problem: [fault('bad-version', message)] };
}
