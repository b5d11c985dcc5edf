// Whether a clause of a Condition holds, by IAM's rules: values of a key are alternatives, an absent key makes an operator
// false, but a negated one, ...IfExists and ForAllValues true. What IAM leaves open is unknown.
import type { Clause } from './trust-policy-clauses.ts';
import type { RequestContext } from './trust-policy-context.ts';
import type { Operator } from './trust-policy-operators.ts';
import type { Token } from './trust-policy-patterns.ts';
import { isArn, matchesArn, matchesTokens, textOfTokens } from './trust-policy-patterns.ts';
import type { Truth } from './trust-policy-truth.ts';
import { every, not, some, truthOf } from './trust-policy-truth.ts';
import { resolveValue } from './trust-policy-variables.ts';

export interface ConditionWorld {
  readonly context: RequestContext;
  readonly version: string;
}

export function clauseTruth(clause: Clause, world: ConditionWorld): Truth {
  const truth = knownTruth(clause, world);
  // IAM: a variable that it cannot resolve "might cause the entire statement to be invalid", whatever other values say.
  const isOpen = clause.values.some((value) => resolveValue(value, world).kind !== 'value');
  return truth === 'yes' && isOpen ? 'unknown' : truth;
}

function knownTruth({ operator, key, values }: Clause, world: ConditionWorld): Truth {
  // Access Analyzer: Null always returns true with ForAllValues, and false with ForAnyValue.
  if (operator.kind === 'null' && operator.quantifier !== undefined) return truthOf(operator.quantifier === 'all');
  const found = world.context.valueOf(key);
  if (found.kind === 'unknown') return 'unknown';
  if (operator.kind === 'null') return nullTruth(values, found.kind === 'absent');
  if (found.kind === 'absent') return truthOf(isTrueOfNothing(operator));
  if (values.length === 0) return truthOfNoValue(operator);
  const single = found.values.map((actual) => {
    const matched = some(values.map((wanted) => matchTruth(actual, wanted, { operator, world })));
    return operator.isNegated ? not(matched) : matched;
  });
  if (operator.quantifier === 'any') return some(single);
  if (operator.quantifier === 'all' || single.length === 1) return every(single);
  // IAM: keys of several values require a set operator. What it does without one, it does not say.
  return some(single) === 'no' ? 'no' : 'unknown';
}

/** Whatever is neither true nor false asks for nothing that IAM names. */
function nullTruth(values: readonly string[], isAbsent: boolean): Truth {
  const asked = values.map((value) => value.toLowerCase());
  if (asked.includes(String(isAbsent))) return 'yes';
  return asked.includes(String(!isAbsent)) ? 'no' : 'unknown';
}

/**
 * Access Analyzer: with no value ForAnyValue never matches, ForAllValues and IfExists match an absent key only. Of the
 * others it says both that they return true and that the statement then provides no permissions.
 */
function truthOfNoValue({ isNegated, ifExists, quantifier }: Operator): Truth {
  return isNegated || (quantifier === undefined && !ifExists) ? 'unknown' : 'no';
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
  const truth = resolved.kind === 'missing' ? 'incomparable' : compare(actual, resolved.tokens, operator);
  if (truth !== 'incomparable') return truth;
  // Nothing that is no number equals one; whether it is therefore "not equal" to it, IAM leaves open.
  return operator.isNegated ? 'unknown' : 'no';
}

function couldMatch(actual: string, tokens: readonly Token[], { kind, ignoresCase }: Operator): boolean {
  if (kind !== 'string' && kind !== 'like') return true;
  const inCase = (text: string): string => (ignoresCase ? text.toLowerCase() : text);
  return matchesTokens(tokens.map(inCase), inCase(actual));
}

/** Incomparable is what is not of the operator's type. */
function compare(
  actual: string,
  tokens: readonly Token[],
  { kind, base, ignoresCase }: Operator,
): Truth | 'incomparable' {
  const wanted = textOfTokens(tokens);
  switch (kind) {
    case 'string':
      return truthOf(ignoresCase ? actual.toLowerCase() === wanted.toLowerCase() : actual === wanted);
    case 'like':
      return truthOf(matchesTokens(tokens, actual));
    case 'arn':
      return isArn(actual) ? truthOf(matchesArn(tokens, actual)) : 'incomparable';
    case 'bool':
      return truthOf(/^(?:true|false)$/i.test(actual) && actual.toLowerCase() === wanted.toLowerCase());
    case 'numeric':
      return orderTruth(numberFrom(actual), numberFrom(wanted), base);
    case 'date':
      return orderTruth(timeFrom(actual), timeFrom(wanted), base);
    case 'address':
      // No claim of a ServiceAccount token is an address; of one that looks like one nothing is said.
      return looksLikeAddress(actual) ? 'unknown' : 'incomparable';
    case 'binary':
    case 'null':
      return 'unknown';
  }
}

function looksLikeAddress(text: string): boolean {
  return /^[\d.]+$/.test(text) || (text.includes(':') && /^[\da-f:.]+$/i.test(text));
}

function orderTruth(actual: number, wanted: number, base: string): Truth | 'incomparable' {
  return Number.isNaN(actual) || Number.isNaN(wanted) ? 'incomparable' : truthOf(isOrdered(actual, wanted, base));
}

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
