// The API server's question and our answer (admission.k8s.io/v1 and v1beta1). parseReview is the only door through
// which a body reaches the core; reviewAnswer gives the version, kind and uid back that came in.
import type { Decision } from './decision.ts';
import type { JsonObject } from './json.ts';
import { isObject, ownField, ownString } from './json.ts';
import { ReviewError } from './review-error.ts';
import { quoted } from './warning.ts';

const KIND = 'AdmissionReview';
const API_VERSIONS = ['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'] as const;

export interface Review {
  readonly apiVersion: (typeof API_VERSIONS)[number];
  readonly uid: string;
  /** Empty where the object has none. */
  readonly namespace: string;
  /** Plural name of the resource with its group where it is not a core one: `pods`, `deployments.apps`. */
  readonly resource: string;
  /** Empty where the review is of the object itself. */
  readonly subResource: string;
  readonly operation: string;
  readonly dryRun: boolean;
  /** The object under review; an empty one where there is none (DELETE). */
  readonly pod: JsonObject;
}

/** Throws ReviewError where the body is no review that can be answered. */
export function parseReview(body: unknown): Review {
  if (!isObject(body)) throw new ReviewError('not-a-review', `want an ${KIND}, got ${typeName(body)}`);
  if (ownField(body, 'kind') !== KIND) {
    throw new ReviewError('not-a-review', `want kind ${KIND}, got ${shown(ownField(body, 'kind'))}`);
  }
  const apiVersion = API_VERSIONS.find((version) => version === ownField(body, 'apiVersion'));
  if (apiVersion === undefined) {
    const got = shown(ownField(body, 'apiVersion'));
    throw new ReviewError('unsupported-version', `want apiVersion ${API_VERSIONS.join(' or ')}, got ${got}`);
  }
  const request = ownField(body, 'request');
  const uid = ownString(request, 'uid') ?? '';
  if (uid === '') throw new ReviewError('no-uid', `${KIND} without request.uid: the answer could not be told apart`);

  const object = ownField(request, 'object');
  // Reviews made by hand leave the operation out; the API server never does.
  const operation = ownString(request, 'operation') ?? 'CREATE';
  if (operation === 'CREATE' && !isObject(object)) {
    throw new ReviewError('no-object', `${KIND} of a CREATE without request.object, got ${typeName(object)}`);
  }
  return {
    apiVersion,
    uid,
    namespace: ownString(request, 'namespace') ?? '',
    resource: resourceOf(request, object),
    subResource: ownString(request, 'subResource') ?? '',
    operation,
    dryRun: ownField(request, 'dryRun') === true,
    pod: isObject(object) ? object : {},
  };
}

function resourceOf(request: unknown, object: unknown): string {
  const resource = ownField(request, 'resource');
  const plural = ownString(resource, 'resource');
  if (plural === undefined) return (ownString(object, 'kind') ?? 'Pod') === 'Pod' ? 'pods' : 'unknown';
  const group = ownString(resource, 'group') ?? '';
  return group === '' ? plural : `${plural}.${group}`;
}

/** The AdmissionReview to send, for every decision but `unknown`, which is no answer but a 503. */
export function reviewAnswer(review: Review, decision: Exclude<Decision, { kind: 'unknown' }>): JsonObject {
  const { warnings, reason, kind, method, roleArn } = decision;
  return {
    apiVersion: review.apiVersion,
    kind: KIND,
    response: {
      uid: review.uid,
      allowed: kind !== 'refuse',
      ...(decision.kind === 'refuse' ? { status: { code: 403, reason: 'Forbidden', message: decision.message } } : {}),
      ...(decision.kind === 'patch' ? { patchType: 'JSONPatch', patch: base64(decision.operations) } : {}),
      ...(warnings.length === 0 ? {} : { warnings }),
      auditAnnotations: {
        decision: kind,
        reason,
        ...(roleArn === undefined ? {} : { 'role-arn': roleArn }),
        ...(method === undefined ? {} : { method }),
      },
    },
  };
}

/** An answer that lets the pod in and says nothing else: what a shadow gives to every review. */
export function silentAnswer(review: Review): JsonObject {
  return { apiVersion: review.apiVersion, kind: KIND, response: { uid: review.uid, allowed: true } };
}

function base64(operations: unknown): string {
  return Buffer.from(JSON.stringify(operations)).toString('base64');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : typeName(value);
}

function typeName(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
