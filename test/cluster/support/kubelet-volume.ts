// A ConfigMap's volume as the kubelet lays it out: the file is a link into `..data`, which is itself a link and is turned
// to a new directory at each change.
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface KubeletVolume {
  /** Path of the one file in it. */
  readonly file: string;
  swap(content: string): Promise<void>;
}

export interface KubeletVolumeOptions {
  /** Made here. */
  readonly directory: string;
  readonly name: string;
  readonly content: string;
}

export async function createKubeletVolume({ directory, name, content }: KubeletVolumeOptions): Promise<KubeletVolume> {
  let generation = 0;

  async function swap(next: string): Promise<void> {
    const before = join(directory, `..${generation}`);
    generation += 1;
    await mkdir(join(directory, `..${generation}`));
    await writeFile(join(directory, `..${generation}`, name), next);
    await symlink(`..${generation}`, join(directory, '..data_tmp'));
    await rename(join(directory, '..data_tmp'), join(directory, '..data'));
    await rm(before, { recursive: true, force: true });
  }

  await mkdir(directory);
  await swap(content);
  await symlink(join('..data', name), join(directory, name));
  return { file: join(directory, name), swap };
}

/** What --watch-container-credentials-config reads: accounts as `namespace/name`. */
export function credentialsFileOf(accounts: readonly string[]): string {
  const identities = accounts.map((account) => {
    const [namespace, serviceAccount] = account.split('/');
    return { namespace, serviceAccount };
  });
  return JSON.stringify({ identities });
}
