// Wildcards as IAM reads them, and values with policy variables put in. What a variable stands for is never a wildcard.

/** A literal character, or one of the two wildcards, which are longer than any character. */
export type Token = string;

const ANY: Token = '{any}';
const ONE: Token = '{one}';

/** Every `*` and `?` is a wildcard. */
export function tokensOf(pattern: string): readonly Token[] {
  return Array.from(pattern).map((character) => (character === '*' ? ANY : character === '?' ? ONE : character));
}

export function literalTokens(text: string): readonly Token[] {
  return Array.from(text);
}

/** The text that the tokens stand for where wildcards are letters like others. */
export function textOfTokens(tokens: readonly Token[]): string {
  return tokens.map((token) => (token === ANY ? '*' : token === ONE ? '?' : token)).join('');
}

/** `*` stands for any number of characters, `?` for one. Takes time in proportion to the product of both lengths. */
export function matchesTokens(tokens: readonly Token[], text: string): boolean {
  const characters = Array.from(text);
  let [at, from] = [0, 0];
  let retry: { readonly at: number; from: number } | undefined;
  while (from < characters.length) {
    const token = tokens[at];
    if (token === ANY) {
      retry = { at, from };
      at += 1;
    } else if (token !== undefined && (token === ONE || token === characters[from])) {
      at += 1;
      from += 1;
    } else if (retry !== undefined) {
      // The last `*` takes one character more.
      retry.from += 1;
      at = retry.at + 1;
      from = retry.from;
    } else {
      return false;
    }
  }
  return tokens.slice(at).every((token) => token === ANY);
}

export function matchesPattern(pattern: string, text: string): boolean {
  return matchesTokens(tokensOf(pattern), text);
}

export function hasWildcard(text: string): boolean {
  return /[*?]/.test(text);
}

const ARN_PARTS = 6;

/** ARNs are compared part by part; no wildcard reaches beyond the colon after its part, but in the last. */
export function matchesArn(tokens: readonly Token[], arn: string): boolean {
  const parts = partsOf(literalTokens(arn)).map(textOfTokens);
  const wanted = partsOf(tokens);
  if (parts.length < ARN_PARTS || wanted.length < ARN_PARTS) return false;
  return wanted.every((part, index) => matchesTokens(part, String(parts[index])));
}

export function isArn(text: string): boolean {
  return text.split(':').length >= ARN_PARTS;
}

/** Split at the first five colons. */
function partsOf(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token === ':' && parts.length < ARN_PARTS) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}
