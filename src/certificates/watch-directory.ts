// Tells when something in a directory changes. A hint only: what depends on it also polls.
import { watch } from 'node:fs';

/** Returns what ends the watch. Never throws: an absent directory, or no inotify watch left, means no hints. */
export function watchDirectory(directory: string, changed: () => void): () => void {
  try {
    const watcher = watch(directory, { persistent: false }, changed);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
}
