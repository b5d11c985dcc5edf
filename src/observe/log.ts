// The log: one JSON object per line, a constant message and variable keys. Never a pod, an environment value, a token
// or a key, at any level.

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
