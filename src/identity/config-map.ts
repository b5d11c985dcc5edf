// The ConfigMap that names roles for ServiceAccounts: what it says now, or said when it was last readable.
import type { AccountKey } from '../admission/identity.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import type { ConfigMapEntry } from './config-map-entries.ts';
import { createEntryIndex, parseEntries } from './config-map-entries.ts';

export interface ConfigMapOptions {
  /** `namespace/name`, for the log. */
  readonly object: string;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'reloadFailed' | 'configMapRead'>;
}

export interface ConfigMapSource {
  /** The text under the key `config`; undefined where there is no ConfigMap. An empty text empties. */
  apply(text: string | undefined): void;
  entryOf(key: AccountKey): ConfigMapEntry | undefined;
  entries(): readonly ConfigMapEntry[];
}

// More refused entries than these are only counted: a ConfigMap of a megabyte must not fill the log.
const MAX_LOGGED_REFUSALS = 20;

export function createConfigMapSource({ object, log, recorder }: ConfigMapOptions): ConfigMapSource {
  let entries: readonly ConfigMapEntry[] = [];
  let entryOf = createEntryIndex(entries);

  function apply(text: string | undefined): void {
    try {
      const parsed = parseEntries(text === undefined || text.trim() === '' ? '{}' : text);
      entries = parsed.entries;
      entryOf = createEntryIndex(entries);
      const { refusals } = parsed;
      for (const { key, problem } of refusals.slice(0, MAX_LOGGED_REFUSALS)) {
        log.error({ object, key, problem }, 'entry of the ConfigMap refused');
      }
      recorder.configMapRead({ entries: entries.length, refused: refusals.length });
      log.info({ object, entries: entries.length, refused: refusals.length }, 'ConfigMap read');
    } catch (error) {
      recorder.reloadFailed('config-map');
      log.error(
        { object, error, fix: 'key "config" must hold a JSON object' },
        'ConfigMap kept as it was last readable',
      );
    }
  }

  return { apply, entryOf: (key) => entryOf(key), entries: () => entries };
}
