// The log: one JSON object per line, a constant message and variable keys. Never a pod, an environment value, a token
// or a key, at any level. Writing it neither blocks nor ends the process.
import { pino } from 'pino';
import { boundedFields } from './log-fields.ts';
import { boundedLine, textLineFrom } from './log-line.ts';
import { createLineWriter } from './line-writer.ts';
import type { Recorder } from './recorder.ts';

/** Variable parts of a line. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the rooms of the shell may do with the log. */
export interface Log {
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'json' | 'text';

/** Where lines go; each ends in a line feed. */
export interface LogDestination {
  write(line: string): void;
  /** Whether all lines were written when the promise is kept. */
  flush?(): Promise<boolean>;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Default: standard output, asynchronously. */
  readonly destination?: LogDestination;
  /** Learns of lines that the default destination had to throw away. */
  readonly recorder?: Pick<Recorder, 'logDropped'>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface ClosableLog extends Log {
  /**
   * To be awaited before the process ends, or its last lines are lost. False: the reader took no more of them in time;
   * then even process.exit waits for that reader, because it joins the thread that is stuck in the write.
   */
  flush(): Promise<boolean>;
}

export function createLog(options: LogOptions): ClosableLog {
  const { level, format, recorder, now = Date.now } = options;
  const destination =
    options.destination ?? createLineWriter({ fd: 1, ...(recorder && { dropped: recorder.logDropped }) });
  const shaped = format === 'text' ? textLineFrom : boundedLine;
  // A stream of our own and no transport: transports are worker threads with files of their own, and the program is
  // bundled to one file.
  const log = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: boundedFields },
      // pino's own serializers would meet what boundedFields has made of the errors.
      serializers: { err: (value: unknown) => value },
    },
    { write: (line: string) => destination.write(shaped(line)) },
  );
  return {
    trace: (fields, message) => log.trace(fields, message),
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    flush: async () => destination.flush?.() ?? true,
  };
}
