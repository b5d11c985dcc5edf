// An IAM OIDC provider as IAM lists it, and whether it is the one that STS takes for a token and a role.
import type { RoleArn } from './arn.ts';
import { PARTITION_PATTERN } from './partitions.ts';

export interface OidcProvider {
  /** arn:aws:iam::111122223333:oidc-provider/HOST/PATH */
  readonly arn: string;
  /** As IAM gives it, without https://, or with it. */
  readonly url: string;
  /** The audiences that it takes. */
  readonly clientIds: readonly string[];
}

export interface ProviderArn {
  readonly partition: string;
  readonly accountId: string;
  /** Host and path of the issuer, without https://. */
  readonly name: string;
}

const PROVIDER_ARN = new RegExp(`^arn:(${PARTITION_PATTERN}):iam::([0-9]{12}):oidc-provider/(.+)$`);

export function parseProviderArn(text: string): ProviderArn | undefined {
  const match = PROVIDER_ARN.exec(text);
  if (match === null) return undefined;
  const [, partition = '', accountId = '', name = ''] = match;
  return { partition, accountId, name };
}

/** What IAM calls an issuer: condition keys and provider ARNs have its URL without the scheme. */
export function providerName(url: string): string {
  return url.replace(/^https?:\/\//i, '');
}

/** The ARN that IAM gives to the provider of an issuer in an account. */
export function providerArnOf(
  issuer: string,
  { partition, accountId }: Pick<RoleArn, 'partition' | 'accountId'>,
): string {
  return `arn:${partition}:iam::${accountId}:oidc-provider/${providerName(issuer)}`;
}

export function isSameButSlash(one: string, other: string): boolean {
  return one !== other && one.replace(/\/+$/, '') === other.replace(/\/+$/, '');
}

/** Why IAM would not make a provider of an issuer's URL (CreateOpenIDConnectProvider); undefined where it would. */
export function issuerProblem(issuer: string): string | undefined {
  if (issuer.length > 255) return 'is longer than 255 characters';
  if (!issuer.startsWith('https://') || !URL.canParse(issuer)) return 'is not an https:// URL';
  const { port, search, hash, username } = new URL(issuer);
  if (port !== '' || /^https:\/\/[^/]*:\d*(?:\/|$)/.test(issuer)) return 'has a port, which IAM does not take';
  if (search !== '' || hash !== '' || /[?#]/.test(issuer)) return 'has a query or fragment, which IAM does not take';
  if (username !== '' || issuer.includes('@')) return 'has a user name, which IAM does not take';
  return /\s/.test(issuer) ? 'has a blank in it' : undefined;
}

/** Whether the issuer has a name that only its own network knows, as an API server has by default. */
export function isPrivateIssuer(issuer: string): boolean {
  const host = URL.canParse(issuer) ? new URL(issuer).hostname : '';
  return !host.includes('.') || /\.(?:svc|local|internal|localhost)$/.test(host) || /^[\d.]+$/.test(host);
}
