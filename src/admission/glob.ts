// Names with `*`, which stands for any number of characters. Linear in the text, so that no pattern of a tenant can
// keep the process busy.

/** Whether the whole text is matched. */
export function matchesGlob(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let position = first.length;
  // The leftmost place of each piece leaves the most room for those behind it.
  for (const piece of rest) {
    const found = text.indexOf(piece, position);
    if (found === -1 || found + piece.length > end) return false;
    position = found + piece.length;
  }
  return true;
}

/** How many characters of the pattern stand for themselves. */
export function literalLength(pattern: string): number {
  return pattern.replaceAll('*', '').length;
}
