// What a webhook's answer does to a pod, as the API server would take it: whatever is not right is said in a sentence.
import jsonpatch from 'fast-json-patch';
import type { Reason } from '../admission/decision.ts';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownString } from '../admission/json.ts';
import type { Operation } from '../admission/patch.ts';
import { EXPLANATIONS } from '../admission/reasons.ts';
import type { Answer } from './example-review.ts';

export interface Admission {
  readonly operations: readonly Operation[];
  readonly reason: Reason;
  /** As the audit annotations name it. */
  readonly method: string;
  readonly roleArn: string;
  /** The pod that would be stored. */
  readonly patched: JsonObject;
}

/** Or a sentence on why the pod did not get its identity. */
export function admissionFrom({ status, body }: Answer, pod: JsonObject, uid: string): Admission | string {
  if (status !== 200) return `the webhook answered HTTP ${status} where it must answer 200: ${body}`;
  const response = ownField(jsonFrom(body), 'response');
  if (ownString(response, 'uid') !== uid) return `the webhook's answer is not one to the review ${uid}: ${body}`;
  const audit = ownField(response, 'auditAnnotations');
  const reason = ownString(audit, 'reason') ?? '';
  if (ownField(response, 'allowed') !== true) return `the webhook refused the pod: ${body}`;
  if (ownString(response, 'patchType') !== 'JSONPatch') {
    return `the webhook let the pod in without an identity, reason ${reason}${adviceOn(reason)}`;
  }
  const operations = jsonFrom(Buffer.from(ownString(response, 'patch') ?? '', 'base64').toString());
  if (!isReason(reason) || !isAddition(operations)) return `the webhook's patch cannot be read: ${body}`;
  try {
    const patched = jsonpatch.applyPatch(structuredClone(pod), structuredClone(operations), true).newDocument;
    const method = ownString(audit, 'method') ?? '';
    return { operations, reason, method, roleArn: ownString(audit, 'role-arn') ?? '', patched };
  } catch (error) {
    return `the webhook's patch does not apply: ${String(ownField(error, 'name') ?? error)}`;
  }
}

function adviceOn(reason: string): string {
  return isReason(reason) ? `: ${EXPLANATIONS[reason].meaning}; ${EXPLANATIONS[reason].fix}` : '';
}

function isReason(text: string): text is Reason {
  return Object.hasOwn(EXPLANATIONS, text);
}

function isAddition(value: unknown): value is Operation[] {
  return Array.isArray(value) && value.every((item) => ownField(item, 'op') === 'add' && isObject(item));
}

/** Undefined where the text is no JSON. */
function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
