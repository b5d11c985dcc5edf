// What is wrong with a certificate that cannot be served. Whoever loads one keeps the one before it.

export type CertificateErrorCode =
  | 'unreadable'
  | 'no-certificate'
  | 'no-key'
  | 'key-mismatch'
  | 'expired'
  | 'not-yet-valid'
  | 'client-ca'
  | 'unusable'
  /** The Secret of the self-signed mode is not what it must be; the message says what to do. */
  | 'secret'
  /** Somebody else changed the object since it was read: read it again. */
  | 'conflict';

export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code: CertificateErrorCode;

  constructor(code: CertificateErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
