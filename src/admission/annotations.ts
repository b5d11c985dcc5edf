// What people write on ServiceAccounts and pods, read as amazon-eks-pod-identity-webhook's users know it. A value that
// cannot be read takes the next lower source (pod, then account, then flag) and says so in a warning.
import { parseRoleArn } from '../aws/arn.ts';
import { parseGoBool, parseGoCsvRecord, parseGoInt } from './go-syntax.ts';
import type { Account, AccountKey, Identity, IdentityAnswer } from './identity.ts';
import { keyOf } from './identity.ts';
import type { JsonObject } from './json.ts';
import { isObject } from './json.ts';
import { podAnnotation } from './pod.ts';
import type { Settings } from './settings.ts';
import { quoted } from './warning.ts';

/** Kubernetes refuses a projected token that lives shorter. */
const MIN_EXPIRATION_SECONDS = 600;
/** What EKS allows at most; a longer one works only where the API server's own limit is higher. */
const USUAL_MAX_EXPIRATION_SECONDS = 86_400;
/** Kubernetes refuses a projected token that lives longer (validation of serviceAccountToken projections). */
const MAX_EXPIRATION_SECONDS = 2 ** 32;

const ACCOUNT_ANNOTATIONS = ['role-arn', 'audience', 'sts-regional-endpoints', 'token-expiration'];
// Somebody else's domain or another spelling of role-arn: what people were seen to write by mistake.
const NEAR_MISS = /(?:amazon|aws|eks)[^/]*\/role[-_.]?arn$/i;

const NO_ACCOUNT_ANNOTATIONS: Account = { annotations: {} };

/** The part of a ServiceAccount that is kept in memory; accounts without any of it share one object. */
export function accountFrom(annotations: unknown, prefix: string): Account {
  if (!isObject(annotations)) return NO_ACCOUNT_ANNOTATIONS;
  const kept: [string, string][] = [];
  for (const [key, value] of Object.entries(annotations)) {
    if (typeof value === 'string' && (isOurs(key, prefix) || NEAR_MISS.test(key))) kept.push([key, value]);
  }
  return kept.length === 0 ? NO_ACCOUNT_ANNOTATIONS : { annotations: Object.fromEntries(kept) };
}

function isOurs(key: string, prefix: string): boolean {
  return key.startsWith(`${prefix}/`) && ACCOUNT_ANNOTATIONS.includes(key.slice(prefix.length + 1));
}

/** What a ServiceAccount's own annotations entitle its pods to. */
export function identityFromAccount(key: AccountKey, account: Account, settings: Settings): IdentityAnswer {
  const written = annotationOf(account, 'role-arn', settings);
  const roleArn = written?.trim() ?? '';
  if (written === undefined || roleArn === '') {
    return { kind: 'none', reason: 'no-role', warnings: nearMissWarnings(key, account, settings) };
  }
  const valid = parseRoleArn(roleArn) !== undefined;
  if (!valid && !settings.allowInvalidRoleArn) {
    const warning = `no identity: role-arn ${quoted(roleArn)} of ServiceAccount ${keyOf(key)} is not an IAM role ARN`;
    return { kind: 'none', reason: 'invalid-role-arn', source: 'service-account', warnings: [warning] };
  }
  const { values, warnings } = accountOptions(key, account, settings);
  const identity: Identity = {
    method: 'sts_web_identity',
    source: 'service-account',
    roleArn: valid ? roleArn : written,
    ...values,
  };
  return { kind: 'identity', identity, warnings };
}

/** Audience, expiration and STS endpoint as the account's annotations ask for them. */
function accountOptions(
  key: AccountKey,
  account: Account,
  settings: Settings,
): { values: Pick<Identity, 'audience' | 'expirationSeconds' | 'regionalSts'>; warnings: string[] } {
  const warnings: string[] = [];
  const audience = annotationOf(account, 'audience', settings) ?? '';
  const regionalText = annotationOf(account, 'sts-regional-endpoints', settings);
  const regionalSts = regionalText === undefined ? undefined : parseGoBool(regionalText);
  if (regionalText !== undefined && regionalSts === undefined) {
    warnings.push(
      `ignored sts-regional-endpoints ${quoted(regionalText)} of ServiceAccount ${keyOf(key)}: want true or false`,
    );
  }
  const expirationText = annotationOf(account, 'token-expiration', settings);
  const expiration =
    expirationText === undefined ? undefined : expirationFrom(expirationText, `ServiceAccount ${keyOf(key)}`);
  if (expiration?.warning !== undefined) warnings.push(expiration.warning);
  return {
    values: {
      ...(audience === '' ? {} : { audience }),
      ...(expiration?.seconds === undefined ? {} : { expirationSeconds: expiration.seconds }),
      ...(regionalSts === undefined ? {} : { regionalSts }),
    },
    warnings,
  };
}

function annotationOf(account: Account, name: string, settings: Settings): string | undefined {
  const key = `${settings.annotationPrefix}/${name}`;
  return Object.hasOwn(account.annotations, key) ? account.annotations[key] : undefined;
}

function nearMissWarnings(key: AccountKey, account: Account, { annotationPrefix }: Settings): string[] {
  return Object.keys(account.annotations)
    .filter(
      (name) =>
        NEAR_MISS.test(name) && name !== `${annotationPrefix}/role-arn` && name !== 'eks.amazonaws.com/role-arn',
    )
    .map(
      (name) =>
        `ServiceAccount ${keyOf(key)} has annotation ${quoted(name)}; did you mean ${annotationPrefix}/role-arn?`,
    );
}

/** What the pod itself asks for. */
export interface PodOverrides {
  readonly expirationSeconds?: number;
  /** Names of containers that get nothing. */
  readonly skippedContainers: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

/** Reads the pod's own annotations; `containerNames` are those it may name. */
export function podOverrides(pod: JsonObject, containerNames: readonly string[], prefix: string): PodOverrides {
  const warnings: string[] = [];
  const expirationText = podAnnotation(pod, `${prefix}/token-expiration`);
  const expiration = expirationText === undefined ? undefined : expirationFrom(expirationText, 'the pod');
  if (expiration?.warning !== undefined) warnings.push(expiration.warning);

  const skipText = podAnnotation(pod, `${prefix}/skip-containers`) ?? '';
  const record = skipText === '' ? [] : parseGoCsvRecord(skipText);
  if (record === undefined) warnings.push(`ignored skip-containers ${quoted(skipText)}: not a comma-separated list`);
  const names = (record ?? []).map((name) => name.trim()).filter((name) => name !== '');
  for (const name of names) {
    if (!containerNames.includes(name))
      warnings.push(`skip-containers names ${quoted(name)}, which the pod does not have`);
  }
  return {
    ...(expiration?.seconds === undefined ? {} : { expirationSeconds: expiration.seconds }),
    skippedContainers: new Set(names),
    warnings,
  };
}

/** Seconds within what Kubernetes accepts; undefined with a warning where the text is no integer. */
function expirationFrom(text: string, owner: string): { readonly seconds?: number; readonly warning?: string } {
  const value = parseGoInt(text);
  if (value === undefined)
    return { warning: `ignored token-expiration ${quoted(text)} of ${owner}: want whole seconds` };
  const seconds = clampedExpiration(value);
  if (value < MIN_EXPIRATION_SECONDS) {
    return { seconds, warning: `token-expiration ${text} of ${owner} raised to 600, Kubernetes' minimum` };
  }
  if (value > MAX_EXPIRATION_SECONDS) {
    return { seconds, warning: `token-expiration ${text} of ${owner} lowered to 4294967296, Kubernetes' maximum` };
  }
  if (value > USUAL_MAX_EXPIRATION_SECONDS) {
    return { seconds, warning: `token-expiration ${text} of ${owner} is above 86400: the API server may shorten it` };
  }
  return { seconds };
}

/** The nearest number of seconds that Kubernetes accepts for a projected token. */
export function clampedExpiration(seconds: bigint | number): number {
  if (seconds < MIN_EXPIRATION_SECONDS) return MIN_EXPIRATION_SECONDS;
  if (seconds > MAX_EXPIRATION_SECONDS) return MAX_EXPIRATION_SECONDS;
  return Number(seconds);
}
