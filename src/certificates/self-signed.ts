// A certificate for a server on this machine, made in memory at start. Its CA signs once: the CA's key is never
// written or returned, so whoever trusts `caPem` trusts this one leaf.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
// Clocks of containers and virtual machines run a little apart from their host's.
const CLOCK_SKEW_MS = 300_000;

export interface SelfSignedOptions {
  /** DNS names and IP addresses that the certificate is for; at least one. */
  readonly names: readonly string[];
  readonly lifetimeMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface SelfSigned {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

export async function issueSelfSigned({ names, lifetimeMs, now }: SelfSignedOptions): Promise<SelfSigned> {
  const validity = { notBefore: new Date(now() - CLOCK_SKEW_MS), notAfter: new Date(now() + lifetimeMs) };
  const caKeys = await generateKeys();
  const ca = await createCa(caKeys, validity);
  const leafKeys = await generateKeys();
  const leaf = await x509.X509CertificateGenerator.create(
    {
      ...validity,
      serialNumber: serialNumber(),
      // The subject stays empty: names are in the alternative names, which is then critical (RFC 5280 §4.2.1.6).
      subject: '',
      issuer: ca.subject,
      publicKey: leafKeys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(names.map(generalName), true),
        await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(leafKeys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { caPem: pemOf(ca), certPem: pemOf(leaf), keyPem: await privatePem(leafKeys.privateKey) };
}

interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

async function createCa(keys: webcrypto.CryptoKeyPair, validity: Validity): Promise<x509.X509Certificate> {
  const serial = serialNumber();
  return x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity,
      serialNumber: serial,
      // Verifiers look issuers up by name: one of an earlier start must not be taken for this one.
      name: `CN=pod-identity-webhook throw-away CA ${serial.slice(0, 8)}`,
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function pemOf(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  return `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n`;
}

// A serial number is a positive integer of at most 20 octets (RFC 5280 §4.1.2.2): the first bit is cleared, and the
// second is set so that no leading zero shortens it.
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
}

function generalName(name: string): { type: 'ip' | 'dns'; value: string } {
  return { type: isIP(name) === 0 ? 'dns' : 'ip', value: name };
}
