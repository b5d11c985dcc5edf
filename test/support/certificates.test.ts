import { X509Certificate, createPrivateKey } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createAuthority } from './certificates.ts';

test('a leaf is signed by its authority, belongs to its key and carries its names and dates', async () => {
  const authority = await createAuthority();
  const notAfter = new Date('2040-01-01T00:00:00Z');
  const leaf = await authority.issue({ names: ['webhook.eks.svc', '127.0.0.1', '::1'], notAfter });
  const certificate = new X509Certificate(leaf.certPem);
  const ca = new X509Certificate(authority.caPem);
  expect({
    signed: certificate.verify(ca.publicKey),
    issued: certificate.checkIssued(ca),
    pair: certificate.checkPrivateKey(createPrivateKey(leaf.keyPem)),
    names: certificate.subjectAltName,
    subject: certificate.subject,
    notAfter: new Date(certificate.validTo),
    authority: ca.ca,
    purposes: certificate.keyUsage,
  }).toEqual({
    signed: true,
    issued: true,
    pair: true,
    names: 'DNS:webhook.eks.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    subject: 'CN=webhook.eks.svc',
    notAfter,
    authority: true,
    purposes: ['1.3.6.1.5.5.7.3.1'],
  });
});
