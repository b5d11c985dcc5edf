// The discovery document of an issuer: what Kubernetes writes into it, and what STS reads from it.
import type { PublicJwk } from './jwks.ts';
import { ownText } from './own-field.ts';

/** Below the issuer, and below the API server's own address (OpenID Connect Discovery 1.0 §4). */
export const DISCOVERY_PATH = '.well-known/openid-configuration';

/** In the order in which the API server writes the members. */
export interface DiscoveryDocument {
  readonly issuer: string;
  readonly jwks_uri: string;
  readonly response_types_supported: readonly string[];
  readonly subject_types_supported: readonly string[];
  readonly id_token_signing_alg_values_supported: readonly string[];
}

export interface DiscoveryOptions {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly keys: readonly PublicJwk[];
}

export function discoveryDocument({ issuer, jwksUri, keys }: DiscoveryOptions): DiscoveryDocument {
  return {
    issuer,
    jwks_uri: jwksUri,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.map(({ alg }) => alg))].toSorted(),
  };
}

export interface Discovery {
  readonly issuer: string;
  readonly jwksUri: string;
}

/** What STS needs of it; undefined where it lacks that. */
export function parseDiscovery(value: unknown): Discovery | undefined {
  const issuer = ownText(value, 'issuer');
  const jwksUri = ownText(value, 'jwks_uri');
  return issuer === undefined || jwksUri === undefined ? undefined : { issuer, jwksUri };
}
