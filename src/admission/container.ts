// What this program reads of a container: its variables and its mounts.
import type { JsonObject } from './json.ts';
import { ownField, ownList, ownString } from './json.ts';
import { isListOrAbsent } from './patch.ts';

export type Variable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly valueFrom: { readonly fieldRef: { readonly fieldPath: string } } };

export interface VolumeMount {
  readonly name: string;
  readonly readOnly: true;
  readonly mountPath: string;
}

/** Values by name; undefined where the value comes from elsewhere (`valueFrom`). The last of equal names counts. */
export type Variables = ReadonlyMap<string, string | undefined>;

export function variablesOf(container: JsonObject): Variables {
  const variables = new Map<string, string | undefined>();
  for (const entry of ownList(container, 'env')) {
    const name = ownString(entry, 'name');
    if (name === undefined) continue;
    // Kubernetes reads a variable without value and valueFrom as the empty string.
    const value = ownField(entry, 'valueFrom') === undefined ? (ownString(entry, 'value') ?? '') : undefined;
    variables.set(name, value);
  }
  return variables;
}

/** Whether a mount of the volume or at the path is there; Kubernetes refuses two mounts at one path. */
export function hasMount(container: JsonObject, { name, mountPath }: Pick<VolumeMount, 'name' | 'mountPath'>): boolean {
  return ownList(container, 'volumeMounts').some(
    (mount) => ownString(mount, 'name') === name || withoutTrailingSlash(ownString(mount, 'mountPath')) === mountPath,
  );
}

/** Whether variables and mounts can be appended: anything but a list would have to be replaced. */
export function isExtensible(container: JsonObject): boolean {
  return isListOrAbsent(ownField(container, 'env')) && isListOrAbsent(ownField(container, 'volumeMounts'));
}

function withoutTrailingSlash(path: string | undefined): string | undefined {
  return path?.replace(/\/+$/, '');
}
