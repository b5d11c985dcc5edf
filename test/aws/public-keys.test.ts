// Keys as openssl makes them, and Kubernetes' own vectors for their ids.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyIdOf, keysFromPem } from '../../src/aws/public-keys.ts';

let directory = '';

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
}

function text(name: string): string {
  return readFileSync(join(directory, name), 'utf8');
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'pod-identity-webhook-keys-'));
  openssl('genrsa', '-out', 'rsa.key', '2048');
  openssl('rsa', '-in', 'rsa.key', '-pubout', '-out', 'rsa.pub');
  openssl('rsa', '-in', 'rsa.key', '-RSAPublicKey_out', '-out', 'rsa.pkcs1');
  openssl('req', '-x509', '-new', '-key', 'rsa.key', '-subj', '/CN=sa', '-days', '1', '-out', 'rsa.crt');
  openssl('genrsa', '-out', 'short.key', '1024');
  openssl('rsa', '-in', 'short.key', '-pubout', '-out', 'short.pub');
  for (const curve of ['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1']) {
    openssl('ecparam', '-name', curve, '-genkey', '-out', `${curve}.key`);
    openssl('ec', '-in', `${curve}.key`, '-pubout', '-out', `${curve}.pub`);
  }
  openssl('req', '-x509', '-new', '-key', 'prime256v1.key', '-subj', '/CN=sa', '-days', '1', '-out', 'ec.crt');
  openssl('genpkey', '-algorithm', 'ed25519', '-out', 'ed25519.key');
  openssl('pkey', '-in', 'ed25519.key', '-pubout', '-out', 'ed25519.pub');
});

afterAll(() => rmSync(directory, { recursive: true }));

// From Kubernetes' pkg/serviceaccount/jwt_test.go.
const kubernetesRsa = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA249XwEo9k4tM8fMxV7zx
OhcrP+WvXn917koM5Qr2ZXs4vo26e4ytdlrV0bQ9SlcLpQVSYjIxNfhTZdDt+ecI
zshKuv1gKIxbbLQMOuK1eA/4HALyEkFgmS/tleLJrhc65tKPMGD+pKQ/xhmzRuCG
51RoiMgbQxaCyYxGfNLpLAZK9L0Tctv9a0mJmGIYnIOQM4kC1A1I1n3EsXMWmeJU
j7OTh/AjjCnMnkgvKT2tpKxYQ59PgDgU8Ssc7RDSmSkLxnrv+OrN80j6xrw0OjEi
B4Ycr0PqfzZcvy8efTtFQ/Jnc4Bp1zUtFXt7+QeevePtQ2EcyELXE0i63T1CujRM
WwIDAQAB
-----END PUBLIC KEY-----
`;
const kubernetesEc = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEH6cuzP8XuD5wal6wf9M6xDljTOPL
X2i8uIp/C/ASqiIGUeeKQtX0/IR3qCXyThP/dbCiHrF3v1cuhBOHY8CLVg==
-----END PUBLIC KEY-----
`;

describe('keyIdOf', () => {
  it('gives the ids that Kubernetes gives', () => {
    expect([kubernetesRsa, kubernetesEc].map((pem) => keyIdOf(createPublicKey(pem)))).toEqual([
      'JHJehTTTZlsspKHT-GaJxK7Kd1NQgZJu3fyK6K_QDYU',
      'SoABiieYuNx4UdqYvZRVeuC6SihxgLrhLy9peHMHpTc',
    ]);
  });
});

describe('keysFromPem', () => {
  it('finds one RSA key in PKIX, PKCS#1 and a certificate', () => {
    const [pkix, pkcs1, certificate] = ['rsa.pub', 'rsa.pkcs1', 'rsa.crt'].map((name) => keysFromPem(text(name)));
    const key = createPublicKey(text('rsa.pub'));
    const { n, e } = key.export({ format: 'jwk' });
    const want = { use: 'sig', kty: 'RSA', kid: keyIdOf(key), alg: 'RS256', n, e };
    const found = { keys: [want], problems: [] };
    expect([pkix, pkcs1, certificate]).toEqual([found, found, found]);
  });

  it.each([
    ['prime256v1.pub', 'P-256', 'ES256'],
    ['secp384r1.pub', 'P-384', 'ES384'],
    ['secp521r1.pub', 'P-521', 'ES512'],
    ['ec.crt', 'P-256', 'ES256'],
  ])('reads %s, which is %s', (name, crv, alg) => {
    const key = createPublicKey(text(name));
    const { x, y } = key.export({ format: 'jwk' });
    expect(keysFromPem(text(name))).toEqual({
      keys: [{ use: 'sig', kty: 'EC', kid: keyIdOf(key), crv, alg, x, y }],
      problems: [],
    });
  });

  it('reads every block of a file', () => {
    const { keys, problems } = keysFromPem(`# keys\n${kubernetesEc}\nold:\n${kubernetesRsa}`);
    expect([keys.map(({ kty }) => kty), problems]).toEqual([['EC', 'RSA'], []]);
  });

  const fix = 'keep it where it is, and give its public half: openssl pkey -in FILE -pubout';

  it.each([
    ['rsa.key', `block 1 is a private key: ${fix}`],
    ['prime256v1.key', `block 1 is a private key: ${fix}`],
    ['short.pub', 'block 1: it is RSA of 1024 bits; want 2048 at least'],
    [
      'secp256k1.pub',
      'block 1 is a key that STS does not take: STS takes RSA of 2048 bits and more, P-256, P-384 and P-521',
    ],
    [
      'ed25519.pub',
      'block 1 is a key that STS does not take: STS takes RSA of 2048 bits and more, P-256, P-384 and P-521',
    ],
  ])('refuses %s', (name, problem) => {
    expect(keysFromPem(text(name))).toEqual({ keys: [], problems: [problem] });
  });

  it.each([
    ['', 'it holds no key in PEM; want PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE'],
    ['ssh-rsa AAAA', 'it holds no key in PEM; want PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE'],
    [
      '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----',
      'block 1 is PUBLIC KEY and cannot be read; is it whole?',
    ],
    [
      '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
      'block 1 is CERTIFICATE and cannot be read; is it whole?',
    ],
    [
      '-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----',
      'block 1 is X509 CRL; want PUBLIC KEY, RSA PUBLIC KEY, CERTIFICATE',
    ],
  ])('refuses %j', (pem, problem) => {
    expect(keysFromPem(pem)).toEqual({ keys: [], problems: [problem] });
  });
});
