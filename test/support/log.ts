// A log that remembers.
import type { Log, LogFields } from '../../src/observe/log.ts';

export interface TestLine {
  readonly level: string;
  readonly fields: LogFields;
  readonly message: string;
}

export interface TestLog {
  readonly log: Log;
  readonly lines: TestLine[];
  /** `level message` of each line. */
  messages(): string[];
}

export function createTestLog(): TestLog {
  const lines: TestLine[] = [];
  const at =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      void lines.push({ level, fields, message });
  return {
    log: { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    lines,
    messages: () => lines.map(({ level, message }) => `${level} ${message}`),
  };
}
