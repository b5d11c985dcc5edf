// Whether a token is signed by a published key, as STS would find it: the algorithms are pinned, and nothing in the
// token says where keys come from.
import { compactVerify, createLocalJWKSet } from 'jose';
import type { PublicJwk } from './jwks.ts';
import { ALGORITHMS } from './jwks.ts';
import { tokenClaims } from './token.ts';

export type SignatureVerdict = 'good' | 'not-a-token' | 'algorithm-not-taken' | 'key-not-published' | 'signature-wrong';

export async function signatureVerdict(token: string, keys: readonly PublicJwk[]): Promise<SignatureVerdict> {
  const decoded = tokenClaims(token);
  if (decoded === undefined) return 'not-a-token';
  const { algorithm = '', keyId } = decoded;
  if (!ALGORITHMS.includes(algorithm)) return 'algorithm-not-taken';
  const named = keys.filter(({ kid }) => kid === keyId);
  if (named.length === 0) return 'key-not-published';
  // The API server names one algorithm for each key; STS takes all three of RSA for any RSA key.
  const fitting = named.map((key) => (key.kty === 'RSA' ? { ...key, alg: algorithm } : { ...key }));
  try {
    await compactVerify(token.trim(), createLocalJWKSet({ keys: fitting }), { algorithms: [...ALGORITHMS] });
    return 'good';
  } catch {
    return 'signature-wrong';
  }
}
