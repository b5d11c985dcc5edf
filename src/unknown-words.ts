// What the command line says of a command or a flag that there is not: the one that was probably meant, else where
// all of them are.
import { isRawToken, RAW_TOKEN } from './aws/raw-token.ts';
import { distance } from './edit-distance.ts';
import type { Flag } from './flags/flag.ts';

/** More letters wrong than this is another word, and so is one of which more than half is wrong. */
const MAX_DISTANCE = 2;

/** `rawName` with its dashes. */
export function unknownFlag(rawName: string, flags: readonly Flag[]): string {
  if (isRawToken(rawName)) return `unknown flag: ${RAW_TOKEN}; see --help`;
  const [, dashes = '', name = ''] = /^(-*)(.*)$/s.exec(rawName) ?? [];
  const names = flags.map((flag) => flag.name);
  // A short flag is too short to be guessed.
  const meant = dashes === '--' ? nearestOf(name.replaceAll('_', '-'), names) : undefined;
  return `unknown flag ${rawName}: ${meant === undefined ? '' : `did you mean --${meant}? `}see --help`;
}

/** `word` is the first argument, `next` the second; neither is repeated where it is a token. A problem of several lines, where it lists commands. */
export function unknownCommand(
  { word, next }: { readonly word: string; readonly next: string },
  names: readonly string[],
): string {
  if ([word, next].some(isRawToken)) {
    return `unknown command: ${RAW_TOKEN}; token inspect wants a file with it, or - for standard input`;
  }
  const both = next === '' || next.startsWith('-') ? word : `${word} ${next}`;
  const group = names.filter((name) => name.startsWith(`${word} `));
  const meant = nearestOf(both, names);
  if (meant !== undefined) return `unknown command ${JSON.stringify(both)}: did you mean ${meant}? see --help`;
  if (group.length > 0) {
    const what = both === word ? 'half a' : 'unknown';
    return [`${what} command ${JSON.stringify(both)}: want one of these, and see --help`, ...group].join('\n');
  }
  const first = nearestOf(word, names.map(firstWord));
  const unknown = `unknown command ${JSON.stringify(word)}`;
  if (first !== undefined) return `${unknown}: did you mean ${first}? see --help`;
  return [`${unknown}: want one of these, and see --help`, ...names].join('\n');
}

function firstWord(name: string): string {
  return name.split(' ')[0] ?? '';
}

/** Undefined where no word is near, or two are as near as each other. */
function nearestOf(typed: string, words: readonly string[]): string | undefined {
  const most = Math.min(MAX_DISTANCE, typed.length / 2);
  const [first, second] = [...new Set(words)]
    .map((word) => ({ word, wrong: distance(typed.toLowerCase(), word) }))
    .filter(({ wrong }) => wrong <= most)
    .toSorted((one, other) => one.wrong - other.wrong);
  return first?.wrong === second?.wrong ? undefined : first?.word;
}
