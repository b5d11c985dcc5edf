// How much of a word is wrong: for keys and for commands that somebody mistyped.

/** Letters to insert, remove or replace (Levenshtein). */
export function distance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of one.split('').entries()) {
    const current = [row + 1];
    for (let column = 0; column < other.length; column += 1) {
      const replaced = Number(previous[column]) + (letter === other[column] ? 0 : 1);
      current.push(Math.min(replaced, Number(previous[column + 1]) + 1, Number(current[column]) + 1));
    }
    previous = current;
  }
  return Number(previous[other.length]);
}
