// Everything about a trust policy that is wrong, dangerous or surprising, whatever token comes. A policy as the guides
// write it has none.
import type { RoleArn } from './arn.ts';
import type { Finding } from './finding.ts';
import { fault, warning } from './finding.ts';
import { isSameButSlash, parseProviderArn, providerArnOf, providerName } from './oidc-provider.ts';
import { allowsWebIdentity, namesWebIdentity, WEB_IDENTITY_ACTION } from './trust-policy-actions.ts';
import type { TrustPolicy } from './trust-policy-document.ts';
import type { OwnProvider } from './trust-policy-lint-keys.ts';
import { keyFindings } from './trust-policy-lint-keys.ts';
import { federatedFindings, isWebIdentityPrincipal } from './trust-policy-lint-principals.ts';
import { literalWildcards, subjectFindings } from './trust-policy-lint-subjects.ts';
import { hasWildcard } from './trust-policy-patterns.ts';
import type { Statement } from './trust-policy-statements.ts';
import { hasVariable, isVariableOf } from './trust-policy-variables.ts';

export interface LintSubject {
  readonly policy: TrustPolicy;
  /** Undefined where it is not known. */
  readonly role: RoleArn | undefined;
  /** Of the token in question, where there is one. */
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
}

/** AWS's quota of the length of a role's trust policy, and what it can be raised to. */
export const QUOTA = 2048;
export const RAISED_QUOTA = 4096;

export function lintTrustPolicy(subject: LintSubject): readonly Finding[] {
  const { policy } = subject;
  const allows = policy.statements.filter(({ effect }) => effect === 'Allow');
  const web = allows.filter(({ principal }) => isWebIdentityPrincipal(principal));
  const denied = policy.statements.filter(
    ({ effect, principal }) => effect === 'Deny' && isWebIdentityPrincipal(principal),
  );
  return [
    ...documentFindings(policy),
    ...(web.length === 0 ? otherPrincipals(allows) : []),
    ...unknownProvider(web, subject),
    ...policy.statements.flatMap(exclusions),
    ...web.flatMap((statement) => statementFindings(statement, { ...subject, web, own: ownName(web, subject) })),
    ...denied.flatMap((statement) => denialFindings(statement, ownName(web, subject))),
  ];
}

function documentFindings({ statements, hasVersion, version, length }: TrustPolicy): readonly Finding[] {
  const findings: Finding[] = [];
  if (!hasVersion) {
    const message =
      'there is no Version, so IAM reads the policy as of 2008-10-17, without variables; write "2012-10-17"';
    findings.push(warning('missing-version', message));
  }
  const values = statements.flatMap(({ clauses }) => clauses.flatMap((clause) => clause.values));
  if (version === '2008-10-17' && values.some(hasVariable)) {
    const message = 'policy variables are plain text in version 2008-10-17; write "Version": "2012-10-17"';
    findings.push(warning('variables-need-version', message));
  }
  if (length > QUOTA) {
    const cure = length > RAISED_QUOTA ? `more than the ${RAISED_QUOTA} that it can be raised to` : 'raise it';
    const message = `the policy has ${length} characters, the quota is ${QUOTA}: ${cure}, or use patterns or several roles`;
    findings.push(length > RAISED_QUOTA ? fault('too-long', message) : warning('too-long', message));
  }
  return findings;
}

/** Who is trusted where no web identity is. */
function otherPrincipals(allows: readonly Statement[]): readonly Finding[] {
  const want = 'a ServiceAccount’s token needs {"Federated": "arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH"}';
  const findings = allows.flatMap(({ path, principal: { services, aws } }) => {
    const found: Finding[] = [];
    if (services.length > 0) {
      const agent = services.includes('pods.eks.amazonaws.com') ? ', which is EKS Pod Identity' : '';
      found.push(fault('service-principal-instead', `${path} trusts ${services.join(', ')}${agent}; ${want}`));
    }
    if (aws.length > 0) found.push(fault('aws-principal-instead', `${path} trusts ${aws.join(', ')}; ${want}`));
    return found;
  });
  return findings;
}

/** Host and path of the token's issuer, and whether a statement trusts them. */
function ownName(web: readonly Statement[], { issuer }: LintSubject): OwnProvider | undefined {
  if (issuer === undefined) return undefined;
  const name = providerName(issuer);
  return { name, isTrusted: web.some((statement) => trusts(statement, name)) };
}

function trusts({ principal }: Statement, name: string): boolean {
  return principal.federated.some((arn) => {
    const found = providerName(parseProviderArn(arn)?.name ?? arn);
    return found === name || isSameButSlash(found, name);
  });
}

/** Another cluster's id, most of the time. */
function unknownProvider(web: readonly Statement[], { issuer, role }: LintSubject): readonly Finding[] {
  if (issuer === undefined || role === undefined || web.some((one) => trusts(one, providerName(issuer)))) return [];
  const arns = web
    .flatMap(({ principal }) => principal.federated)
    .filter((arn) => parseProviderArn(arn) !== undefined && !hasWildcard(arn));
  const isOpen = web.some(
    ({ principal: { isAnyone, aws, federated } }) => isAnyone || [...aws, ...federated].includes('*'),
  );
  if (isOpen || arns.length === 0) return [];
  const message = `the policy trusts ${arns.join(', ')}, the token's issuer is ${issuer}; write ${providerArnOf(issuer, role)}`;
  return [fault('federated-other-provider', message)];
}

function exclusions({ path, effect, action }: Statement): readonly Finding[] {
  if (action.element !== 'NotAction') return [];
  const level = effect === 'Allow' ? fault : warning;
  return [level('not-action', `${path} has NotAction, which means every action but those; write Action`)];
}

interface StatementWorld extends LintSubject {
  readonly web: readonly Statement[];
  readonly own: OwnProvider | undefined;
}

function statementFindings(statement: Statement, world: StatementWorld): readonly Finding[] {
  const { path, action } = statement;
  const isGood = allowsWebIdentity(action);
  const isMeant = !isGood && !hasPartner(statement, world.web);
  // A statement of its own for sts:TagSession, or for other callers, beside the one that counts.
  if (!isGood && !isMeant) return federatedFindings(statement, world);
  const isListed = action.element === 'Action';
  const wide = action.patterns.filter((one) => hasWildcard(one) && namesWebIdentity(one));
  return [
    ...federatedFindings(statement, world),
    ...(isMeant && isListed ? [fault('wrong-action', wrongAction(path, action.patterns))] : []),
    ...(isListed && wide.length > 0
      ? [warning('overbroad-action', `${path}.Action has ${wide.join(', ')}; write ${WEB_IDENTITY_ACTION}`)]
      : []),
    ...keyFindings(statement, world.own),
    ...(world.policy.version === '2012-10-17' ? subjectsOfThemselves(statement) : []),
    ...subjectFindings(statement, { subject: world.subject, isForeign: isForeign(statement, world.own) }),
  ];
}

/** A subject that is compared with itself, by a variable. */
function subjectsOfThemselves({ clauses }: Statement): readonly Finding[] {
  return clauses
    .filter(({ key, operator }) => key.toLowerCase().endsWith(':sub') && !operator.isNegated)
    .filter(({ key, values }) => values.some((value) => isVariableOf(value, key)))
    .map(({ path, key }) => {
      const message = `${path} is compared with \${${key}}, which is itself, so every ServiceAccount of the cluster matches; write system:serviceaccount:NAMESPACE:NAME`;
      return fault('wildcard-all-accounts', message);
    });
}

/** A Deny whose condition can never be true denies nobody, and nobody notices. */
function denialFindings(statement: Statement, own: OwnProvider | undefined): readonly Finding[] {
  // One that is for everyone may ask for the keys of any provider.
  const isOpen = statement.principal.federated.length === 0;
  const keys = keyFindings(statement, own).filter(
    ({ severity, rule }) => severity === 'error' && !(isOpen && rule === 'key-for-other-provider'),
  );
  return [...keys, ...literalWildcards(statement)];
}

/** Whether another statement allows web identities for one of its providers; where it names none, for any. */
function hasPartner({ principal: { federated } }: Statement, web: readonly Statement[]): boolean {
  return web.some(
    ({ principal, action }) =>
      allowsWebIdentity(action) &&
      (federated.length === 0 || principal.federated.some((arn) => federated.includes(arn))),
  );
}

/** Beside the statement for the cluster, one for another kind of issuer, such as a CI service. */
function isForeign(statement: Statement, own: OwnProvider | undefined): boolean {
  return own !== undefined && own.isTrusted && statement.principal.federated.length > 0 && !trusts(statement, own.name);
}

function wrongAction(path: string, patterns: readonly string[]): string {
  return `${path}.Action has ${patterns.join(', ')}; a ServiceAccount's token needs ${WEB_IDENTITY_ACTION}`;
}
