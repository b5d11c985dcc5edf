// One serving certificate for the life of the process, for a certificate that was made in memory.
import type { Certificates, CertificatePems, CheckOptions } from './certificate.ts';
import { certificateFrom, validityProblem } from './certificate.ts';

export interface FixedCertificatesOptions {
  readonly pems: CertificatePems;
  /** What the server passes to every context beside key, certificate and CA. */
  readonly tls: CheckOptions['tls'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Throws CertificateError. */
export function createFixedCertificates({ pems, tls, now }: FixedCertificatesOptions): Certificates {
  const certificate = certificateFrom(pems, { now: now(), tls });
  return {
    ready: async () => {},
    current: () => certificate,
    onChange: () => () => {},
    problems() {
      const invalid = validityProblem(certificate, now());
      return invalid === undefined ? [] : [invalid.message];
    },
    close: () => {},
  };
}
