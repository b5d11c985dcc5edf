// Shadow mode's second half: a pod that another webhook has already given an identity, held against what ours would
// have been.
import { variablesOf } from './container.ts';
import { AUTHORIZATION_FILE_VARIABLE, FULL_URI_VARIABLE } from './container-credentials.ts';
import type { Comparison } from './decision.ts';
import { isSpread } from './expiration.ts';
import type { Identity } from './identity.ts';
import type { Injection } from './inject.ts';
import type { JsonObject } from './json.ts';
import { ownField, ownList, ownString } from './json.ts';
import { containersOf } from './pod.ts';
import type { TokenProjection } from './token-volume.ts';
import { ROLE_ARN_VARIABLE, TOKEN_FILE_VARIABLE } from './web-identity.ts';

const IDENTITY_VARIABLES = [ROLE_ARN_VARIABLE, TOKEN_FILE_VARIABLE, FULL_URI_VARIABLE, AUTHORIZATION_FILE_VARIABLE];

/** What this webhook would give the pod. */
export interface Ours {
  readonly identity: Identity;
  readonly injection: Injection;
}

/** Undefined where the pod has no identity yet; `ours` is undefined where it would get none of us. */
export function comparison(pod: JsonObject, ours: Ours | undefined): Comparison | undefined {
  const containers = containersOf(pod).map(({ container }) => variablesOf(container));
  if (!containers.some((variables) => IDENTITY_VARIABLES.some((name) => variables.has(name)))) return undefined;
  if (ours === undefined) return { result: 'differs', field: 'identity' };
  const field =
    missingField(ours.injection) ??
    (containers.some((variables) => differs(variables.get(ROLE_ARN_VARIABLE), ours.identity.roleArn))
      ? ROLE_ARN_VARIABLE
      : projectionField(pod, ours.injection.projection));
  return field === undefined ? { result: 'same' } : { result: 'differs', field };
}

/** What our injection would still add is what the other one lacks. */
function missingField({ operations }: Injection): string | undefined {
  const [first] = operations;
  if (first === undefined) return undefined;
  const [item] = Array.isArray(first.value) ? (first.value as readonly unknown[]) : [first.value];
  return first.path.includes('/env') ? ownString(item, 'name') : first.path.replace(/\/(?:-|[0-9]+)$/, '');
}

function projectionField(pod: JsonObject, ours: TokenProjection): string | undefined {
  const token = ownList(ownField(pod, 'spec'), 'volumes')
    .flatMap((volume) => ownList(ownField(volume, 'projected'), 'sources'))
    .map((source) => ownField(source, 'serviceAccountToken'))
    .find((candidate) => ownString(candidate, 'path') === ours.path && ownString(candidate, 'audience') !== undefined);
  if (token === undefined) return undefined;
  if (ownString(token, 'audience') !== ours.audience) return 'audience';
  const expirationSeconds = ownField(token, 'expirationSeconds');
  const alike =
    expirationSeconds === ours.expirationSeconds || [expirationSeconds, ours.expirationSeconds].every(isSpread);
  return alike ? undefined : 'expirationSeconds';
}

function differs(theirs: string | undefined, ours: string | undefined): boolean {
  return theirs !== undefined && theirs !== ours;
}
