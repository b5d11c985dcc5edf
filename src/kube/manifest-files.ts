// The directory of manifests that stands for a cluster: which files count, and what tells of changes.
import { watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths of all manifests below a directory, in the order of their names. */
export async function listManifests(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  // A mounted ConfigMap has its files twice, once below a hidden directory; installed packages are nobody's cluster.
  const visible = entries.filter(({ name }) => !name.startsWith('.') && name !== 'node_modules');
  const paths: string[] = [];
  for (const entry of visible.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) paths.push(...(await listManifests(path)));
    else if (/\.(?:ya?ml|json)$/.test(entry.name)) paths.push(path);
  }
  return paths;
}

/** Returns what ends the watch. Never throws: where nothing can be watched there are no hints, and the poll remains. */
export function watchManifests(directory: string, changed: () => void): () => void {
  try {
    const watcher = watch(directory, { persistent: false, recursive: true }, changed);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
}

/** A timer that does not keep the process alive. Returns what cancels it. */
export function setRealTimer(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs).unref();
  return () => clearTimeout(timer);
}
