// The thumbprint of an issuer's certificate chain, by which IAM trusts a CA that is none of the public ones.
import { createHash } from 'node:crypto';

/** IAM pins the last certificate that the server sends, by the SHA-1 of its DER form in lower-case hexadecimal. */
export function thumbprintOf(certificate: Uint8Array): string {
  return createHash('sha1').update(certificate).digest('hex');
}
