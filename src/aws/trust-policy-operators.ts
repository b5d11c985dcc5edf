// The condition operators of IAM's policy language. Their names are case-sensitive: IAM refuses a policy with another
// spelling as "Invalid Condition type".

export type OperatorKind = 'string' | 'like' | 'arn' | 'numeric' | 'date' | 'bool' | 'binary' | 'address' | 'null';

export interface Operator {
  /** As it is written. */
  readonly name: string;
  readonly kind: OperatorKind;
  /** The part of the name that says what is compared, as in StringNotEquals. */
  readonly base: string;
  readonly isNegated: boolean;
  readonly ignoresCase: boolean;
  readonly ifExists: boolean;
  readonly quantifier: 'all' | 'any' | undefined;
}

const KINDS: Readonly<Record<string, OperatorKind>> = {
  StringEquals: 'string',
  StringNotEquals: 'string',
  StringEqualsIgnoreCase: 'string',
  StringNotEqualsIgnoreCase: 'string',
  StringLike: 'like',
  StringNotLike: 'like',
  ArnEquals: 'arn',
  ArnLike: 'arn',
  ArnNotEquals: 'arn',
  ArnNotLike: 'arn',
  NumericEquals: 'numeric',
  NumericNotEquals: 'numeric',
  NumericLessThan: 'numeric',
  NumericLessThanEquals: 'numeric',
  NumericGreaterThan: 'numeric',
  NumericGreaterThanEquals: 'numeric',
  DateEquals: 'date',
  DateNotEquals: 'date',
  DateLessThan: 'date',
  DateLessThanEquals: 'date',
  DateGreaterThan: 'date',
  DateGreaterThanEquals: 'date',
  Bool: 'bool',
  BinaryEquals: 'binary',
  IpAddress: 'address',
  NotIpAddress: 'address',
  Null: 'null',
};

const FORM = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/;

/** Undefined where IAM knows no such operator. */
export function parseOperator(name: string): Operator | undefined {
  const [, quantifier, base = '', ifExists] = FORM.exec(name) ?? [];
  const kind = Object.hasOwn(KINDS, base) ? KINDS[base] : undefined;
  // "You can add IfExists to the end of any condition operator name except the Null condition."
  if (kind === undefined || (kind === 'null' && ifExists !== undefined)) return undefined;
  return {
    name,
    kind,
    base,
    isNegated: base.includes('Not'),
    ignoresCase: base.endsWith('IgnoreCase'),
    ifExists: ifExists !== undefined,
    quantifier: quantifier === undefined ? undefined : quantifier === 'ForAllValues' ? 'all' : 'any',
  };
}

/** The operator that somebody probably meant; undefined where the name is like none. */
export function operatorLike(name: string): string | undefined {
  const colon = name.indexOf(':');
  const quantifier = colon < 0 ? undefined : name.slice(0, colon);
  const rest = name.slice(colon + 1);
  const suffix = /ifexists$/i.test(rest) ? 'IfExists' : '';
  const base = rest.replace(/ifexists$/i, '').toLowerCase();
  const known = Object.keys(KINDS).find((candidate) => candidate.toLowerCase() === base);
  if (known === undefined) return undefined;
  if (quantifier === undefined || known === 'Null') return known === 'Null' ? known : `${known}${suffix}`;
  return `${/^forall/i.test(quantifier) ? 'ForAllValues' : 'ForAnyValue'}:${known}${suffix}`;
}
