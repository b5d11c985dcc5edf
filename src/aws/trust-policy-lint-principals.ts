// Whom a statement trusts: the ARN of an OIDC provider, and the ways to write it wrong.
import type { RoleArn } from './arn.ts';
import type { Finding } from './finding.ts';
import { fault, warning } from './finding.ts';
import { isSameButSlash, parseProviderArn, providerArnOf, providerName } from './oidc-provider.ts';
import { hasWildcard } from './trust-policy-patterns.ts';
import type { PrincipalElement, Statement } from './trust-policy-statements.ts';

/** Providers that IAM knows by name. */
const BUILT_IN = ['accounts.google.com', 'cognito-identity.amazonaws.com', 'graph.facebook.com', 'www.amazon.com'];
const SAML = /^arn:[^:]*:iam::\d*:saml-provider\//;

/** Whether tokens of an OIDC provider are meant, or everyone, which is them too. */
export function isWebIdentityPrincipal({ isAnyone, aws, federated }: PrincipalElement): boolean {
  return isAnyone || aws.includes('*') || federated.some((value) => !BUILT_IN.includes(value) && !SAML.test(value));
}

export interface FederatedWorld {
  readonly role: RoleArn | undefined;
  readonly issuer: string | undefined;
}

export function federatedFindings({ path, principal }: Statement, world: FederatedWorld): readonly Finding[] {
  const where = `${path}.Principal`;
  const { isAnyone, aws, federated } = principal;
  const everyone =
    isAnyone || aws.includes('*')
      ? [fault('wildcard-principal', `${where} is *, which is everyone in every account; write {"Federated": "…"}`)]
      : [];
  const named = federated.filter((value) => !BUILT_IN.includes(value) && !SAML.test(value));
  return [...everyone, ...named.flatMap((value) => valueFindings(value, `${where}.Federated`, world))];
}

function valueFindings(value: string, where: string, { role, issuer }: FederatedWorld): readonly Finding[] {
  const right =
    role === undefined || issuer === undefined
      ? 'arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH'
      : providerArnOf(issuer, role);
  if (hasWildcard(value)) {
    const meaning = value === '*' ? 'every provider' : 'no provider, for wildcards do not count in ARNs of principals';
    return [fault('wildcard-principal', `${where} is ${value}, which is ${meaning}; write ${right}`)];
  }
  if (!value.startsWith('arn:') || /:oidc-provider\/https?:\/\//i.test(value)) {
    return [fault('federated-is-url', `${where} is ${value}; want the provider's ARN without https://, ${right}`)];
  }
  const arn = parseProviderArn(value);
  if (arn === undefined) {
    return [
      fault('federated-not-a-provider', `${where} is ${value}, which is no ARN of an OIDC provider; write ${right}`),
    ];
  }
  return [...ownerFindings(arn, { where, role }), ...nameFindings(arn.name, { where, issuer })];
}

interface Owner {
  readonly partition: string;
  readonly accountId: string;
}

function ownerFindings(
  { partition, accountId }: Owner,
  { where, role }: { readonly where: string; readonly role: RoleArn | undefined },
): readonly Finding[] {
  if (role === undefined) return [];
  const findings: Finding[] = [];
  if (partition !== role.partition) {
    const message = `${where} is of partition ${partition}, the role of ${role.partition}; write arn:${role.partition}:…`;
    findings.push(fault('wrong-partition', message));
  }
  if (accountId !== role.accountId) {
    const message = `${where} is of account ${accountId}, the role of ${role.accountId}; STS looks for the provider in the role's account: create it there`;
    findings.push(fault('federated-other-account', message));
  }
  return findings;
}

function nameFindings(
  name: string,
  { where, issuer }: { readonly where: string; readonly issuer: string | undefined },
): readonly Finding[] {
  const findings: Finding[] = [];
  const wanted = issuer === undefined ? undefined : providerName(issuer);
  if (wanted === undefined ? name.endsWith('/') : isSameButSlash(name, wanted)) {
    const slash = name.endsWith('/') ? 'ends in a slash' : 'does not end in a slash';
    const message = `${where} ${slash}, other than the issuer; write …oidc-provider/${wanted ?? name.replace(/\/+$/, '')}`;
    findings.push(fault('trailing-slash', message));
  }
  const region = /^oidc\.([a-z0-9-]+)\.eks\./.exec(name)?.[1];
  if (region !== undefined) {
    findings.push(warning('eks-host-order', `${where} has oidc.${region}.eks; EKS's issuers are oidc.eks.${region}.…`));
  }
  return findings;
}
