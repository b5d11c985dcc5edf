// Policy variables such as ${aws:username}, which count in version 2012-10-17 only; before it they are plain text.
import type { RequestContext } from './trust-policy-context.ts';
import type { Token } from './trust-policy-patterns.ts';
import { literalTokens, tokensOf } from './trust-policy-patterns.ts';

export type Resolved =
  | { readonly kind: 'value'; readonly tokens: readonly Token[] }
  /** A variable stands for nothing in this call. */
  | { readonly kind: 'missing' }
  /** A variable depends on the request; here it is a wildcard. */
  | { readonly kind: 'unknown'; readonly tokens: readonly Token[] };

/** Key, without blanks, and perhaps a default in single quotes. */
const VARIABLE = /\$\{([^{},\s]+)(?:,\s*'([^']*)')?\}/g;
/** ${*}, ${?} and ${$} are how those characters are written without a meaning. */
const ESCAPES = ['*', '?', '$'];

export function resolveValue(
  value: string,
  { context, version }: { readonly context: RequestContext; readonly version: string },
): Resolved {
  if (version !== '2012-10-17') return { kind: 'value', tokens: tokensOf(value) };
  const tokens: Token[] = [];
  let end = 0;
  let worst: Resolved['kind'] = 'value';
  for (const match of value.matchAll(VARIABLE)) {
    const [written, key = '', preset] = match;
    tokens.push(...tokensOf(value.slice(end, match.index)));
    end = match.index + written.length;
    const text = ESCAPES.includes(key) ? key : textFor(key, preset, context);
    if (typeof text === 'string') tokens.push(...literalTokens(text));
    else {
      tokens.push(...tokensOf('*'));
      if (worst !== 'missing') worst = text.kind;
    }
  }
  tokens.push(...tokensOf(value.slice(end)));
  return worst === 'missing' ? { kind: worst } : { kind: worst, tokens };
}

function textFor(
  key: string,
  preset: string | undefined,
  context: RequestContext,
): string | { readonly kind: 'missing' | 'unknown' } {
  const found = context.valueOf(key);
  if (found.kind === 'unknown') return { kind: 'unknown' };
  // IAM takes no variable that stands for several values.
  if (found.kind === 'present' && found.values.length === 1) return found.values.join('');
  return preset ?? { kind: 'missing' };
}

/** Whether the value is what the key is worth, whatever that is. */
export function isVariableOf(value: string, key: string): boolean {
  return value.toLowerCase() === `\${${key.toLowerCase()}}`;
}

export function hasVariable(value: string): boolean {
  return value.search(VARIABLE) >= 0;
}
