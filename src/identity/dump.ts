// What the caches say, for a person who debugs: each account with the identity that its pods would get, in the form
// that amazon-eks-pod-identity-webhook prints.
import { identityFromAccount } from '../admission/annotations.ts';
import type { Account, Identity } from '../admission/identity.ts';
import { roleFrom } from '../admission/role.ts';
import type { Settings, Surroundings } from '../admission/settings.ts';
import type { ConfigMapEntry } from './config-map-entries.ts';

export interface DumpedIdentity {
  readonly RoleARN: string;
  readonly Audience: string;
  readonly UseRegionalSTS: boolean;
  /** Seconds. */
  readonly TokenExpiration: number;
}

export interface DumpOptions {
  readonly accounts: Iterable<readonly [key: string, account: Account]>;
  readonly configMapEntries: readonly ConfigMapEntry[];
  readonly settings: Settings;
  readonly surroundings: Surroundings;
}

/** By `namespace/name`; entries of the ConfigMap under their own keys, where no annotated account has that key. */
export function dumpOf({
  accounts,
  configMapEntries,
  settings,
  surroundings,
}: DumpOptions): Record<string, DumpedIdentity> {
  const dump = new Map<string, DumpedIdentity>();
  for (const [key, account] of accounts) {
    const [namespace = '', name = ''] = key.split('/');
    const answer = identityFromAccount({ namespace, name }, account, { settings, surroundings });
    if (answer.kind === 'identity') dump.set(key, dumped(answer.identity, settings));
  }
  for (const { key, role, ...values } of configMapEntries) {
    const answer = roleFrom(role, { settings, surroundings });
    const roleArn = answer.kind === 'role' ? answer.roleArn : role;
    if (!dump.has(key)) dump.set(key, dumped({ roleArn, ...values }, settings));
  }
  return Object.fromEntries(dump);
}

function dumped(
  identity: Pick<Identity, 'roleArn' | 'audience' | 'regionalSts' | 'expirationSeconds'>,
  settings: Settings,
): DumpedIdentity {
  return {
    RoleARN: identity.roleArn ?? '',
    Audience: identity.audience ?? settings.tokenAudience,
    UseRegionalSTS: identity.regionalSts ?? settings.regionalSts,
    TokenExpiration: identity.expirationSeconds ?? settings.tokenExpirationSeconds,
  };
}
