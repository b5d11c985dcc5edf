// A serving certificate that was checked before anybody is asked to use it: the pair fits, the dates hold, and OpenSSL
// makes a context of it with everything else that the server will pass.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { messageOf } from '../admission/thrown.ts';
import { certificateBlocks } from '../aws/pem.ts';
import { CertificateError } from './certificate-error.ts';

/** PEM texts as they were read. */
export interface CertificatePems {
  readonly key: string;
  /** The leaf first, then its intermediates. */
  readonly cert: string;
  /** Authorities of client certificates. */
  readonly clientCa?: string;
}

export interface ServingCertificate extends CertificatePems {
  /** SHA-256 of the leaf, in hexadecimal with colons. */
  readonly fingerprint256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Subject alternative names as OpenSSL prints them: `DNS:a, IP Address:1.2.3.4`. */
  readonly names: string;
}

/** Where a serving certificate comes from. */
export interface Certificates {
  /** Kept once there is a certificate. */
  ready(): Promise<void>;
  current(): ServingCertificate | undefined;
  /** Called after each change; returns what ends that. */
  onChange(listener: (certificate: ServingCertificate) => void): () => void;
  /** Why there is no certificate that is valid now; empty where there is one. */
  problems(): readonly string[];
  close(): void;
}

export interface CheckOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What the server passes beside key, certificate and CA. */
  readonly tls: SecureContextOptions;
}

/** Throws CertificateError. */
export function certificateFrom(pems: CertificatePems, options: CheckOptions): ServingCertificate {
  const leaf = leafFrom(pems.cert);
  if (!leaf.checkPrivateKey(keyFrom(pems.key))) {
    const message =
      'the private key does not belong to the first certificate of the file; want the leaf first, and its key';
    throw new CertificateError('key-mismatch', message);
  }
  const certificate: ServingCertificate = {
    ...pems,
    fingerprint256: leaf.fingerprint256,
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
    names: leaf.subjectAltName ?? '',
  };
  const invalid = validityProblem(certificate, options.now);
  if (invalid !== undefined) throw invalid;
  if (pems.clientCa !== undefined) checkClientCa(pems.clientCa);
  try {
    createSecureContext({ ...options.tls, ...contextKeysOf(pems) });
  } catch (error) {
    throw new CertificateError('unusable', `OpenSSL refuses the certificate: ${messageOf(error)}`, { cause: error });
  }
  return certificate;
}

/** Key, certificate and CA by Node's names. All of them belong into every context: one left out is not inherited. */
export function contextKeysOf({ key, cert, clientCa }: CertificatePems): SecureContextOptions {
  return { key, cert, ...(clientCa === undefined ? {} : { ca: clientCa }) };
}

export function isSameCertificate(one: CertificatePems, other: CertificatePems): boolean {
  return one.key === other.key && one.cert === other.cert && one.clientCa === other.clientCa;
}

/** Why the certificate is not valid at that time. */
export function validityProblem(
  { notBefore, notAfter }: Pick<ServingCertificate, 'notBefore' | 'notAfter'>,
  now: number,
): CertificateError | undefined {
  if (now > notAfter.getTime()) {
    return new CertificateError('expired', `the certificate expired at ${notAfter.toISOString()}; want a new one`);
  }
  if (now < notBefore.getTime()) {
    const message = `the certificate is not valid before ${notBefore.toISOString()}; wait, or look at this machine's clock`;
    return new CertificateError('not-yet-valid', message);
  }
  return undefined;
}

/** A sentence where API servers will refuse the certificate because of its names. */
export function nameWarning(certificate: ServingCertificate, service: string, namespace: string): string | undefined {
  // kube-apiserver verifies exactly this name for a clientConfig with a service, and as Go does, without the subject.
  const wanted = `${service}.${namespace}.svc`;
  const leaf = new X509Certificate(certificate.cert);
  if (leaf.checkHost(wanted, { subject: 'never', partialWildcards: false }) !== undefined) return undefined;
  const names = certificate.names === '' ? 'none' : certificate.names;
  return (
    `the certificate's names are ${names}, and API servers call the Service as ${wanted}: ` +
    `want that name in it (and ${service}, ${service}.${namespace}, ${wanted}.cluster.local), ` +
    `or --service-name and --namespace of the Service in front`
  );
}

function leafFrom(pem: string): X509Certificate {
  if (pem.trim() === '') throw new CertificateError('no-certificate', 'the file is empty; want a certificate in PEM');
  try {
    return new X509Certificate(pem);
  } catch (error) {
    const message = `the file holds no certificate in PEM: ${messageOf(error)}`;
    throw new CertificateError('no-certificate', message, { cause: error });
  }
}

function keyFrom(pem: string): KeyObject {
  if (pem.trim() === '') throw new CertificateError('no-key', 'the key file is empty; want a private key in PEM');
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const message = `the key file holds no private key in PEM without a passphrase: ${messageOf(error)}`;
    throw new CertificateError('no-key', message, { cause: error });
  }
}

/** Throws CertificateError. OpenSSL ignores what it cannot read in a list of authorities, and an empty list would trust
 * nobody. */
export function checkClientCa(pem: string): void {
  const blocks = certificateBlocks(pem);
  if (blocks.length === 0) throw new CertificateError('client-ca', 'the client CA file holds no certificate in PEM');
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block).toString();
    } catch (error) {
      const message = `certificate ${index + 1} of the client CA file cannot be read: ${messageOf(error)}`;
      throw new CertificateError('client-ca', message, { cause: error });
    }
  }
}
