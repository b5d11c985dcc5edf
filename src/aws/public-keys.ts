// Public keys from PEM files, with the key ids that Kubernetes computes: for a cluster whose API server is not at hand.
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { PublicJwk } from './jwks.ts';
import { jwkFrom } from './jwks.ts';
import type { PemBlock } from './pem.ts';
import { pemBlocks } from './pem.ts';

/** `kid` as kube-apiserver has it where it signs with a key file: the hash of the PKIX form of the key. */
export function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}

export interface PemKeys {
  readonly keys: readonly PublicJwk[];
  /** What is no such key, a sentence each, with its number in the file. */
  readonly problems: readonly string[];
}

/** PKIX, PKCS#1 and certificates: what the API server reads from --service-account-key-file, but for private keys. */
const PUBLIC_LABELS = ['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE'];
const STS_TAKES = 'STS takes RSA of 2048 bits and more, P-256, P-384 and P-521';

/** Every key of the file, as --service-account-key-file is read. */
export function keysFromPem(text: string): PemKeys {
  // EC files of openssl begin with the name of their curve.
  const blocks = pemBlocks(text).filter(({ label }) => label !== 'EC PARAMETERS');
  if (blocks.length === 0)
    return { keys: [], problems: ['it holds no key in PEM; want PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE'] };
  const parsed = blocks.map((block, index) => keyFromBlock(block, index + 1));
  return {
    keys: parsed.flatMap((one) => ('key' in one ? [one.key] : [])),
    problems: parsed.flatMap((one) => ('problem' in one ? [one.problem] : [])),
  };
}

function keyFromBlock(
  { label, text: block }: PemBlock,
  number: number,
): { readonly key: PublicJwk } | { readonly problem: string } {
  if (label.endsWith('PRIVATE KEY')) {
    const fix = 'keep it where it is, and give its public half: openssl pkey -in FILE -pubout';
    return { problem: `block ${number} is a private key: ${fix}` };
  }
  if (!PUBLIC_LABELS.includes(label))
    return { problem: `block ${number} is ${label}; want ${PUBLIC_LABELS.join(', ')}` };
  try {
    const key = label === 'CERTIFICATE' ? new X509Certificate(block).publicKey : createPublicKey(block);
    const jwk = jwkFrom(key, keyIdOf(key));
    if (jwk === undefined) return { problem: `block ${number} is a key that STS does not take: ${STS_TAKES}` };
    return 'problem' in jwk ? { problem: `block ${number}: ${jwk.problem}` } : jwk;
  } catch {
    return { problem: `block ${number} is ${label} and cannot be read; is it whole?` };
  }
}
