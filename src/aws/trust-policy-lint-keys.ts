// The names of condition keys: HOST/PATH:sub and HOST/PATH:aud of the statement's own provider, and what people write
// instead. A key that STS never has makes its clause false.
import type { Finding } from './finding.ts';
import { fault, note, warning } from './finding.ts';
import { isSameButSlash, parseProviderArn, providerName } from './oidc-provider.ts';
import { OF_REQUEST, PROVIDER_KEYS } from './trust-policy-context.ts';
import type { Operator } from './trust-policy-operators.ts';
import type { Statement } from './trust-policy-statements.ts';

/** What stands before the last colon, and after it: issuers have no port. */
export interface ProviderKey {
  /** Without scheme and ARN. */
  readonly name: string;
  readonly suffix: string;
  readonly isArn: boolean;
  readonly isUrl: boolean;
}

/** Undefined for keys of the request. */
export function parseKey(key: string): ProviderKey | undefined {
  if (OF_REQUEST.test(key)) return undefined;
  const colon = key.lastIndexOf(':');
  // In https://HOST/PATH the colon is the scheme's.
  const hasSuffix = colon >= 0 && !key.slice(colon).startsWith('://');
  const prefix = hasSuffix ? key.slice(0, colon) : key;
  const bare = prefix.replace(/^arn:[^/]*:oidc-provider\//i, '');
  return {
    name: providerName(bare),
    suffix: hasSuffix ? key.slice(colon + 1).toLowerCase() : '',
    isArn: bare !== prefix,
    isUrl: providerName(bare) !== bare,
  };
}

/** Of the token in question. */
export interface OwnProvider {
  /** Host and path of its issuer. */
  readonly name: string;
  /** Whether a statement of the policy trusts it. */
  readonly isTrusted: boolean;
}

export function keyFindings(statement: Statement, own: OwnProvider | undefined): readonly Finding[] {
  const names = providerNames(statement, own);
  return statement.clauses.flatMap(({ path, key, operator }) => {
    const parsed = parseKey(key);
    if (parsed === undefined) {
      return [note('request-condition', `${path}: depends on the request, which a token does not tell`)];
    }
    return [...prefixFindings(parsed, { path, names }), ...suffixFindings(parsed, { path, key, names, operator })];
  });
}

function providerNames({ principal }: Statement, own: OwnProvider | undefined): readonly string[] {
  const names = principal.federated
    .filter((value) => value !== '*')
    .map((value) => providerName(parseProviderArn(value)?.name ?? value));
  if (own === undefined) return names;
  // Where a statement trusts several providers, the keys of one token are those of its own.
  if (names.length === 0 || names.some((name) => name === own.name || isSameButSlash(name, own.name)))
    return [own.name];
  // Where no statement trusts the token's provider, the principal is what is wrong, not the keys.
  return own.isTrusted ? names : [own.name, ...names];
}

interface KeyPlace {
  readonly path: string;
  readonly names: readonly string[];
}

function prefixFindings({ name, isArn, isUrl, suffix }: ProviderKey, { path, names }: KeyPlace): readonly Finding[] {
  const known = PROVIDER_KEYS.some((one) => one === suffix);
  const right = `write ${names[0] ?? 'HOST/PATH'}:${known ? suffix : 'sub'}`;
  const findings: Finding[] = [];
  if (isArn) findings.push(fault('arn-in-key', `${path} has the provider's ARN in the key; ${right}`));
  if (isUrl) findings.push(fault('https-in-key', `${path} has https:// in the key; ${right}`));
  // Names of condition keys are not case-sensitive.
  const lower = name.toLowerCase();
  const owned = names.map((one) => one.toLowerCase());
  if (owned.length === 0 || owned.includes(lower)) return findings;
  if (owned.some((one) => isSameButSlash(one, lower))) {
    findings.push(fault('trailing-slash', `${path} differs from the provider by a slash at the end; ${right}`));
  } else {
    const message = `${path} is a key of another provider than the statement's (${names.join(', ')}); ${right}`;
    findings.push(fault('key-for-other-provider', message));
  }
  return findings;
}

function suffixFindings(
  { name, suffix }: ProviderKey,
  { path, key, names, operator }: KeyPlace & { readonly key: string; readonly operator: Operator },
): readonly Finding[] {
  if (names.length > 0 && !names.some((one) => withoutSlash(one) === withoutSlash(name))) return [];
  if (PROVIDER_KEYS.some((known) => known === suffix)) {
    if (suffix === 'sub' || suffix === 'aud') return [];
    return [warning('rare-key', `${path}: tokens of ServiceAccounts have no ${suffix}; use :sub and :aud`)];
  }
  const message = `${path}: STS makes no condition key of ${JSON.stringify(suffix || key)}; of a ServiceAccount's token there are :sub and :aud`;
  return [fault('unknown-key-suffix', message), ...vacuous(operator, path)];
}

/** An operator that is true of what is absent, on a key that always is. */
function vacuous({ name, quantifier, ifExists }: Operator, path: string): readonly Finding[] {
  const rule = quantifier === 'all' ? 'forallvalues' : ifExists ? 'ifexists' : undefined;
  if (rule === undefined) return [];
  return [fault(rule, `${path}: ${name} is true of a key that is not there, and this one never is; take it out`)];
}

function withoutSlash(name: string): string {
  return name.toLowerCase().replace(/\/+$/, '');
}
