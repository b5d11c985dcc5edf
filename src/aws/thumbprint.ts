// The thumbprint of an issuer's certificate chain, by which IAM trusts a CA that is none of the public ones.
import { createHash } from 'node:crypto';

/** IAM pins the last certificate that the server sends, by the SHA-1 of its DER form in lower-case hexadecimal. */
export function thumbprintOf(certificate: Uint8Array): string {
  return createHash('sha1').update(certificate).digest('hex');
}

/** Whether the text has the form of one. */
export function isThumbprint(text: string): boolean {
  return /^[0-9A-Fa-f]{40}$/.test(text);
}
