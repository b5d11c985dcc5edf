// What the person who started the program must change before it can run. Exit code 2.

export type ConfigErrorCode = 'usage' | 'unusable-file';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;
  /** Every problem that was found, a sentence each. */
  readonly problems: readonly string[];

  constructor(code: ConfigErrorCode, problems: readonly string[], options?: { readonly cause?: unknown }) {
    super(problems.join('\n'), options);
    this.code = code;
    this.problems = problems;
  }
}
