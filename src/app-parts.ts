// What every part of the server is built from.
import type { Config } from './config.ts';
import type { Log } from './observe/log.ts';
import type { Recorder } from './observe/recorder.ts';

export interface AppParts {
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Resolves after the time, or as soon as the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly random: () => number;
}
