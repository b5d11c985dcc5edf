// The values of a command's flags, as the rest of the program reads them.
import type { Flag } from './flag.ts';
import type { FlagValue } from './values.ts';
import { flagValue } from './values.ts';

/** The flags of one command with their values. */
export interface FlagValues {
  text(name: string): string | undefined;
  isOn(name: string): boolean;
  number(name: string): number;
  /** Every value of a flag that may be given more than once. */
  all(name: string): readonly string[];
  /** Whether the value comes from the command line or the environment, not from the default. */
  isGiven(name: string): boolean;
}

/** What was given, and the defaults of all else. */
export function flagValues(flags: readonly Flag[], given: ReadonlyMap<string, readonly FlagValue[]>): FlagValues {
  const values = new Map<string, readonly FlagValue[]>();
  for (const flag of flags) {
    const value = flag.default === undefined ? undefined : flagValue(flag, flag.default, flag.name);
    values.set(flag.name, given.get(flag.name) ?? (value !== undefined && 'value' in value ? [value.value] : []));
  }
  const last = (name: string): FlagValue | undefined => values.get(name)?.at(-1);
  return {
    text: (name) => last(name)?.toString(),
    isOn: (name) => last(name) === true,
    number: (name) => Number(last(name)),
    all: (name) => (values.get(name) ?? []).map(String),
    isGiven: (name) => given.has(name),
  };
}
