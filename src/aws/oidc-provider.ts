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
