// The text of a flag's value, checked against its row of the table.
import { parseGoBool, parseGoDuration, parseGoInt } from '../admission/go-syntax.ts';
import { isRawToken, RAW_TOKEN } from '../aws/raw-token.ts';
import type { Flag } from './flag.ts';

export type FlagValue = string | boolean | number;

/** The value, or a sentence that says which flag, which value and what is allowed. Durations are milliseconds. */
export function flagValue(
  flag: Flag,
  text: string,
  origin: string,
): { readonly value: FlagValue } | { readonly problem: string } {
  const given = isRawToken(text) ? `${origin}: ${RAW_TOKEN};` : `${origin}=${JSON.stringify(text)}:`;
  const problem = (allowed: string) => ({ problem: `${given} ${allowed}` });
  switch (flag.type) {
    case 'text':
      return { value: text };
    case 'boolean': {
      const value = parseGoBool(text);
      return value === undefined ? problem('want true or false') : { value };
    }
    case 'integer': {
      const value = parseGoInt(text);
      const [least, most] = flag.range ?? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
      const bounded =
        least === Number.MIN_SAFE_INTEGER ? 'want a whole number' : `want a whole number from ${least} to ${most}`;
      return value === undefined || value < least || value > most ? problem(bounded) : { value: Number(value) };
    }
    case 'duration': {
      const value = parseGoDuration(text);
      return value === undefined || value < 0 ? problem('want a duration such as 500ms, 10s or 1m30s') : { value };
    }
    case 'choice':
      return flag.choices?.includes(text) ? { value: text } : problem(`want one of ${flag.choices?.join(', ')}`);
  }
}
