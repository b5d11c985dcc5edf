// Who is this pod: asks the sources of identities in their order. The first that has one wins: container-credentials
// file, ServiceAccount, ConfigMap, namespace.
import { accountOptions, identityFromAccount } from '../admission/annotations.ts';
import type { Account, AccountKey, AccountLookup } from '../admission/identity.ts';
import type { Identity, IdentityAnswer, IdentityOf, LookupOptions } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { NamespaceLookup, NamespacePolicy } from '../admission/namespace-policy.ts';
import { defaultRoleOf, isRoleAllowed } from '../admission/namespace-policy.ts';
import { roleFrom } from '../admission/role.ts';
import type { Settings, Surroundings } from '../admission/settings.ts';
import { quoted } from '../admission/warning.ts';
import type { ConfigMapEntry } from './config-map-entries.ts';

export interface ResolverOptions {
  readonly lookup: (key: AccountKey, options: LookupOptions) => Promise<AccountLookup>;
  readonly settings: Settings;
  readonly surroundings: () => Surroundings;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Whether the account is in the container-credentials file; undefined while that was not read. */
  readonly hasContainerCredentials?: (key: AccountKey) => boolean | undefined;
  /** The account's entry in the ConfigMap; `unread` while that was not read. */
  readonly configMapEntryOf?: (key: AccountKey) => ConfigMapEntry | 'unread' | undefined;
  /** Told of each review whose account a live lookup did not find. */
  readonly missing?: () => void;
  /** Given where namespaces have a say. */
  readonly namespaceOf?: (namespace: string, options: LookupOptions) => Promise<NamespaceLookup>;
}

type None = Extract<IdentityAnswer, { kind: 'none' }>;

const NOT_SYNCED: IdentityAnswer = { kind: 'unknown', reason: 'not-synced' };
const NOT_FOUND: None = { kind: 'none', reason: 'service-account-not-found', warnings: [] };

/** With `live`, an account without a role is read once more from the API server before that is believed. */
export function createResolver(options: ResolverOptions): IdentityOf {
  const { lookup, namespaceOf, now } = options;

  const answerFor = async (key: AccountKey, lookupOptions: LookupOptions): Promise<IdentityAnswer> => {
    const [found, namespace] = await Promise.all([
      lookup(key, lookupOptions),
      namespaceOf?.(key.namespace, lookupOptions) ?? NO_NAMESPACE_POLICY,
    ]);
    if (found.kind === 'unknown') return found;
    const account = found.kind === 'found' ? found.account : undefined;
    if (account === undefined) options.missing?.();
    const hasCredentials = options.hasContainerCredentials === undefined ? false : options.hasContainerCredentials(key);
    if (hasCredentials === undefined) return NOT_SYNCED;
    if (hasCredentials) return agentIdentity(key, account, options.settings);
    if (namespace.kind === 'unknown') return namespace;
    return allowed(key, namespace.policy, webIdentity(key, account, { ...options, policy: namespace.policy }));
  };

  return async (key, { timeoutMs, live }) => {
    const deadline = now() + timeoutMs;
    const answer = await answerFor(key, { timeoutMs, live: false });
    if (!live || answer.kind !== 'none' || answer.reason !== 'no-role') return answer;
    return answerFor(key, { timeoutMs: Math.max(0, deadline - now()), live: true });
  };
}

const NO_NAMESPACE_POLICY: NamespaceLookup = { kind: 'found', policy: {} };

function agentIdentity(key: AccountKey, account: Account | undefined, settings: Settings): IdentityAnswer {
  const { values, warnings } = accountOptions(key, account ?? { annotations: {} }, settings);
  const identity: Identity = { method: 'container_credentials', source: 'container-credentials-file', ...values };
  return { kind: 'identity', identity, warnings };
}

function webIdentity(
  key: AccountKey,
  account: Account | undefined,
  options: ResolverOptions & { readonly policy: NamespacePolicy },
): IdentityAnswer {
  const known = { settings: options.settings, surroundings: options.surroundings() };
  const own = account === undefined ? NOT_FOUND : identityFromAccount(key, account, known);
  if (own.kind !== 'none' || own.reason === 'invalid-role-arn') return own;
  const entry = options.configMapEntryOf?.(key);
  // Until it was read, nobody knows that the account has no role.
  if (entry === 'unread') return NOT_SYNCED;
  if (entry !== undefined) return identityFromEntry(entry, { ...known, ...sessionOf(key, account, options.settings) });
  if (account === undefined) return own;
  return identityFromNamespace(key, account, { ...known, policy: options.policy }) ?? own;
}

type Known = { readonly settings: Settings; readonly surroundings: Surroundings };

/** The name of the session is the account's to say; what else the ConfigMap leaves out takes the flags' values. */
function sessionOf(
  key: AccountKey,
  account: Account | undefined,
  settings: Settings,
): { readonly session: Pick<Identity, 'namedSession'> } {
  const { namedSession } = account === undefined ? {} : accountOptions(key, account, settings).values;
  return { session: namedSession === undefined ? {} : { namedSession } };
}

function identityFromEntry(
  { key, role, ...values }: ConfigMapEntry,
  { session, ...known }: Known & { readonly session: Pick<Identity, 'namedSession'> },
): IdentityAnswer {
  const answer = roleFrom(role, known);
  if (answer.kind === 'account-id-unknown') return { kind: 'unknown', reason: answer.kind };
  if (answer.kind !== 'role') {
    const warning = `no identity: RoleARN ${quoted(role)} of ConfigMap entry ${quoted(key)} is not an IAM role ARN`;
    return { kind: 'none', reason: 'invalid-role-arn', source: 'config-map', warnings: [warning] };
  }
  const identity = {
    method: 'sts_web_identity',
    source: 'config-map',
    roleArn: answer.roleArn,
    ...values,
    ...session,
  } as const;
  return { kind: 'identity', identity, warnings: [] };
}

function identityFromNamespace(
  key: AccountKey,
  account: Account,
  { policy, ...known }: Known & { readonly policy: NamespacePolicy },
): IdentityAnswer | undefined {
  const answer = defaultRoleOf(key, policy, known);
  if (answer.kind === 'absent') return undefined;
  if (answer.kind === 'account-id-unknown') return { kind: 'unknown', reason: answer.kind };
  if (answer.kind === 'invalid') {
    const warning = `no identity: default-role-arn ${quoted(answer.text)} of namespace ${key.namespace} is not an IAM role ARN`;
    return { kind: 'none', reason: 'invalid-role-arn', source: 'namespace', warnings: [warning] };
  }
  const { values, warnings } = accountOptions(key, account, known.settings);
  const identity = { method: 'sts_web_identity', source: 'namespace', roleArn: answer.roleArn, ...values } as const;
  return { kind: 'identity', identity, warnings };
}

function allowed(key: AccountKey, policy: NamespacePolicy, answer: IdentityAnswer): IdentityAnswer {
  if (answer.kind !== 'identity' || isRoleAllowed(answer.identity.roleArn ?? '', policy)) return answer;
  const { source, roleArn = '' } = answer.identity;
  const warning = `no identity: namespace ${key.namespace} does not allow role ${quoted(roleArn)} for ${keyOf(key)}`;
  return { kind: 'none', reason: 'role-not-allowed', source, warnings: [warning] };
}
