// Which accounts a statement lets in: too many, by a condition that lets through more than it says, or none, by a value
// that no token has.
import type { Finding } from './finding.ts';
import { fault, warning } from './finding.ts';
import { accountOf } from './token.ts';
import type { Clause } from './trust-policy-clauses.ts';
import { PROVIDER_KEYS } from './trust-policy-context.ts';
import { parseKey } from './trust-policy-lint-keys.ts';
import { hasWildcard, matchesPattern } from './trust-policy-patterns.ts';
import type { Statement } from './trust-policy-statements.ts';

const PREFIX = 'system:serviceaccount:';
/** An account that nobody means: what matches it matches every one. */
const ANY_ACCOUNT = `${PREFIX}qzjx7-vwkq9:hwyq4-pfzx8`;
const AUDIENCE = 'sts.amazonaws.com';
/** Claims that a ServiceAccount's token lacks: an operator that is true of what is absent always holds. */
const OTHER_SUFFIXES = PROVIDER_KEYS.filter((suffix) => suffix !== 'sub' && suffix !== 'aud');

export interface SubjectWorld {
  /** Of the token in question, where there is one. */
  readonly subject: string | undefined;
  /** Whether the statement is for an issuer that is no cluster's, whose subjects look otherwise. */
  readonly isForeign: boolean;
}

export function subjectFindings(
  { path, clauses }: Statement,
  { subject, isForeign }: SubjectWorld,
): readonly Finding[] {
  const constrained = clauses.filter(({ operator }) => operator.kind !== 'null');
  const of = (suffix: string): readonly Clause[] => constrained.filter(({ key }) => parseKey(key)?.suffix === suffix);
  const [subjects, audiences] = [of('sub'), of('aud')];
  const others = OTHER_SUFFIXES.map(of);
  return [
    ...presence(path, { subjects, audiences }),
    ...[...subjects, ...audiences, ...others.flat()].flatMap(operatorFindings),
    ...negations(subjects, audiences, ...others),
    ...togetherFindings(subjects),
    ...(isForeign
      ? []
      : [
          ...positive(subjects).flatMap((clause) => valuesFindings(clause, subject)),
          ...audiences.flatMap(audienceFindings),
        ]),
  ];
}

function positive(clauses: readonly Clause[]): readonly Clause[] {
  return clauses.filter(({ operator }) => !operator.isNegated);
}

interface Clauses {
  readonly subjects: readonly Clause[];
  readonly audiences: readonly Clause[];
}

function presence(path: string, { subjects, audiences }: Clauses): readonly Finding[] {
  const findings: Finding[] = [];
  if (subjects.length === 0) {
    const message = `${path} has no condition on :sub, so every ServiceAccount of the issuer may take the role; add "HOST/PATH:sub": "${PREFIX}NAMESPACE:NAME"`;
    findings.push(fault('no-sub-condition', message));
  }
  if (audiences.length === 0) {
    const message = `${path} has no condition on :aud, so tokens for every audience of the provider count; add "HOST/PATH:aud": "${AUDIENCE}"`;
    findings.push(warning('no-aud-condition', message));
  }
  return findings;
}

function operatorFindings({ path, operator, key, values }: Clause): readonly Finding[] {
  const level = parseKey(key)?.suffix === 'sub' ? fault : warning;
  const findings: Finding[] = [];
  const absent = 'is true of a token that lacks the claim';
  if (operator.quantifier === 'all')
    findings.push(level('forallvalues', `${path}: ForAllValues ${absent}; write ${plain(operator.base)}`));
  if (operator.ifExists) findings.push(level('ifexists', `${path}: IfExists ${absent}; write ${plain(operator.base)}`));
  findings.push(...literalWildcard({ path, operator, values }));
  if (operator.kind !== 'string' && operator.kind !== 'like') {
    findings.push(fault('unsuitable-operator', `${path}: ${operator.name} does not compare text; write StringEquals`));
  }
  if (values.length === 0)
    findings.push(fault('empty-values', `${path} has no value, and IAM does not say what that lets through; add one`));
  return findings;
}

function literalWildcard({ path, operator, values }: Omit<Clause, 'key'>): readonly Finding[] {
  const wild = values.find(hasWildcard);
  if (operator.kind !== 'string' || wild === undefined) return [];
  const message = `${path}: ${operator.name} takes * and ? as letters, so ${wild} matches nothing; write StringLike, or the whole name`;
  return [fault('stringequals-with-wildcard', message)];
}

/** In the conditions on :sub and :aud of a statement. */
export function literalWildcards({ clauses }: Statement): readonly Finding[] {
  return clauses
    .filter(({ key }) => ['sub', 'aud'].includes(parseKey(key)?.suffix ?? ''))
    .flatMap((clause) => literalWildcard(clause));
}

function plain(base: string): string {
  return base.includes('Like') ? 'StringLike' : 'StringEquals';
}

/** Beside a condition that says who may, one that says who may not is a narrowing. */
function negations(...groups: readonly (readonly Clause[])[]): readonly Finding[] {
  return groups.flatMap((clauses) => {
    if (positive(clauses).length > 0) return [];
    return clauses.map(({ path, operator }) => {
      const message = `${path}: ${operator.name} lets in everyone but those, also a token without the claim; say who may, with StringEquals`;
      return fault('negated-operator', message);
    });
  });
}

/** All operators of a Condition must hold. */
function togetherFindings(subjects: readonly Clause[]): readonly Finding[] {
  const asking = positive(subjects);
  return [...new Set(asking.map(({ key }) => key.toLowerCase()))].flatMap((key) => {
    const same = asking.filter((clause) => clause.key.toLowerCase() === key);
    if (same.length < 2) return [];
    const message = `${same.map(({ path }) => path).join(' and ')} must both hold, they are no alternatives; put all values under one operator, or write two statements`;
    return [warning('sub-in-two-operators', message)];
  });
}

function valuesFindings({ path, operator, values }: Clause, subject: string | undefined): readonly Finding[] {
  const account = accountOf(subject ?? '');
  const swapped = account === undefined ? undefined : `${PREFIX}${account.name}:${account.namespace}`;
  if (operator.kind !== 'string' && operator.kind !== 'like') return [];
  // What a variable stands for is not known here.
  const judged = values.filter((value) => !value.includes('${'));
  return judged.flatMap((written) => {
    const value = operator.ignoresCase ? written.toLowerCase() : written;
    if (hasWildcard(value)) return operator.kind === 'like' ? wideFindings(value, path) : [];
    if (!value.startsWith(PREFIX)) {
      const message = `${path} has ${JSON.stringify(value)}; every subject is ${PREFIX}NAMESPACE:NAME`;
      return [fault('sub-without-prefix', message)];
    }
    if (!isAccount(value.slice(PREFIX.length))) {
      return [
        fault(
          'sub-malformed',
          `${path} has ${JSON.stringify(value)}; want ${PREFIX}NAMESPACE:NAME, as Kubernetes writes names`,
        ),
      ];
    }
    if (value === swapped && values.every((one) => one !== subject)) {
      return [fault('sub-swapped', `${path} has ${value}, the token ${subject}: namespace first, then name`)];
    }
    return [];
  });
}

/** Names of Kubernetes: a label, and a DNS name. */
function isAccount(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(text);
}

function wideFindings(pattern: string, path: string): readonly Finding[] {
  const want = `write ${PREFIX}NAMESPACE:NAME, or NAMESPACE:* for all of a namespace`;
  if (matchesPattern(pattern, ANY_ACCOUNT)) {
    return [
      fault(
        'wildcard-all-accounts',
        `${path} has ${pattern}, which every ServiceAccount of the cluster matches; ${want}`,
      ),
    ];
  }
  const literal = pattern.slice(0, pattern.search(/[*?]/));
  if (!literal.startsWith(PREFIX) && !PREFIX.startsWith(literal)) {
    return [
      fault('sub-without-prefix', `${path} has ${JSON.stringify(pattern)}; every subject is ${PREFIX}NAMESPACE:NAME`),
    ];
  }
  // A subject has three colons: what stands between two of them after the prefix is its namespace.
  if (/:(?!serviceaccount:)[^:*?]+:/.test(pattern)) return [];
  const message = `${path} has ${pattern}, whose namespace is open: whoever may create a namespace that matches may take the role; ${want}`;
  return [warning('unanchored-namespace-wildcard', message)];
}

function audienceFindings({ path, operator, values }: Clause): readonly Finding[] {
  return values.flatMap((value) => {
    if (value.startsWith('system:')) {
      return [
        fault(
          'aud-is-subject',
          `${path} has ${value}, which is a subject; it belongs to :sub, and :aud is ${AUDIENCE}`,
        ),
      ];
    }
    if (operator.kind === 'like' && matchesPattern(value, 'qzjx7vwkq9.example')) {
      return [warning('wildcard-audience', `${path} has ${value}, which every audience matches; write ${AUDIENCE}`)];
    }
    if (/sts\.amazon|^sts$/.test(value) && !hasWildcard(value) && value !== AUDIENCE) {
      return [warning('unusual-audience', `${path} has ${value}; the audience is ${AUDIENCE} in every partition`)];
    }
    return [];
  });
}
