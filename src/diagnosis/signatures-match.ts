// Which signature shows in a log, and where. Each pattern reads the text once, however long and whatever it is, so that
// the time grows with the length and not with its square.
import type { Signature } from './cause.ts';

// The longest message of one error, an SDK for Java's list of what each provider said, has about 4,000 characters: it
// stands whole in two pieces that are next to each other, and what is farther apart has nothing to do with each other.
const PIECE = 4096;

export interface Match {
  /** In the list of signatures: the lower, the nearer to the root of the trouble. */
  readonly index: number;
  readonly signature: Signature;
  /** What stands around it: role, issuer and account that are named there are those of the error. */
  readonly excerpt: string;
}

/** The first signature of the list that shows anywhere in the text. */
export function firstMatch(signatures: readonly Signature[], text: string): Match | undefined {
  const piecesWith = createSearch(text);
  const all = Array.from({ length: Math.ceil(text.length / PIECE) }, (_, index) => index);
  for (const [index, signature] of signatures.entries()) {
    const at = firstWindow(signature, all, piecesWith);
    if (at !== undefined) return { index, signature, excerpt: text.slice(at * PIECE, (at + 2) * PIECE) };
  }
  return undefined;
}

type Search = (pattern: RegExp) => ReadonlySet<number>;

function createSearch(text: string): Search {
  const known = new Map<RegExp, ReadonlySet<number>>();
  return (pattern) => {
    const pieces = known.get(pattern) ?? piecesOf(text, pattern);
    known.set(pattern, pieces);
    return pieces;
  };
}

/** The pieces of the text in which a match of the pattern begins: after the first, the rest of a piece is not read. */
function piecesOf(text: string, pattern: RegExp): ReadonlySet<number> {
  const global = new RegExp(pattern.source, `${pattern.flags}g`);
  const pieces = new Set<number>();
  for (let match = global.exec(text); match !== null; match = global.exec(text)) {
    const piece = Math.floor(match.index / PIECE);
    pieces.add(piece);
    global.lastIndex = (piece + 1) * PIECE;
  }
  return pieces;
}

/** Two pieces in a row that have all that the signature wants, and nothing that it must not have. */
function firstWindow({ has, unless }: Signature, all: readonly number[], piecesWith: Search): number | undefined {
  let windows = all;
  for (const pattern of has) {
    const pieces = piecesWith(pattern);
    if (pieces.size === 0) return undefined;
    windows = windows.filter((window) => inWindow(pieces, window));
  }
  if (unless === undefined || windows.length === 0) return windows[0];
  const unwanted = piecesWith(unless);
  return windows.find((window) => !inWindow(unwanted, window));
}

function inWindow(pieces: ReadonlySet<number>, window: number): boolean {
  return pieces.has(window) || pieces.has(window + 1);
}
