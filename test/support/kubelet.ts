// The kubelet's part in a pod's identity, for pods that only exist in the API server: it asks for each projected token, puts
// it into a file by its atomic writer's links, replaces it in time, and gives a container its environment.
import { chown, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';
import { createTokens } from './kubelet-tokens.ts';
import type { TokenSource } from './kubelet-tokens.ts';

export interface KubeletOptions {
  readonly source: TokenSource;
  /** Made here; the volumes are in it. */
  readonly directory: string;
  /** Milliseconds. */
  readonly now: () => number;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface Kubelet {
  /** Brings the token files of a stored pod up to date, as the kubelet does about every minute. */
  sync(pod: unknown): Promise<void>;
  /** What the container's process has as environment: paths below a mount lead to the mounted volume. */
  environmentOf(pod: unknown, container: string): Readonly<Record<string, string>>;
}

export function createKubelet({ source, directory, now, random }: KubeletOptions): Kubelet {
  const tokens = createTokens({ source, now, random });
  const generations = new Map<string, string>();
  let generation = 0;

  const volumeDirectory = (pod: unknown, volume: string): string =>
    join(directory, ownString(metadataOf(pod), 'uid') ?? '', volume);

  async function sync(pod: unknown): Promise<void> {
    const metadata = metadataOf(pod);
    const [name = '', namespace = '', uid = ''] = ['name', 'namespace', 'uid'].map((key) => ownString(metadata, key));
    const serviceAccount = ownString(ownField(pod, 'spec'), 'serviceAccountName') ?? 'default';
    for (const volume of ownList(ownField(pod, 'spec'), 'volumes')) {
      const projected = ownField(volume, 'projected');
      const files = new Map<string, string>();
      for (const each of ownList(projected, 'sources')) {
        const projection = ownField(each, 'serviceAccountToken');
        if (!isObject(projection)) continue;
        const token = await tokens.get({
          pod: { name, namespace, uid },
          serviceAccount,
          audience: ownString(projection, 'audience') ?? '',
          expirationSeconds: Number(ownField(projection, 'expirationSeconds')),
        });
        files.set(ownString(projection, 'path') ?? '', token);
      }
      if (files.size === 0) continue;
      await write({
        path: volumeDirectory(pod, ownString(volume, 'name') ?? ''),
        files,
        access: accessOf(pod, projected),
      });
    }
  }

  async function write({ path, files, access }: Volume): Promise<void> {
    generation += 1;
    const data = `..${generation}`;
    const before = generations.get(path);
    generations.set(path, data);
    await mkdir(join(path, data), { recursive: true });
    for (const [name, token] of files) {
      const file = join(path, data, name);
      await writeFile(file, token, { mode: access.mode });
      // -1 leaves what it is.
      if (access.uid !== undefined || access.gid !== undefined) await chown(file, access.uid ?? -1, access.gid ?? -1);
    }
    await symlink(data, join(path, '..data_tmp'));
    await rename(join(path, '..data_tmp'), join(path, '..data'));
    for (const name of files.keys()) {
      await rm(join(path, name), { force: true });
      await symlink(join('..data', name), join(path, name));
    }
    // An old token is not left lying about.
    if (before !== undefined) await rm(join(path, before), { recursive: true });
  }

  function environmentOf(pod: unknown, container: string): Readonly<Record<string, string>> {
    const found = ownList(ownField(pod, 'spec'), 'containers').find((each) => ownField(each, 'name') === container);
    const mounts = ownList(found, 'volumeMounts').map((mount) => {
      const volume = ownString(mount, 'name') ?? '';
      return { mountPath: `${ownString(mount, 'mountPath') ?? ''}/`, directory: volumeDirectory(pod, volume) };
    });
    const variables = ownList(found, 'env').map((variable): [string, string] => {
      const value = ownString(variable, 'value') ?? fieldOf(pod, variable);
      const mount = mounts.find(({ mountPath }) => value.startsWith(mountPath));
      const path = mount === undefined ? value : join(mount.directory, value.slice(mount.mountPath.length));
      return [ownString(variable, 'name') ?? '', path];
    });
    return Object.fromEntries(variables);
  }

  return { sync, environmentOf };
}

interface Volume {
  readonly path: string;
  readonly files: ReadonlyMap<string, string>;
  readonly access: Access;
}

interface Access {
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

// pkg/volume/projected/projected.go: with an fsGroup, or one user for all containers, nobody else may read a token.
function accessOf(pod: unknown, projected: unknown): Access {
  const spec = ownField(pod, 'spec');
  const security = ownField(spec, 'securityContext');
  const group = ownField(security, 'fsGroup');
  const users = [...ownList(spec, 'initContainers'), ...ownList(spec, 'containers')].map(
    (container) => ownField(ownField(container, 'securityContext'), 'runAsUser') ?? ownField(security, 'runAsUser'),
  );
  const [user] = users;
  if (typeof group === 'number') return { mode: 0o640, gid: group };
  if (typeof user === 'number' && users.every((each) => each === user)) return { mode: 0o600, uid: user };
  return { mode: Number(ownField(projected, 'defaultMode') ?? 0o644) };
}

/** The value of a variable that names a field of the pod; of those fields, the ones that the webhook names. */
function fieldOf(pod: unknown, variable: unknown): string {
  const path = ownString(ownField(ownField(variable, 'valueFrom'), 'fieldRef'), 'fieldPath') ?? '';
  const label = /^metadata\.labels\['(.+)'\]$/.exec(path)?.[1];
  if (label !== undefined) return ownString(ownField(metadataOf(pod), 'labels'), label) ?? '';
  return ownString(metadataOf(pod), path.replace(/^metadata\./, '')) ?? '';
}

function metadataOf(pod: unknown): unknown {
  return ownField(pod, 'metadata');
}
