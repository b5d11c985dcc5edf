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
  const open: ('missing' | 'unknown')[] = [];
  let end = 0;
  const addOpen = (kind: 'missing' | 'unknown'): void => {
    tokens.push(...tokensOf('*'));
    open.push(kind);
  };
  const addPlain = (text: string): void => {
    // What begins like a variable and is none: IAM does not say what it makes of that.
    const [plain = '', ...broken] = text.split('${');
    tokens.push(...tokensOf(plain));
    if (broken.length > 0) addOpen('unknown');
  };
  for (const match of value.matchAll(VARIABLE)) {
    const [written, key = '', preset] = match;
    addPlain(value.slice(end, match.index));
    end = match.index + written.length;
    const text = ESCAPES.includes(key) ? key : textFor(key, preset, context);
    if (typeof text === 'string') tokens.push(...literalTokens(text));
    else addOpen(text.kind);
  }
  addPlain(value.slice(end));
  if (open.includes('missing')) return { kind: 'missing' };
  return { kind: open.length === 0 ? 'value' : 'unknown', tokens };
}

function textFor(
  key: string,
  preset: string | undefined,
  context: RequestContext,
): string | { readonly kind: 'missing' | 'unknown' } {
  const found = context.valueOf(key);
  if (found.kind === 'absent') return preset ?? { kind: 'missing' };
  // IAM: keys of several values cannot be variables, and amr is one of them also where it has one.
  const isSingle = found.kind === 'present' && found.values.length === 1 && !/:amr$/i.test(key);
  return isSingle ? found.values.join('') : { kind: 'unknown' };
}

/** Whether the value is what the key is worth, whatever that is. */
export function isVariableOf(value: string, key: string): boolean {
  return value.toLowerCase() === `\${${key.toLowerCase()}}`;
}

export function hasVariable(value: string): boolean {
  return value.search(VARIABLE) >= 0;
}
