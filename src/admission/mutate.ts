// mutate(review, deps): the one place where it is decided what happens to a pod. Everything that is outside of the pod
// comes through `identityOf`.
import type { Ours } from './compare.ts';
import { comparison } from './compare.ts';
import type { Comparison, Decision, Entitlement, Refuse, Skip, SkipReason } from './decision.ts';
import type { AccountKey, IdentityOf } from './identity.ts';
import { inject, injectRegion } from './inject.ts';
import type { JsonObject } from './json.ts';
import { podAnnotation, podLabel, serviceAccountNameOf } from './pod.ts';
import { EXPLANATIONS } from './reasons.ts';
import type { Review } from './review.ts';
import type { Settings, Surroundings } from './settings.ts';
import { boundedWarnings, quoted } from './warning.ts';

/** Labels of the pod. They do not follow `--annotation-prefix`, because the webhook's registration selects by them. */
export const OPT_OUT_LABEL = 'eks.amazonaws.com/skip-pod-identity-webhook';
export const REQUIRED_LABEL = 'eks.amazonaws.com/pod-identity-required';

const REGION_PENDING = 'AWS_REGION is not set: the webhook does not know the region yet (--aws-default-region=auto)';
const DEFAULT_PREFIX = 'eks.amazonaws.com/';

export interface MutateDeps {
  readonly identityOf: IdentityOf;
  readonly settings: Settings;
  readonly surroundings: () => Surroundings;
  /** Compare the identity that a pod has already with ours, for shadow mode. */
  readonly comparing?: boolean;
}

/** The ServiceAccount of the pod under review: the namespace is the review's, which a pod's author cannot choose. */
export function accountKeyOf(review: Review): AccountKey {
  return { namespace: review.namespace, name: serviceAccountNameOf(review.pod) };
}

/** `timeoutMs`: how long `identityOf` may take. */
export async function mutate(review: Review, deps: MutateDeps, timeoutMs: number): Promise<Decision> {
  const outside = outsideReason(review);
  if (outside !== undefined) return skip(outside, {});

  const { pod } = review;
  const key = accountKeyOf(review);
  const required = podLabel(pod, REQUIRED_LABEL) === 'true';
  const compared = (ours?: Ours): Found => (deps.comparing === true ? comparedWith(pod, ours) : {});
  const without = (reason: SkipReason, found: Found): Decision =>
    required ? refuse(reason, found, { key, prefix: deps.settings.annotationPrefix }) : skip(reason, found);

  if (isMirrorPod(pod)) return without('mirror-pod', compared());
  if (podLabel(pod, OPT_OUT_LABEL) !== undefined) return without('opted-out', compared());

  const answer = await deps.identityOf(key, { timeoutMs, live: required });
  if (answer.kind === 'unknown') return { kind: 'unknown', reason: answer.reason, warnings: [] };
  const { settings } = deps;
  const surroundings = deps.surroundings();
  if (answer.kind === 'none') {
    const { source, warnings, reason } = answer;
    const said = boundedWarnings([...labelWarnings(pod), ...warnings]);
    const found = { ...(source === undefined ? {} : { source }), warnings: said, ...compared() };
    const operations = settings.regionWithoutRole && !required ? injectRegion(pod, { settings, surroundings }) : [];
    return operations.length > 0 ? { ...found, kind: 'patch', reason, operations } : without(reason, found);
  }

  const { identity } = answer;
  const injection = inject(pod, identity, { settings, surroundings, uid: review.uid });
  const pending = settings.regionFromSurroundings && surroundings.region === undefined ? [REGION_PENDING] : [];
  const found = {
    method: identity.method,
    source: identity.source,
    ...(identity.roleArn === undefined ? {} : { roleArn: identity.roleArn }),
    warnings: boundedWarnings([...answer.warnings, ...injection.warnings, ...pending]),
    ...compared({ identity, injection }),
  };
  const { operations, identified } = injection;
  if (required && !identified) return without('nothing-to-inject', found);
  if (operations.length > 0) return { ...found, kind: 'patch', reason: 'injected', operations };
  return skip(identified ? 'already-injected' : 'nothing-to-inject', found);
}

/** Why the review is none that this webhook has anything to do with. */
function outsideReason({ resource, subResource, operation }: Review): SkipReason | undefined {
  if (resource !== 'pods') return 'not-a-pod';
  if (subResource !== '') return 'sub-resource';
  return operation === 'CREATE' ? undefined : 'not-create';
}

/** Any other value demands nothing, which the pod's author hardly meant. */
function labelWarnings(pod: JsonObject): readonly string[] {
  const value = podLabel(pod, REQUIRED_LABEL);
  if (value === undefined || ['true', 'false'].includes(value)) return [];
  return [`label ${REQUIRED_LABEL} is ${quoted(value)} and demands nothing: only "true" does`];
}

/** The API server's picture of a static pod: the kubelet runs it already, and it may not have a ServiceAccount. */
function isMirrorPod(pod: JsonObject): boolean {
  return podAnnotation(pod, 'kubernetes.io/config.mirror') !== undefined;
}

type Found = Entitlement & { readonly warnings?: readonly string[]; readonly comparison?: Comparison };

function comparedWith(pod: JsonObject, ours: Ours | undefined): Found {
  const result = comparison(pod, ours);
  return result === undefined ? {} : { comparison: result };
}

function skip(reason: SkipReason, found: Found): Skip {
  return { ...found, kind: 'skip', reason, warnings: boundedWarnings(found.warnings ?? []) };
}

function refuse(reason: SkipReason, found: Found, { key, prefix }: { key: AccountKey; prefix: string }): Refuse {
  const { meaning, fix } = EXPLANATIONS[reason];
  const message =
    `the pod's label ${REQUIRED_LABEL} demands an AWS identity, and it would get none: ` +
    `namespace ${key.namespace}, ServiceAccount ${key.name}, reason ${reason}: ` +
    `${meaning}; ${fix.replaceAll(DEFAULT_PREFIX, `${prefix}/`)}`;
  return { ...skip(reason, found), kind: 'refuse', message };
}
