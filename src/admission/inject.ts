// inject(pod, …): the operations that give a pod its identity, for every container that is not skipped, and nothing for
// what is already there: a second pass over the result is empty.
import type { Variable, VolumeMount } from './container.ts';
import { hasMount, isExtensible, variablesOf } from './container.ts';
import type { Identity } from './identity.ts';
import type { JsonObject } from './json.ts';
import { isObject, ownField, ownString } from './json.ts';
import { methodFor } from './method.ts';
import type { Operation } from './patch.ts';
import { appended, pointer, prepended } from './patch.ts';
import type { ContainerAt } from './pod.ts';
import { containersOf } from './pod.ts';
import { podOverrides } from './pod-annotations.ts';
import { endpointVariables, regionVariables } from './region.ts';
import type { Settings, Surroundings } from './settings.ts';
import type { TokenProjection } from './token-volume.ts';
import { tokenVolume } from './token-volume.ts';

export interface Injection {
  /** Empty where there is nothing to add. */
  readonly operations: readonly Operation[];
  /** Whether a container has the identity, now or before. */
  readonly identified: boolean;
  readonly projection: TokenProjection;
  readonly warnings: readonly string[];
}

export interface InjectOptions {
  readonly settings: Settings;
  readonly surroundings: Surroundings;
  /** Of the review. */
  readonly uid: string;
}

export function inject(pod: JsonObject, identity: Identity, options: InjectOptions): Injection {
  const { settings, surroundings } = options;
  const { containers, overrides } = injectable(pod, settings);
  const expirationSeconds =
    overrides.expirationSeconds ?? identity.expirationSeconds ?? settings.tokenExpirationSeconds;
  const method = methodFor(pod, { identity, settings, expirationSeconds, uid: options.uid });
  const { projection } = method;
  const volume = tokenVolume(pod, projection);
  if (volume === undefined) return { projection, operations: [], identified: false, warnings: overrides.warnings };

  const mount: VolumeMount = { name: volume.name, readOnly: true, mountPath: method.mountPath };
  // SDKs without a region know no regional endpoint: while the region is still looked for, the flag waits for it.
  const isRegionPending = settings.regionFromSurroundings && surroundings.region === undefined;
  const regionalSts = identity.regionalSts ?? (settings.regionalSts && !isRegionPending);
  const endpoints = { region: surroundings.region, regionalSts, mirrored: settings.mirroredRegion };
  const operations: Operation[] = [];
  const warnings = [...overrides.warnings, ...method.warnings];
  let identified = false;
  for (const at of containers) {
    const present = variablesOf(at.container);
    const missing = method.missing(present, nameOf(at));
    warnings.push(...missing.warnings);
    if (missing.isLeftAlone) continue;
    operations.push(
      ...variableOperations(at, [...endpointVariables(present, endpoints), ...missing.variables], settings),
      ...(missing.readsToken ? mountOperations(at, mount) : []),
    );
    identified ||= missing.readsToken;
  }
  // Without a container that reads the token, the volume would be for nobody.
  if (!identified) return { projection, operations, identified, warnings };
  const labels = method.label === undefined ? [] : labelOperations(pod, method.label);
  return {
    projection,
    operations: [...volume.operations, ...labels, ...operations],
    identified,
    warnings: [...warnings, ...volume.warnings],
  };
}

/** The region alone, for a pod without an identity. */
export function injectRegion(
  pod: JsonObject,
  { settings, surroundings }: Omit<InjectOptions, 'uid'>,
): readonly Operation[] {
  const { region } = surroundings;
  return injectable(pod, settings).containers.flatMap((at) =>
    variableOperations(
      at,
      regionVariables(variablesOf(at.container), { region, mirrored: settings.mirroredRegion }),
      settings,
    ),
  );
}

/** The containers that get anything, and what the pod itself asks for. */
function injectable(pod: JsonObject, { annotationPrefix }: Settings) {
  const all = containersOf(pod);
  const overrides = podOverrides(pod, all.map(nameOf), annotationPrefix);
  const containers = all.filter((at) => !overrides.isSkipped(nameOf(at)) && isExtensible(at.container));
  return { containers, overrides };
}

function nameOf({ container }: ContainerAt): string {
  return ownString(container, 'name') ?? '';
}

function variableOperations(
  at: ContainerAt,
  variables: readonly Variable[],
  { variablesFirst }: Settings,
): Operation[] {
  const add = variablesFirst ? prepended : appended;
  return add(pointer('spec', at.list, at.index, 'env'), ownField(at.container, 'env'), variables);
}

function mountOperations({ container, list, index }: ContainerAt, mount: VolumeMount): Operation[] {
  if (hasMount(container, mount)) return [];
  return appended(pointer('spec', list, index, 'volumeMounts'), ownField(container, 'volumeMounts'), [mount]);
}

/** What the pod has in the place of the label stays as it is, whatever its value. */
function labelOperations(pod: JsonObject, { key, value }: { key: string; value: string }): Operation[] {
  const metadata = ownField(pod, 'metadata') ?? undefined;
  if (metadata === undefined) return [{ op: 'add', path: '/metadata', value: { labels: { [key]: value } } }];
  const labels = ownField(metadata, 'labels') ?? undefined;
  if (isObject(metadata) && labels === undefined)
    return [{ op: 'add', path: '/metadata/labels', value: { [key]: value } }];
  if (!isObject(labels) || Object.hasOwn(labels, key)) return [];
  return [{ op: 'add', path: pointer('metadata', 'labels', key), value }];
}
