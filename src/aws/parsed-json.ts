// JSON.parse for text that a person names. Its own errors quote what they stumble over, and in a file that was given by
// mistake that is the beginning of a secret.

/** Throws SyntaxError, whose message says where the text goes wrong as far as that is known, and never what it holds. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Without its cause, which would take the text into a log.
    throw new SyntaxError(whyNotJson(String(error)));
  }
}

/** V8 tells the place of most faults; of a token that has no business there it tells the text around it instead. */
function whyNotJson(said: string): string {
  const [, line, column] = /\(line (\d+) column (\d+)\)$/.exec(said) ?? [];
  if (line !== undefined) return `not JSON: see line ${line}, column ${column}`;
  return said.endsWith('Unexpected end of JSON input') ? 'not JSON: it ends too early' : 'not JSON';
}
