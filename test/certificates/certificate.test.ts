import { beforeAll, describe, expect, test } from '@jest/globals';
import { CertificateError } from '../../src/certificates/certificate-error.ts';
import type { CertificatePems } from '../../src/certificates/certificate.ts';
import { certificateFrom, nameWarning, validityProblem } from '../../src/certificates/certificate.ts';
import { createFixedCertificates } from '../../src/certificates/fixed.ts';
import type { Authority, KeyPair } from '../support/certificates.ts';
import { createAuthority } from '../support/certificates.ts';

const now = Date.UTC(2026, 5, 1);
const hour = 3_600_000;
const dates = { notBefore: new Date(now - hour), notAfter: new Date(now + hour) };
const options = { now, tls: { minVersion: 'TLSv1.2' } } as const;

let authority: Authority;
let pair: KeyPair;
beforeAll(async () => {
  authority = await createAuthority();
  pair = await authority.issue({ names: ['pod-identity-webhook.eks.svc'], ...dates });
});

function pemsOf({ keyPem, certPem }: KeyPair): CertificatePems {
  return { key: keyPem, cert: certPem };
}

/** Code and message of the CertificateError. */
function refusal(pems: CertificatePems, changes: Partial<Parameters<typeof certificateFrom>[1]> = {}): unknown {
  try {
    return certificateFrom(pems, { ...options, ...changes });
  } catch (error) {
    return error instanceof CertificateError ? [error.name, error.code, error.message] : error;
  }
}

test('a pair that fits is told by fingerprint, dates and names', () => {
  const certificate = certificateFrom({ ...pemsOf(pair), clientCa: authority.caPem }, options);
  expect({ ...certificate, fingerprint256: certificate.fingerprint256.length }).toEqual({
    key: pair.keyPem,
    cert: pair.certPem,
    clientCa: authority.caPem,
    fingerprint256: 95,
    ...dates,
    names: 'DNS:pod-identity-webhook.eks.svc',
  });
});

test('intermediates may follow the leaf', () => {
  const cert = pair.certPem + authority.caPem;
  expect(certificateFrom({ key: pair.keyPem, cert }, options).cert).toBe(cert);
});

describe('refuses', () => {
  const mismatch =
    'the private key does not belong to the first certificate of the file; want the leaf first, and its key';

  test('a key of another certificate, and a chain in the wrong order', async () => {
    const other = await authority.issue(dates);
    expect(refusal({ key: other.keyPem, cert: pair.certPem })).toEqual(['CertificateError', 'key-mismatch', mismatch]);
    expect(refusal({ key: pair.keyPem, cert: authority.caPem + pair.certPem })).toEqual([
      'CertificateError',
      'key-mismatch',
      mismatch,
    ]);
  });

  test.each([
    ['an empty certificate', { cert: '' }, 'no-certificate', 'the file is empty; want a certificate in PEM'],
    ['a certificate of blanks', { cert: ' \n' }, 'no-certificate', 'the file is empty; want a certificate in PEM'],
    ['an empty key', { key: '' }, 'no-key', 'the key file is empty; want a private key in PEM'],
  ])('%s', (_, change, code, message) => {
    expect(refusal({ ...pemsOf(pair), ...change })).toEqual(['CertificateError', code, message]);
  });

  test('half-written files', () => {
    for (const share of [0.2, 0.5, 0.9]) {
      const cert = pair.certPem.slice(0, pair.certPem.length * share);
      const key = pair.keyPem.slice(0, pair.keyPem.length * share);
      expect(refusal({ key: pair.keyPem, cert })).toEqual([
        'CertificateError',
        'no-certificate',
        expect.stringMatching(/^the file holds no certificate in PEM: /),
      ]);
      expect(refusal({ key, cert: pair.certPem })).toEqual([
        'CertificateError',
        'no-key',
        expect.stringMatching(/^the key file holds no private key in PEM without a passphrase: /),
      ]);
    }
  });

  test('what is over, and what has not begun', () => {
    expect(refusal(pemsOf(pair), { now: now + 2 * hour })).toEqual([
      'CertificateError',
      'expired',
      'the certificate expired at 2026-06-01T01:00:00.000Z; want a new one',
    ]);
    expect(refusal(pemsOf(pair), { now: now - 2 * hour })).toEqual([
      'CertificateError',
      'not-yet-valid',
      "the certificate is not valid before 2026-05-31T23:00:00.000Z; wait, or look at this machine's clock",
    ]);
  });

  test('client authorities that nobody could read', () => {
    const broken = authority.caPem.replace(/\n(.{20})/, '\nAAAAAAAAAAAAAAAAAAAA');
    expect(refusal({ ...pemsOf(pair), clientCa: '' })).toEqual([
      'CertificateError',
      'client-ca',
      'the client CA file holds no certificate in PEM',
    ]);
    expect(refusal({ ...pemsOf(pair), clientCa: authority.caPem + broken })).toEqual([
      'CertificateError',
      'client-ca',
      expect.stringMatching(/^certificate 2 of the client CA file cannot be read: /),
    ]);
  });

  test('what OpenSSL would refuse with the other options of the server', () => {
    expect(refusal(pemsOf(pair), { tls: { ciphers: 'NO-SUCH-CIPHER' } })).toEqual([
      'CertificateError',
      'unusable',
      expect.stringMatching(/^OpenSSL refuses the certificate: .*no cipher match/),
    ]);
  });
});

async function warningOf(names: readonly string[]): Promise<string | undefined> {
  const certificate = certificateFrom(pemsOf(await authority.issue({ names, ...dates })), options);
  return nameWarning(certificate, 'pod-identity-webhook', 'eks');
}

describe('the name that API servers call', () => {
  test('is covered by itself among others and by a wildcard', async () => {
    expect(await warningOf(['other', 'pod-identity-webhook.eks.svc'])).toBeUndefined();
    expect(await warningOf(['*.eks.svc'])).toBeUndefined();
  });

  test.each([
    [['localhost'], 'DNS:localhost'],
    [['pod-identity-webhook.other.svc'], 'DNS:pod-identity-webhook.other.svc'],
    [['pod-identity-webhook', 'pod-identity-webhook.eks'], 'DNS:pod-identity-webhook, DNS:pod-identity-webhook.eks'],
    [[], 'none'],
  ])('is missed in %j', async (names, shown) => {
    expect(await warningOf(names)).toBe(
      `the certificate's names are ${shown}, and API servers call the Service as pod-identity-webhook.eks.svc: want ` +
        'that name in it (and pod-identity-webhook, pod-identity-webhook.eks, ' +
        'pod-identity-webhook.eks.svc.cluster.local), or --service-name and --namespace of the Service in front',
    );
  });
});

test('both ends of the validity belong to it', () => {
  expect([
    validityProblem(dates, dates.notBefore.getTime()),
    validityProblem(dates, dates.notAfter.getTime()),
    validityProblem(dates, dates.notBefore.getTime() - 1)?.code,
    validityProblem(dates, dates.notAfter.getTime() + 1)?.code,
  ]).toEqual([undefined, undefined, 'not-yet-valid', 'expired']);
});

test('a fixed certificate is ready at once, and says when it has expired', async () => {
  let time = now;
  const source = createFixedCertificates({ pems: pemsOf(pair), tls: {}, now: () => time });
  await source.ready();
  expect([source.current()?.cert, source.problems()]).toEqual([pair.certPem, []]);
  time += 2 * hour;
  expect(source.problems()).toEqual(['the certificate expired at 2026-06-01T01:00:00.000Z; want a new one']);
  source.onChange(() => {})();
  source.close();
});
