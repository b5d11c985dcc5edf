// What a namespace's annotations say about the roles of its pods. The allow list is a guard rail: the boundary is the
// role's trust policy, which STS evaluates.
import { matchesGlob } from './glob.ts';
import { parseGoCsvRecord } from './go-syntax.ts';
import type { AccountKey } from './identity.ts';
import { isObject } from './json.ts';
import type { RoleAnswer } from './role.ts';
import { roleFrom } from './role.ts';
import type { Settings, Surroundings } from './settings.ts';

export interface NamespacePolicy {
  /** The role of ServiceAccounts that name none, as it is written. */
  readonly defaultRole?: string;
  /** Which of them, by name or glob; every one but `default` unless given. */
  readonly defaultRoleAccounts?: string;
  /** Globs on role ARNs, comma-separated; every role is allowed where absent. */
  readonly allowedRoles?: string;
}

export type NamespaceLookup =
  | { readonly kind: 'found'; readonly policy: NamespacePolicy }
  | { readonly kind: 'unknown'; readonly reason: 'not-synced' | 'lookup-failed' };

const NO_POLICY: NamespacePolicy = {};

/** The part of a namespace that is kept in memory; namespaces without any of it share one object. */
export function namespacePolicyFrom(annotations: unknown, prefix: string): NamespacePolicy {
  const text = (name: string): string | undefined => {
    const key = `${prefix}/${name}`;
    const value = isObject(annotations) && Object.hasOwn(annotations, key) ? annotations[key] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const defaultRole = text('default-role-arn');
  const defaultRoleAccounts = text('default-role-service-accounts');
  const allowedRoles = text('allowed-roles');
  if (defaultRole === undefined && allowedRoles === undefined) return NO_POLICY;
  return {
    ...(defaultRole === undefined ? {} : { defaultRole }),
    ...(defaultRoleAccounts === undefined ? {} : { defaultRoleAccounts }),
    ...(allowedRoles === undefined ? {} : { allowedRoles }),
  };
}

/** Every pod whose author named no account runs as `default`, so that one has to be named to get the role. */
export function defaultRoleOf(
  { name }: AccountKey,
  policy: NamespacePolicy,
  known: { readonly settings: Settings; readonly surroundings: Surroundings },
): RoleAnswer {
  const patterns = listOf(policy.defaultRoleAccounts ?? '*');
  const entitled =
    name === 'default' ? patterns.includes(name) : patterns.some((pattern) => matchesGlob(pattern, name));
  return entitled ? roleFrom(policy.defaultRole, known) : { kind: 'absent' };
}

/** A list that cannot be read allows nothing. */
export function isRoleAllowed(roleArn: string, { allowedRoles }: NamespacePolicy): boolean {
  return allowedRoles === undefined || listOf(allowedRoles).some((pattern) => matchesGlob(pattern, roleArn));
}

function listOf(text: string): readonly string[] {
  return (parseGoCsvRecord(text) ?? []).map((item) => item.trim()).filter((item) => item !== '');
}
