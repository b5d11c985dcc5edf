// Warnings for the person who creates the pod: kubectl prints them. Kubernetes advises 120 characters at most and cuts
// all warnings of a request beyond 4096, so they are short and few.

const MAX_CHARACTERS = 120;
const MAX_WARNINGS = 8;
const MAX_QUOTED = 40;

/** A value as text that fits into one line, in quotes; long ones are cut. */
export function quoted(value: string): string {
  const shown = value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED - 1)}…` : value;
  return JSON.stringify(shown);
}

/** The list as it may go into an answer: each cut to 120 characters, without repetition, at most eight. */
export function boundedWarnings(warnings: readonly string[]): readonly string[] {
  const short = warnings.map((text) => (text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS - 1)}…` : text));
  return [...new Set(short)].slice(0, MAX_WARNINGS);
}
