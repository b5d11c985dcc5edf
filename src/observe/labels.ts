// Label values that stay few: every value is a time series that Prometheus keeps.

// More than this program has names for; what exceeds it was never meant as a label.
const MAX_VALUES = 32;
const OTHER = 'other';

const VERBS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** A function that passes the first 32 different values and makes `other` of all that follow. */
export function boundedLabel(): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= MAX_VALUES || value.length > 64) return OTHER;
    seen.add(value);
    return value;
  };
}

/** Node parses 35 methods; clients of a webhook use one. */
export function verbLabel(verb: string): string {
  return VERBS.has(verb) ? verb : OTHER;
}

export function codeLabel(code: number): string {
  return Number.isInteger(code) && code >= 100 && code <= 599 ? String(code) : OTHER;
}
