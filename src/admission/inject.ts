// inject(pod, identity, settings): the operations that give a pod its identity, for every container that is not
// skipped, and nothing for what is already there: a second pass over the result is empty.
import { podOverrides } from './annotations.ts';
import type { Variable, Variables, VolumeMount } from './container.ts';
import { hasMount, isExtensible, variablesOf } from './container.ts';
import type { Identity } from './identity.ts';
import type { JsonObject } from './json.ts';
import { ownField, ownString } from './json.ts';
import type { Operation } from './patch.ts';
import { appended, pointer } from './patch.ts';
import type { ContainerAt } from './pod.ts';
import { containersOf, isWindows } from './pod.ts';
import type { Settings } from './settings.ts';
import { tokenVolume } from './token-volume.ts';
import { TOKEN_FILE_NAME, TOKEN_VOLUME_NAME, webIdentityFor } from './web-identity.ts';

export interface Injection {
  /** Empty where there is nothing to add. */
  readonly operations: readonly Operation[];
  /** Whether a container has the identity, now or before. */
  readonly identified: boolean;
  readonly audience: string;
  readonly expirationSeconds: number;
  readonly warnings: readonly string[];
}

export function inject(pod: JsonObject, identity: Identity, settings: Settings): Injection {
  const containers = containersOf(pod);
  const names = containers.map(({ container }) => ownString(container, 'name') ?? '');
  const overrides = podOverrides(pod, names, settings.annotationPrefix);
  const token = {
    audience: identity.audience ?? settings.tokenAudience,
    expirationSeconds: overrides.expirationSeconds ?? identity.expirationSeconds ?? settings.tokenExpirationSeconds,
  };
  const volume = tokenVolume(pod, { volumeName: TOKEN_VOLUME_NAME, path: TOKEN_FILE_NAME, ...token });
  if (volume === undefined) return { ...token, operations: [], identified: false, warnings: overrides.warnings };

  const mount: VolumeMount = { name: volume.name, readOnly: true, mountPath: settings.tokenMountPath };
  const webIdentity = { roleArn: identity.roleArn ?? '', mountPath: settings.tokenMountPath, windows: isWindows(pod) };
  const operations: Operation[] = [];
  let identified = false;
  for (const at of containers) {
    if (overrides.skippedContainers.has(ownString(at.container, 'name') ?? '') || !isExtensible(at.container)) continue;
    const present = variablesOf(at.container);
    const credentials = webIdentityFor(present, webIdentity);
    const variables = [...endpointVariables(present, identity, settings), ...credentials.variables];
    operations.push(...containerOperations(at, variables, credentials.readsToken ? mount : undefined));
    identified ||= credentials.readsToken;
  }
  // Without a container that reads the token, the volume would be for nobody.
  const { operations: volumeOperations, warnings } = identified ? volume : { operations: [], warnings: [] };
  return {
    ...token,
    operations: [...volumeOperations, ...operations],
    identified,
    warnings: [...overrides.warnings, ...warnings],
  };
}

/** The STS endpoint and the region pair. Where the container has one of the pair, the other is its author's business. */
function endpointVariables(present: Variables, identity: Identity, settings: Settings): Variable[] {
  const variables: Variable[] = [];
  if ((identity.regionalSts ?? settings.regionalSts) && !present.has('AWS_STS_REGIONAL_ENDPOINTS')) {
    variables.push({ name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' });
  }
  const { region } = settings;
  if (region !== undefined && !present.has('AWS_DEFAULT_REGION') && !present.has('AWS_REGION')) {
    variables.push({ name: 'AWS_DEFAULT_REGION', value: region }, { name: 'AWS_REGION', value: region });
  }
  return variables;
}

function containerOperations(at: ContainerAt, variables: readonly Variable[], mount?: VolumeMount): Operation[] {
  const { container, list, index } = at;
  const mounts = mount === undefined || hasMount(container, mount) ? [] : [mount];
  return [
    ...appended(pointer('spec', list, index, 'env'), ownField(container, 'env'), variables),
    ...appended(pointer('spec', list, index, 'volumeMounts'), ownField(container, 'volumeMounts'), mounts),
  ];
}
