// What a command may do with the world around it. main.ts gives the process's own; tests give strings.

import type { FlagValues } from '../flags/given.ts';

export interface CommandIo {
  /** The file as UTF-8 text. */
  readFile(path: string): Promise<string>;
  readStdin(): Promise<string>;
  /** The same as it came, for what may be in another encoding; the text's unless given. */
  readStdinBytes?(): Promise<Uint8Array>;
  /** Paths of the manifests below a directory; the file system's unless given. */
  listManifests?(directory: string): Promise<readonly string[]>;
  /** What was asked for. */
  stdout(text: string): void;
  /** Hints, warnings and what is wrong. */
  stderr(text: string): void;
  /** Whether stdout is a terminal that shows colours. */
  readonly colour: boolean;
}

/** 0: fine; 1: the command's verdict is "no"; 2: wrong use. */
export type ExitCode = 0 | 1 | 2;

/** How main.ts calls a command. */
export interface CommandCall {
  readonly flags: FlagValues;
  /** What stood beside the flags, as many as the table of commands allows. */
  readonly operands: readonly string[];
  readonly io: CommandIo;
}
