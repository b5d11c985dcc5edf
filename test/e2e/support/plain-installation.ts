// The manifests of deploy/ by kubectl and its kustomize, with nothing changed but where the image comes from.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Cluster } from './cluster.ts';
import { imageValues } from './release.ts';

export interface PlainInstallation {
  /** Returns at once. */
  apply(): Promise<void>;
  /** Resolves when what was applied is gone. */
  remove(): Promise<void>;
}

const deploy = join(import.meta.dirname, '..', '..', '..', 'deploy');
const published = 'ghcr.io/pod-identity-webhook/pod-identity-webhook';

export function createPlainInstallation({ kubectl, image }: Pick<Cluster, 'kubectl' | 'image'>): PlainInstallation {
  async function run(...words: readonly string[]): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), 'kustomization-'));
    try {
      const { registry, repository, tag, digest } = imageValues(image);
      const by = { newName: `${registry}/${repository}`, ...(digest === undefined ? { newTag: tag } : { digest }) };
      const kustomization = { resources: [relative(directory, deploy)], images: [{ name: published, ...by }] };
      writeFileSync(join(directory, 'kustomization.yaml'), JSON.stringify(kustomization));
      await kubectl([...words, '-k', directory]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  return { apply: async () => run('apply'), remove: async () => run('delete', '--wait', '--timeout=90s') };
}
