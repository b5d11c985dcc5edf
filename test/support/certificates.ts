// Throw-away certificates for tests: a CA that lives in memory, and leaves of any names and dates signed by it.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hourMs = 3_600_000;

export interface KeyPair {
  readonly keyPem: string;
  readonly certPem: string;
}

export interface IssueOptions {
  /** DNS names and IP addresses; the first is also the common name. Default: localhost, 127.0.0.1, ::1. */
  readonly names?: readonly string[];
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in a day. */
  readonly notAfter?: Date;
  /** A client's certificate instead of a server's. */
  readonly client?: boolean;
  /** The subject's organisation; Kubernetes reads it as the client's group. */
  readonly organization?: string;
}

export interface Authority {
  readonly caPem: string;
  /** The CA's own private key, for tests of what holds a CA. */
  readonly caKeyPem: string;
  issue(options?: IssueOptions): Promise<KeyPair>;
}

export interface AuthorityOptions {
  readonly commonName?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export async function createAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const keys = await generateKeys();
  const subject = `CN=${options.commonName ?? `test authority ${serialNumber()}`}`;
  const ca = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: subject,
      keys,
      signingAlgorithm: algorithm,
      ...datesOf(options),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );

  async function issue(leaf: IssueOptions = {}): Promise<KeyPair> {
    const names = leaf.names ?? ['localhost', '127.0.0.1', '::1'];
    const leafKeys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create(
      {
        serialNumber: serialNumber(),
        subject: `CN=${names[0] ?? 'nameless'}${leaf.organization === undefined ? '' : `,O=${leaf.organization}`}`,
        issuer: ca.subject,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        ...datesOf(leaf),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([
            leaf.client === true ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
          ]),
          ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names.map(generalName))]),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        ],
      },
      webcrypto,
    );
    return { keyPem: await privatePem(leafKeys.privateKey), certPem: `${certificate.toString('pem')}\n` };
  }

  return { caPem: `${ca.toString('pem')}\n`, caKeyPem: await privatePem(keys.privateKey), issue };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

function datesOf(options: { readonly notBefore?: Date; readonly notAfter?: Date }): {
  notBefore: Date;
  notAfter: Date;
} {
  return {
    notBefore: options.notBefore ?? new Date(Date.now() - hourMs),
    notAfter: options.notAfter ?? new Date(Date.now() + 24 * hourMs),
  };
}

// The first bit is cleared: a serial number is a positive integer (RFC 5280 §4.1.2.2).
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
}

function generalName(name: string): { type: 'ip' | 'dns'; value: string } {
  return { type: isIP(name) === 0 ? 'dns' : 'ip', value: name };
}
