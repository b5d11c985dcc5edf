// Whether a role's trust policy lets a token in, for the STS: allowed, or not.
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';
import { providerName } from '../../src/aws/oidc-provider.ts';
import type { TrustedToken } from './sts-token.ts';

export interface TrustQuestion {
  readonly policy: unknown;
  readonly trusted: TrustedToken;
  readonly roleArn: string;
  readonly sessionName: string;
}

export function isTrusted({ policy, trusted, sessionName }: TrustQuestion): boolean {
  const name = providerName(trusted.provider.url);
  const facts: Readonly<Record<string, string>> = {
    [`${name}:aud`]: trusted.audience,
    [`${name}:sub`]: trusted.subject,
    'sts:RoleSessionName': sessionName,
  };
  const matching = ownList(policy, 'Statement').filter(
    (statement) =>
      ownString(statement, 'Action') === 'sts:AssumeRoleWithWebIdentity' &&
      ownString(ownField(statement, 'Principal'), 'Federated') === trusted.provider.arn &&
      fits(ownField(statement, 'Condition'), facts),
  );
  const effects = matching.map((statement) => ownString(statement, 'Effect'));
  return effects.includes('Allow') && !effects.includes('Deny');
}

function fits(condition: unknown, facts: Readonly<Record<string, string>>): boolean {
  if (condition === undefined) return true;
  if (!isObject(condition)) return false;
  return Object.entries(condition).every(
    ([operator, keys]) =>
      isObject(keys) &&
      Object.entries(keys).every(([key, wanted]) => {
        const fact = facts[key];
        const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
        if (fact === undefined) return false;
        if (operator === 'StringEquals') return values.includes(fact);
        return operator === 'StringLike' && values.some((value) => typeof value === 'string' && isLike(fact, value));
      }),
  );
}

function isLike(text: string, pattern: string): boolean {
  const source = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, (sign) => ({ '*': '.*', '?': '.' })[sign] ?? `\\${sign}`);
  return new RegExp(`^${source}$`, 's').test(text);
}
