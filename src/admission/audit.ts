// Whether a pod that is stored has the identity that it would get today: mutate() itself is asked, so that nothing is
// found in a pod that was just injected.
import { variablesOf } from './container.ts';
import type { Decision, UnknownReason } from './decision.ts';
import type { AccountKey, IdentityAnswer, IdentityOf } from './identity.ts';
import type { JsonObject } from './json.ts';
import { ownField, ownList, ownString } from './json.ts';
import type { MutateDeps } from './mutate.ts';
import { accountKeyOf, mutate } from './mutate.ts';
import type { Operation } from './patch.ts';
import { containersOf, isWindows } from './pod.ts';
import type { Review } from './review.ts';
import type { Settings } from './settings.ts';
import {
  ROLE_ARN_VARIABLE,
  TOKEN_FILE_NAME,
  TOKEN_FILE_VARIABLE,
  TOKEN_VOLUME_NAME,
  tokenFilePath,
} from './web-identity.ts';

/** `missed`: it lacks something that it would get. `stale`: it has what its account no longer says. */
export type PodFault = 'missed' | 'stale';

export type PodAudit =
  | { readonly kind: 'right' }
  /** It has ended or is about to: nothing of it matters any more. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason | 'service-account-not-in-input' }
  | { readonly kind: PodFault; readonly account: AccountKey; readonly evidence: string; readonly roleArn?: string };

/** `timeoutMs`: how long the pod's account may be looked up. */
export async function auditPod(pod: JsonObject, deps: MutateDeps, timeoutMs: number): Promise<PodAudit> {
  if (isEnded(pod)) return { kind: 'ended' };
  const review = reviewOf(pod);
  const account = accountKeyOf(review);
  let answer: IdentityAnswer | undefined;
  const identityOf: IdentityOf = async (key, options) => {
    answer = await deps.identityOf(key, options);
    return answer;
  };
  const decision = await mutate(review, { ...deps, identityOf }, timeoutMs);
  if (decision.kind === 'unknown') return { kind: 'unknown', reason: decision.reason };
  if (decision.reason === 'service-account-not-in-input') return { kind: 'unknown', reason: decision.reason };
  const roleArn = decision.roleArn === undefined ? {} : { roleArn: decision.roleArn };
  const changed = answer === undefined ? undefined : changeOf(pod, answer, deps.settings);
  if (changed !== undefined && decision.kind !== 'patch')
    return { kind: 'stale', account, evidence: changed, ...roleArn };
  const lacking = lackOf(decision);
  return lacking === undefined ? { kind: 'right' } : { kind: 'missed', account, evidence: lacking, ...roleArn };
}

function isEnded(pod: JsonObject): boolean {
  const phase = ownString(ownField(pod, 'status'), 'phase') ?? '';
  const isDeleted = ownString(ownField(pod, 'metadata'), 'deletionTimestamp') !== undefined;
  return isDeleted || phase === 'Succeeded' || phase === 'Failed';
}

/** As the API server would ask if the pod were created again. */
function reviewOf(pod: JsonObject): Review {
  const metadata = ownField(pod, 'metadata');
  const namespace = ownString(metadata, 'namespace') ?? '';
  return {
    apiVersion: 'admission.k8s.io/v1',
    uid: ownString(metadata, 'uid') ?? '',
    namespace: namespace === '' ? 'default' : namespace,
    resource: 'pods',
    subResource: '',
    operation: 'CREATE',
    dryRun: true,
    pod,
  };
}

/** What the pod lacks, for people; undefined where it lacks nothing. */
function lackOf(decision: Exclude<Decision, { kind: 'unknown' }>): string | undefined {
  if (decision.kind === 'refuse') return `it demands an identity and has none: ${decision.reason}`;
  if (decision.kind === 'skip') return undefined;
  return `it lacks ${[...new Set(decision.operations.flatMap(namesIn))].join(', ')}`;
}

function namesIn({ path, value }: Operation): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const kind = /\/(env|volumeMounts|volumes)(?:\/|$)/.exec(path)?.[1];
  if (kind === undefined) return ['its label'];
  const prefix = kind === 'env' ? '' : kind === 'volumes' ? 'volume ' : 'mount ';
  return values.map((one) => `${prefix}${ownString(one, 'name')}`);
}

/** What of a web identity is no longer what the account says; what the pod's author wrote is none of ours to judge. */
function changeOf(pod: JsonObject, answer: IdentityAnswer, settings: Settings): string | undefined {
  const roles = injectedRoles(pod, settings);
  const [first] = roles;
  if (answer.kind === 'unknown' || first === undefined) return undefined;
  if (answer.kind === 'none')
    return `it has role ${JSON.stringify(first.roleArn)}, and its account has none: ${answer.reason}`;
  const { method, roleArn, audience = settings.tokenAudience } = answer.identity;
  if (method !== 'sts_web_identity') return undefined;
  const other = roles.find((role) => role.roleArn !== roleArn);
  if (other !== undefined) {
    return `container ${other.container} has role ${JSON.stringify(other.roleArn)}, its account ${JSON.stringify(roleArn ?? '')}`;
  }
  const stored = audiencesOf(pod).find((one) => one !== audience);
  return stored === undefined
    ? undefined
    : `its token is for ${JSON.stringify(stored)}, its account asks for ${JSON.stringify(audience)}`;
}

interface InjectedRole {
  readonly container: string;
  readonly roleArn: string;
}

/** An injection puts both variables beside each other; a pod's own AWS_ROLE_ARN stands elsewhere, and may stay. */
function injectedRoles(pod: JsonObject, { tokenMountPath }: Settings): readonly InjectedRole[] {
  const path = `${tokenMountPath}/${TOKEN_FILE_NAME}`;
  const files = [path, tokenFilePath(path, isWindows(pod))];
  return containersOf(pod).flatMap(({ container }) => {
    const variables = variablesOf(container);
    const names = [...variables.keys()];
    const roleArn = variables.get(ROLE_ARN_VARIABLE);
    const isBeside = names.indexOf(TOKEN_FILE_VARIABLE) === names.indexOf(ROLE_ARN_VARIABLE) + 1;
    const isOurs = isBeside && files.some((file) => file === variables.get(TOKEN_FILE_VARIABLE));
    return roleArn === undefined || !isOurs ? [] : [{ container: ownString(container, 'name') ?? '', roleArn }];
  });
}

function audiencesOf(pod: JsonObject): readonly string[] {
  return ownList(ownField(pod, 'spec'), 'volumes')
    .filter((volume) => ownString(volume, 'name')?.startsWith(TOKEN_VOLUME_NAME) === true)
    .flatMap((volume) => ownList(ownField(volume, 'projected'), 'sources'))
    .map((source) => ownField(source, 'serviceAccountToken'))
    .filter((token) => ownString(token, 'path') === TOKEN_FILE_NAME)
    .flatMap((token) => ownString(token, 'audience') ?? []);
}
