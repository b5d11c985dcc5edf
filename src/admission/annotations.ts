// What people write on ServiceAccounts, read as amazon-eks-pod-identity-webhook's users know it. A value that cannot be
// read takes the next lower source (pod, then account, then flag) and says so in a warning.
import { expirationFrom } from './expiration.ts';
import { parseGoBool } from './go-syntax.ts';
import type { Account, AccountKey, Identity, IdentityAnswer } from './identity.ts';
import { keyOf } from './identity.ts';
import { isObject } from './json.ts';
import { roleFrom } from './role.ts';
import type { Settings, Surroundings } from './settings.ts';
import { quoted } from './warning.ts';

const ACCOUNT_ANNOTATIONS = ['role-arn', 'audience', 'sts-regional-endpoints', 'token-expiration', 'role-session-name'];
// Somebody else's domain or another spelling of role-arn: what people were seen to write by mistake.
const NEAR_MISS = /(?:amazon|aws|eks)[^/]*\/role[-_.]?arn$/i;

const NO_ANNOTATIONS: Account = { annotations: {} };

/** The part of a ServiceAccount that is kept in memory; accounts without any of it share one object. */
export function accountFrom(annotations: unknown, prefix: string): Account {
  if (!isObject(annotations)) return NO_ANNOTATIONS;
  const kept: [string, string][] = [];
  for (const [key, value] of Object.entries(annotations)) {
    if (typeof value === 'string' && (isOurs(key, prefix) || NEAR_MISS.test(key))) kept.push([key, value]);
  }
  return kept.length === 0 ? NO_ANNOTATIONS : { annotations: Object.fromEntries(kept) };
}

function isOurs(key: string, prefix: string): boolean {
  return key.startsWith(`${prefix}/`) && ACCOUNT_ANNOTATIONS.includes(key.slice(prefix.length + 1));
}

/** What a ServiceAccount's own annotations entitle its pods to. */
export function identityFromAccount(
  key: AccountKey,
  account: Account,
  known: { readonly settings: Settings; readonly surroundings: Surroundings },
): IdentityAnswer {
  const { settings } = known;
  const role = roleFrom(annotationOf(account, 'role-arn', settings), known);
  switch (role.kind) {
    case 'absent':
      return { kind: 'none', reason: 'no-role', warnings: nearMissWarnings(key, account, settings) };
    case 'account-id-unknown':
      return { kind: 'unknown', reason: role.kind };
    case 'invalid': {
      const warning = `no identity: role-arn ${quoted(role.text)} of ServiceAccount ${keyOf(key)} is not an IAM role ARN`;
      return { kind: 'none', reason: 'invalid-role-arn', source: 'service-account', warnings: [warning] };
    }
    case 'role': {
      const { values, warnings } = accountOptions(key, account, settings);
      const audience = annotationOf(account, 'audience', settings) ?? '';
      const identity: Identity = {
        method: 'sts_web_identity',
        source: 'service-account',
        roleArn: role.roleArn,
        ...(audience === '' ? {} : { audience }),
        ...values,
      };
      return { kind: 'identity', identity, warnings };
    }
  }
}

export type AccountOptions = Pick<Identity, 'expirationSeconds' | 'regionalSts' | 'namedSession'>;

/** What an account asks for beside its role and audience. */
export function accountOptions(
  key: AccountKey,
  account: Account,
  settings: Settings,
): { readonly values: AccountOptions; readonly warnings: readonly string[] } {
  const owner = `ServiceAccount ${keyOf(key)}`;
  const warnings: string[] = [];
  const switched = (name: string): boolean | undefined => {
    const text = annotationOf(account, name, settings);
    const value = text === undefined ? undefined : parseGoBool(text);
    if (text !== undefined && value === undefined) {
      warnings.push(`ignored ${name} ${quoted(text)} of ${owner}: want true or false`);
    }
    return value;
  };
  const regionalSts = switched('sts-regional-endpoints');
  const namedSession = switched('role-session-name');
  const text = annotationOf(account, 'token-expiration', settings);
  const expiration = text === undefined ? {} : expirationFrom(text, owner);
  if (expiration.warning !== undefined) warnings.push(expiration.warning);
  return {
    values: {
      ...(expiration.seconds === undefined ? {} : { expirationSeconds: expiration.seconds }),
      ...(regionalSts === undefined ? {} : { regionalSts }),
      ...(namedSession === undefined ? {} : { namedSession }),
    },
    warnings,
  };
}

function annotationOf(account: Account, name: string, settings: Settings): string | undefined {
  const key = `${settings.annotationPrefix}/${name}`;
  return Object.hasOwn(account.annotations, key) ? account.annotations[key] : undefined;
}

function nearMissWarnings(key: AccountKey, account: Account, { annotationPrefix }: Settings): string[] {
  const right = [`${annotationPrefix}/role-arn`, 'eks.amazonaws.com/role-arn'];
  return Object.keys(account.annotations)
    .filter((name) => NEAR_MISS.test(name) && !right.includes(name))
    .map(
      (name) =>
        `ServiceAccount ${keyOf(key)} has annotation ${quoted(name)}; did you mean ${annotationPrefix}/role-arn?`,
    );
}
