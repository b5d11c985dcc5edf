// mutate(review, deps): the one place where it is decided what happens to a pod. Everything that is outside of the pod
// comes through `identityOf`.
import type { Decision, Entitlement, SkipReason } from './decision.ts';
import type { AccountKey, IdentityOf } from './identity.ts';
import { inject } from './inject.ts';
import type { JsonObject } from './json.ts';
import { podAnnotation, podLabel, serviceAccountNameOf } from './pod.ts';
import { EXPLANATIONS } from './reasons.ts';
import type { Review } from './review.ts';
import type { Settings } from './settings.ts';
import { boundedWarnings } from './warning.ts';

/** Labels of the pod. They do not follow `--annotation-prefix`, because the webhook's registration selects by them. */
export const OPT_OUT_LABEL = 'eks.amazonaws.com/skip-pod-identity-webhook';
export const REQUIRED_LABEL = 'eks.amazonaws.com/pod-identity-required';

export interface MutateDeps {
  readonly identityOf: IdentityOf;
  readonly settings: Settings;
}

/** The ServiceAccount of the pod under review: the namespace is the review's, which a pod's author cannot choose. */
export function accountKeyOf(review: Review): AccountKey {
  return { namespace: review.namespace, name: serviceAccountNameOf(review.pod) };
}

/** `timeoutMs`: how long `identityOf` may take. */
export async function mutate(review: Review, deps: MutateDeps, timeoutMs: number): Promise<Decision> {
  const outside = outsideReason(review);
  if (outside !== undefined) return skip(outside);

  const { pod } = review;
  const required = podLabel(pod, REQUIRED_LABEL) === 'true';
  const key = accountKeyOf(review);
  const without = (reason: SkipReason, found: Found = {}): Decision =>
    required ? refuse(reason, key, found) : skip(reason, found);

  if (isMirrorPod(pod)) return without('mirror-pod');
  if (podLabel(pod, OPT_OUT_LABEL) !== undefined) return without('opted-out');

  const answer = await deps.identityOf(key, { timeoutMs, live: required });
  if (answer.kind === 'unknown') return { kind: 'unknown', reason: answer.reason, warnings: [] };
  if (answer.kind === 'none') return without(answer.reason, answer);

  const { method, source, roleArn } = answer.identity;
  const injection = inject(pod, answer.identity, deps.settings);
  const found = {
    method,
    source,
    ...(roleArn === undefined ? {} : { roleArn }),
    warnings: boundedWarnings([...answer.warnings, ...injection.warnings]),
  };
  const { operations, identified } = injection;
  if (required && !identified) return refuse('nothing-to-inject', key, found);
  if (operations.length > 0) return { ...found, kind: 'patch', reason: 'injected', operations };
  return skip(identified ? 'already-injected' : 'nothing-to-inject', found);
}

/** Why the review is none that this webhook has anything to do with. */
function outsideReason({ resource, subResource, operation }: Review): SkipReason | undefined {
  if (resource !== 'pods') return 'not-a-pod';
  if (subResource !== '') return 'sub-resource';
  return operation === 'CREATE' ? undefined : 'not-create';
}

/** The API server's picture of a static pod: the kubelet runs it already, and it may not have a ServiceAccount. */
function isMirrorPod(pod: JsonObject): boolean {
  return podAnnotation(pod, 'kubernetes.io/config.mirror') !== undefined;
}

type Found = Entitlement & { readonly warnings?: readonly string[] };

function skip(reason: SkipReason, found: Found = {}): Decision {
  return { ...entitlementOf(found), kind: 'skip', reason, warnings: boundedWarnings(found.warnings ?? []) };
}

function refuse(reason: SkipReason, key: AccountKey, found: Found): Decision {
  const { meaning, fix } = EXPLANATIONS[reason];
  const message =
    `the pod's label ${REQUIRED_LABEL} demands an AWS identity, and it would get none: ` +
    `namespace ${key.namespace}, ServiceAccount ${key.name}, reason ${reason}: ${meaning}; ${fix}`;
  return { ...skip(reason, found), kind: 'refuse', reason, message };
}

function entitlementOf({ method, source, roleArn }: Entitlement): Entitlement {
  return {
    ...(method === undefined ? {} : { method }),
    ...(source === undefined ? {} : { source }),
    ...(roleArn === undefined ? {} : { roleArn }),
  };
}
