// The trust policy of a role for ServiceAccounts: exact names under StringEquals, StringLike only where a wildcard is
// written, and always a condition on the audience.
import type { RoleOwner } from './arn.ts';
import { providerArnOf, providerName } from './oidc-provider.ts';
import { WEB_IDENTITY_ACTION } from './trust-policy-actions.ts';
import { hasWildcard, matchesPattern } from './trust-policy-patterns.ts';

/** Both may have wildcards. */
export interface Trusted {
  readonly namespace: string;
  readonly name: string;
  readonly audience: string;
}

export interface GenerateRequest {
  readonly issuer: string;
  readonly owner: RoleOwner;
  readonly accounts: readonly Trusted[];
}

/** One value as it is, several as a list. */
export type Values = string | readonly string[];

export interface TrustStatement {
  readonly Effect: 'Allow';
  readonly Principal: { readonly Federated: string };
  readonly Action: typeof WEB_IDENTITY_ACTION;
  readonly Condition: Readonly<Record<string, Readonly<Record<string, Values>>>>;
}

/** A statement for each audience; those with wildcards have their own, because all operators of one must hold. */
export function trustStatements({ issuer, owner, accounts }: GenerateRequest): readonly TrustStatement[] {
  const Principal = { Federated: providerArnOf(issuer, owner) };
  const name = providerName(issuer);
  const audiences = [...new Set(accounts.map(({ audience }) => audience))];
  const groups = audiences.flatMap((audience) => {
    const subjects = accounts.filter((account) => account.audience === audience).map(subjectOf);
    return [false, true].map((wild) => ({
      audience,
      wild,
      subjects: unique(subjects.filter((one) => hasWildcard(one) === wild)),
    }));
  });
  return groups
    .filter(({ subjects }) => subjects.length > 0)
    .map(({ audience, wild, subjects }) => {
      const sub = { [`${name}:sub`]: valuesOf(subjects) };
      const exact = { [`${name}:aud`]: audience, ...(wild ? {} : sub) };
      const Condition = { StringEquals: exact, ...(wild ? { StringLike: sub } : {}) };
      return { Effect: 'Allow', Principal, Action: WEB_IDENTITY_ACTION, Condition };
    });
}

/** Sorted, so that the same accounts in another order are the same policy. */
function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted();
}

export function valuesOf(values: readonly string[]): Values {
  const [first, ...others] = values;
  return first !== undefined && others.length === 0 ? first : values;
}

function subjectOf({ namespace, name }: Trusted): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

const NAMESPACE = /^[a-z0-9*?](?:[a-z0-9*?-]{0,61}[a-z0-9*?])?$/;
const NAME = /^[a-z0-9*?](?:[a-z0-9.*?-]{0,251}[a-z0-9*?])?$/;

/** `namespace/name`, with or without wildcards; undefined where Kubernetes has no such names. */
export function parseTrusted(text: string): Pick<Trusted, 'namespace' | 'name'> | undefined {
  const [namespace = '', name = '', ...rest] = text.split('/');
  if (rest.length > 0 || !NAMESPACE.test(namespace) || !NAME.test(name)) return undefined;
  return { namespace, name };
}

/** Whether accounts of every namespace match. */
export function isWide({ namespace }: Pick<Trusted, 'namespace'>): boolean {
  return matchesPattern(namespace, 'qzjx7-vwkq9');
}
