// What is wrong with a ServiceAccount's annotations, whatever its pods are like.
import { parseGoInt } from '../admission/go-syntax.ts';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField } from '../admission/json.ts';
import type { AccountKey } from '../admission/identity.ts';
import type { Settings } from '../admission/settings.ts';
import type { PodFacts } from './facts.ts';
import { nameOf } from './facts.ts';
import { fixText, nameWord, valueWord } from './fix.ts';
import { meantOnAccount } from './near-miss.ts';
import type { Problem } from './problem.ts';
import { roleArnProblem, roleWord } from './role-arn.ts';

/** Kubernetes refuses a projected token that lives shorter. */
export const MIN_EXPIRATION_SECONDS = 600;
const RECREATE = 'then create its pods again';

export interface AccountContext {
  readonly settings: Settings;
  /** Those that the account's pods and the webhook's flags name. */
  readonly regions: readonly string[];
  /** AWS_ROLE_ARN of its pods. */
  readonly roles: readonly string[];
}

export function accountProblems(account: JsonObject, { settings, regions, roles }: AccountContext): Problem[] {
  const { annotationPrefix: prefix, composeRoleArn } = settings;
  const object = `ServiceAccount ${nameOf(account)}`;
  const annotations = annotationsOf(account);
  const [namespace = '', name = ''] = nameOf(account).split('/');
  const annotate = annotateCommand({ namespace, name });
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(annotations)) {
    const meant = meantOnAccount(key, value, prefix);
    // Beside the right key, the wrong one does no harm; and a webhook with another --annotation-prefix has read it.
    if (meant === undefined || Object.hasOwn(annotations, meant) || roles.includes(value.trim())) continue;
    const isRole = meant.endsWith('/role-arn');
    const word = isRole ? roleWord(value, { composeRoleArn, regions }) : valueWord(value.trim(), 'VALUE');
    problems.push({
      id: 'annotation-key-typo',
      severity: isRole ? 'error' : 'warning',
      object,
      evidence: `annotation ${key} is read by nobody; ${meant} is meant`,
      fix: fixText([`${annotate} ${nameWord(key, 'KEY')}- ${meant}=${word}`], RECREATE),
    });
  }
  const role = annotations[`${prefix}/role-arn`] ?? '';
  // A webhook that runs with --compose-role-arn made whole ARNs of it.
  const isComposed =
    !role.trim().startsWith('arn:') &&
    (composeRoleArn || roles.some((roleArn) => roleArn.endsWith(`:role/${role.trim().replace(/^\//, '')}`)));
  const problem = role.trim() === '' || isComposed ? undefined : roleArnProblem(role, regions);
  if (problem !== undefined) {
    problems.push({
      ...problem,
      severity: 'error',
      object,
      fix: fixText(
        [`${annotate} --overwrite ${prefix}/role-arn=${roleWord(role, { composeRoleArn, regions })}`],
        RECREATE,
      ),
    });
  }
  const expiration = annotations[`${prefix}/token-expiration`];
  if (expiration !== undefined && isTooShort(expiration)) {
    problems.push({
      id: 'token-expiration-below-minimum',
      severity: 'warning',
      object,
      evidence: `annotation ${prefix}/token-expiration is ${expiration}: Kubernetes issues no token for less than 600 seconds`,
      fix: fixText([`${annotate} --overwrite ${prefix}/token-expiration=600`], RECREATE),
    });
  }
  return problems;
}

/** Whether somebody gave the pod a role, rightly or wrongly written. */
export function hasRole({ serviceAccount, settings, decision }: PodFacts): boolean {
  const role = annotationsOf(serviceAccount)[`${settings.annotationPrefix}/role-arn`] ?? '';
  return role.trim() !== '' || decision.method !== undefined;
}

export function annotationsOf(object: JsonObject | undefined): Readonly<Record<string, string>> {
  const annotations = ownField(ownField(object, 'metadata'), 'annotations');
  const entries = isObject(annotations) ? Object.entries(annotations) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

export function annotateCommand({ namespace, name }: AccountKey): string {
  return `kubectl annotate serviceaccount ${nameWord(name, 'SERVICE_ACCOUNT')} -n ${nameWord(namespace, 'NAMESPACE')}`;
}

export function isTooShort(expiration: string): boolean {
  const seconds = parseGoInt(expiration);
  return seconds !== undefined && seconds < MIN_EXPIRATION_SECONDS;
}
