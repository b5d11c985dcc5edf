// Label selectors as kube-apiserver evaluates them for webhooks (k8s.io/apimachinery metav1.LabelSelector).
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';

export interface Labels {
  readonly labels: JsonObject;
  /** Whether those are all: what is not there may otherwise be set all the same. */
  readonly complete: boolean;
}

export interface Requirement {
  readonly text: string;
  /** Whether it wants a label to be there: what has it is chosen, not what lacks it shut out. */
  readonly isOptIn: boolean;
}

/** A requirement that the labels surely do not meet; undefined where there is none. */
export function unmetRequirement(selector: unknown, { labels, complete }: Labels): Requirement | undefined {
  const wanted = ownField(selector, 'matchLabels');
  for (const [key, value] of Object.entries(isObject(wanted) ? wanted : {})) {
    const actual = ownString(labels, key);
    if (actual !== value && (complete || actual !== undefined))
      return { text: `${key}=${String(value)}`, isOptIn: true };
  }
  for (const expression of ownList(selector, 'matchExpressions')) {
    const key = String(ownField(expression, 'key'));
    const operator = String(ownField(expression, 'operator'));
    const values = ownList(expression, 'values');
    const actual = ownString(labels, key);
    const known = complete || actual !== undefined;
    if (known && !isMet(operator, values, actual)) {
      return { text: [key, operator, ...values].join(' '), isOptIn: ['In', 'Exists'].includes(operator) };
    }
  }
  return undefined;
}

function isMet(operator: string, values: readonly unknown[], actual: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual);
    case 'NotIn':
      return actual === undefined || !values.includes(actual);
    case 'Exists':
      return actual !== undefined;
    default:
      // DoesNotExist; the API server takes no fifth.
      return actual === undefined;
  }
}
