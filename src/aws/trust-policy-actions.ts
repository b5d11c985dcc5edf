// The actions of a trust policy: which ones IAM lets stand in it, and which of them a ServiceAccount's token is for.
import type { Finding } from './finding.ts';
import { fault } from './finding.ts';
import { hasWildcard, matchesPattern } from './trust-policy-patterns.ts';

export interface ActionElement {
  readonly element: 'Action' | 'NotAction';
  readonly patterns: readonly string[];
}

export const WEB_IDENTITY_ACTION = 'sts:AssumeRoleWithWebIdentity';

/** What IAM calls "STS AssumeRole actions": the ways to take a role, and what may be sent along. */
const TRUST_ACTIONS = [
  'sts:AssumeRole',
  'sts:AssumeRoleWithSAML',
  WEB_IDENTITY_ACTION,
  'sts:SetContext',
  'sts:SetSourceIdentity',
  'sts:TagSession',
];

export function allowsWebIdentity(action: ActionElement): boolean {
  return allowsAction(action, WEB_IDENTITY_ACTION);
}

export function allowsAction({ element, patterns }: ActionElement, action: string): boolean {
  return patterns.some((pattern) => names(pattern, action)) === (element === 'Action');
}

export function namesWebIdentity(pattern: string): boolean {
  return names(pattern, WEB_IDENTITY_ACTION);
}

/** Names of actions are not case-sensitive, and may have wildcards. */
function names(pattern: string, action: string): boolean {
  return matchesPattern(pattern.toLowerCase(), action.toLowerCase());
}

/** `path` is that of the statement. "AssumeRole policy may only specify STS AssumeRole actions": a misspelled one is refused, too. */
export function actionFaults({ element, patterns }: ActionElement, path: string): readonly Finding[] {
  if (element === 'NotAction') return [];
  return patterns
    .filter((pattern) => !TRUST_ACTIONS.some((action) => names(pattern, action)))
    .map((pattern) => {
      const what = hasWildcard(pattern) ? 'matches no action' : 'is no action';
      const message = `${path}.Action has ${JSON.stringify(pattern)}, which ${what} that takes a role, and IAM lets no other into a trust policy; write ${WEB_IDENTITY_ACTION}`;
      return fault('wrong-action', message);
    });
}
