// Whether a clause of a Condition holds, by IAM's rules: values of a key are alternatives, an absent key makes an operator
// false, but a negated one, ...IfExists and ForAllValues true.
import type { Clause } from './trust-policy-clauses.ts';
import type { RequestContext } from './trust-policy-context.ts';
import type { Operator } from './trust-policy-operators.ts';
import type { Token } from './trust-policy-patterns.ts';
import { matchesArn, matchesTokens, textOfTokens } from './trust-policy-patterns.ts';
import type { Truth } from './trust-policy-truth.ts';
import { every, not, some, truthOf } from './trust-policy-truth.ts';
import { resolveValue } from './trust-policy-variables.ts';

export interface ConditionWorld {
  readonly context: RequestContext;
  readonly version: string;
}

export function clauseTruth({ operator, key, values }: Clause, world: ConditionWorld): Truth {
  const found = world.context.valueOf(key);
  if (found.kind === 'unknown') return 'unknown';
  if (operator.kind === 'null') {
    return truthOf(values.some((value) => value.toLowerCase() === String(found.kind === 'absent')));
  }
  if (found.kind === 'absent') return truthOf(isTrueOfNothing(operator));
  const single = found.values.map((actual) => {
    const matched = some(values.map((wanted) => matchTruth(actual, wanted, { operator, world })));
    return operator.isNegated ? not(matched) : matched;
  });
  if (operator.quantifier === 'any') return some(single);
  // Of several values without a quantifier one is enough for a match, and one spoils a negated match.
  return operator.quantifier === 'all' || operator.isNegated ? every(single) : some(single);
}

function isTrueOfNothing({ isNegated, ifExists, quantifier }: Operator): boolean {
  if (ifExists) return true;
  return quantifier === undefined ? isNegated : quantifier === 'all';
}

/** Before the negation of the operator. */
function matchTruth(
  actual: string,
  wanted: string,
  { operator, world }: { readonly operator: Operator; readonly world: ConditionWorld },
): Truth {
  const resolved = resolveValue(wanted, world);
  // Whatever the variable stands for, what stands around it is known.
  if (resolved.kind === 'unknown') return couldMatch(actual, resolved.tokens, operator) ? 'unknown' : 'no';
  // IAM leaves open what becomes of a negated operator then.
  if (resolved.kind === 'missing') return operator.isNegated ? 'unknown' : 'no';
  return compare(actual, resolved.tokens, operator);
}

function couldMatch(actual: string, tokens: readonly Token[], { kind, ignoresCase }: Operator): boolean {
  if (kind !== 'string' && kind !== 'like') return true;
  const inCase = (text: string): string => (ignoresCase ? text.toLowerCase() : text);
  return matchesTokens(tokens.map(inCase), inCase(actual));
}

function compare(actual: string, tokens: readonly Token[], { kind, base, ignoresCase }: Operator): Truth {
  const wanted = textOfTokens(tokens);
  switch (kind) {
    case 'string':
      return truthOf(ignoresCase ? actual.toLowerCase() === wanted.toLowerCase() : actual === wanted);
    case 'like':
      return truthOf(matchesTokens(tokens, actual));
    case 'arn':
      return truthOf(matchesArn(tokens, actual));
    case 'bool':
      return truthOf(/^(?:true|false)$/i.test(actual) && actual.toLowerCase() === wanted.toLowerCase());
    case 'numeric':
      return truthOf(isOrdered(numberFrom(actual), numberFrom(wanted), base));
    case 'date':
      return truthOf(isOrdered(timeFrom(actual), timeFrom(wanted), base));
    case 'address':
      // No claim of a ServiceAccount token is an address; of one that looks like one nothing is said.
      return looksLikeAddress(actual) ? 'unknown' : 'no';
    case 'binary':
    case 'null':
      return 'unknown';
  }
}

function looksLikeAddress(text: string): boolean {
  return /^[\d.]+$/.test(text) || (text.includes(':') && /^[\da-f:.]+$/i.test(text));
}

/** Nothing that is no number compares as anything. */
function isOrdered(actual: number, wanted: number, base: string): boolean {
  if (base.endsWith('LessThan')) return actual < wanted;
  if (base.endsWith('LessThanEquals')) return actual <= wanted;
  if (base.endsWith('GreaterThan')) return actual > wanted;
  if (base.endsWith('GreaterThanEquals')) return actual >= wanted;
  return actual === wanted;
}

function numberFrom(text: string): number {
  return /^[-+]?\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

/** Milliseconds since 1970 of an ISO 8601 date, or of seconds since 1970. */
function timeFrom(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}
