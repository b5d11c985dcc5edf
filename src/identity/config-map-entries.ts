// The JSON in the ConfigMap: `{"namespace/name": {"RoleARN": …}}`, read as Go reads it, with keys in any case. An entry
// that cannot be used is refused alone.
import { clampedExpiration } from '../admission/expiration.ts';
import { literalLength, matchesGlob } from '../admission/glob.ts';
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { goField, isObject } from '../admission/json.ts';
import { parsedJson } from '../aws/parsed-json.ts';

/** The fixed name of the ConfigMap of roles. */
export const CONFIG_MAP = 'pod-identity-webhook';

export interface ConfigMapEntry {
  /** The key of the entry, `namespace/name`. */
  readonly key: string;
  /** As it is written. */
  readonly role: string;
  readonly audience?: string;
  readonly expirationSeconds?: number;
  readonly regionalSts?: boolean;
}

export interface Refusal {
  readonly key: string;
  readonly problem: string;
}

export interface ParsedEntries {
  readonly entries: readonly ConfigMapEntry[];
  readonly refusals: readonly Refusal[];
}

/** Throws SyntaxError or TypeError where the text is no JSON object. */
export function parseEntries(text: string): ParsedEntries {
  const parsed: unknown = parsedJson(text);
  if (!isObject(parsed)) throw new TypeError('want a JSON object of "namespace/name": {"RoleARN": "…"}');
  const entries: ConfigMapEntry[] = [];
  const refusals: Refusal[] = [];
  for (const [key, value] of Object.entries(parsed)) {
    const problem = keyProblem(key) ?? entryProblem(value);
    if (problem !== undefined || !isObject(value)) refusals.push({ key, problem: problem ?? 'want an object' });
    else entries.push(entryFrom(key, value));
  }
  return { entries, refusals };
}

function keyProblem(key: string): string | undefined {
  return /^[^/]+\/[^/]+$/.test(key) ? undefined : 'want a key "namespace/name"; either half may hold *';
}

function entryProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'want an object with RoleARN';
  const wrong = (name: string, type: string): boolean => {
    const found = goField(value, name);
    return found !== undefined && found !== null && typeof found !== type;
  };
  if (wrong('RoleARN', 'string')) return 'RoleARN: want a string';
  if (wrong('Audience', 'string')) return 'Audience: want a string';
  if (wrong('UseRegionalSTS', 'boolean')) return 'UseRegionalSTS: want true or false';
  const expiration = goField(value, 'TokenExpiration') ?? 0;
  if (typeof expiration !== 'number' || !Number.isInteger(expiration)) return 'TokenExpiration: want whole seconds';
  const role = goField(value, 'RoleARN');
  return typeof role === 'string' && role.trim() !== '' ? undefined : 'RoleARN: want the ARN of a role';
}

function entryFrom(key: string, value: JsonObject): ConfigMapEntry {
  const audience = goField(value, 'Audience');
  const expiration = goField(value, 'TokenExpiration');
  const regionalSts = goField(value, 'UseRegionalSTS');
  return {
    key,
    role: String(goField(value, 'RoleARN')),
    ...(typeof audience === 'string' && audience !== '' ? { audience } : {}),
    ...(typeof expiration === 'number' && expiration !== 0 ? { expirationSeconds: clampedExpiration(expiration) } : {}),
    ...(typeof regionalSts === 'boolean' ? { regionalSts } : {}),
  };
}

/** Which entry an account has: its own key, else the most specific glob. */
export function createEntryIndex(entries: readonly ConfigMapEntry[]): (key: AccountKey) => ConfigMapEntry | undefined {
  const exact = new Map(entries.filter(({ key }) => !key.includes('*')).map((entry) => [entry.key, entry]));
  const globs = entries
    .filter(({ key }) => key.includes('*'))
    .map((entry) => ({ entry, halves: halvesOf(entry.key) }))
    .toSorted((one, other) => moreSpecific(one.entry.key, other.entry.key));
  return (key) =>
    exact.get(keyOf(key)) ??
    globs.find(({ halves }) => matchesGlob(halves[0], key.namespace) && matchesGlob(halves[1], key.name))?.entry;
}

/** More literal characters first, then more of them in the namespace, then by alphabet. */
function moreSpecific(one: string, other: string): number {
  const byLength = literalLength(other) - literalLength(one);
  if (byLength !== 0) return byLength;
  const byNamespace = literalLength(halvesOf(other)[0]) - literalLength(halvesOf(one)[0]);
  if (byNamespace !== 0) return byNamespace;
  return one < other ? -1 : 1;
}

function halvesOf(key: string): readonly [namespace: string, name: string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
