// Makes certificates in memory: an authority of our own, and the leaves that it signs. Loads a library for it that a
// server with certificate files never needs, so it is imported only where one is made.
import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface IssuedPair {
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
}

export interface CaOptions extends Validity {
  /** The common name; some digits of the serial number are put behind it. */
  readonly name: string;
}

export interface LeafOptions extends Validity {
  readonly ca: IssuedPair;
  /** DNS names and IP addresses that the certificate is for; at least one. */
  readonly names: readonly string[];
}

export async function issueCa({ name, notBefore, notAfter }: CaOptions): Promise<IssuedPair> {
  const keys = await generateKeys();
  const serial = serialNumber();
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      notBefore,
      notAfter,
      serialNumber: serial,
      // Verifiers look issuers up by name: an earlier one must not be taken for this one.
      name: `CN=${name} ${serial.slice(0, 8)}`,
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
  return { certPem: pemOf(ca), keyPem: await privatePem(keys.privateKey) };
}

export async function issueLeaf({ ca, names, notBefore, notAfter }: LeafOptions): Promise<IssuedPair> {
  const issuer = new x509.X509Certificate(ca.certPem);
  const keys = await generateKeys();
  const leaf = await x509.X509CertificateGenerator.create(
    {
      notBefore,
      notAfter,
      serialNumber: serialNumber(),
      // The subject stays empty: names are in the alternative names, which is then critical (RFC 5280 §4.2.1.6).
      subject: '',
      issuer: issuer.subject,
      publicKey: keys.publicKey,
      signingKey: await importedKey(ca.keyPem),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(names.map(generalName), true),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certPem: pemOf(leaf), keyPem: await privatePem(keys.privateKey) };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function importedKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(keyPem).export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', new Uint8Array(der), ALGORITHM, false, ['sign']);
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
