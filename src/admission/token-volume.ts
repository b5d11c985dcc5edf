// The volume that holds the pod's token: found where the pod has a fitting one, else made under a free name.
import type { JsonObject } from './json.ts';
import { ownField, ownList, ownString } from './json.ts';
import type { Operation } from './patch.ts';
import { isListOrAbsent, prepended } from './patch.ts';
import { quoted } from './warning.ts';

export interface TokenProjection {
  readonly volumeName: string;
  /** File name in the volume. */
  readonly path: string;
  readonly audience: string;
  readonly expirationSeconds: number;
}

export interface TokenVolume {
  readonly name: string;
  /** Empty where the pod has the volume already. */
  readonly operations: readonly Operation[];
  readonly warnings: readonly string[];
}

/** Undefined where the pod's volumes are no list, so that none can be added. */
export function tokenVolume(pod: JsonObject, projection: TokenProjection): TokenVolume | undefined {
  const spec = ownField(pod, 'spec');
  const field = ownField(spec, 'volumes');
  if (!isListOrAbsent(field)) return undefined;
  const volumes = new Map(ownList(spec, 'volumes').map((volume) => [ownString(volume, 'name'), volume]));

  const { volumeName, path } = projection;
  const usable = (name: string): boolean => !volumes.has(name) || projectsToken(volumes.get(name), path);
  let name = volumeName;
  for (let suffix = 2; !usable(name); suffix += 1) name = `${volumeName}-${suffix}`;
  return {
    name,
    // A volume that is there is used as it is: its audience and expiration may be the author's choice.
    operations: volumes.has(name) ? [] : prepended('/spec/volumes', field, [volumeFrom(name, projection)]),
    warnings: name === volumeName ? [] : [foreignWarning(volumeName, name)],
  };
}

function projectsToken(volume: unknown, path: string): boolean {
  return ownList(ownField(volume, 'projected'), 'sources').some(
    (source) => ownString(ownField(source, 'serviceAccountToken'), 'path') === path,
  );
}

/** `defaultMode` is left to the API server, which knows its own default. */
function volumeFrom(name: string, { audience, expirationSeconds, path }: TokenProjection): unknown {
  return { name, projected: { sources: [{ serviceAccountToken: { audience, expirationSeconds, path } }] } };
}

function foreignWarning(volumeName: string, name: string): string {
  return `volume ${quoted(volumeName)} of the pod holds no such token; the AWS token is in ${quoted(name)}`;
}
