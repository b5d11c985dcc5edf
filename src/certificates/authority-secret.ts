// How the CA and its rotation are written into the Secret of the self-signed mode, and read from it. What is not ours is
// refused with a sentence that says what to do, so that nothing of anybody else's is ever overwritten. PURE.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';
import { certificateBlocks } from '../aws/pem.ts';
import type { Ca, CaState, PreviousCa } from './authority-state.ts';
import { CertificateError } from './certificate-error.ts';

/** On the Secret; each new value starts one rotation. */
export const ROTATE_ANNOTATION = 'pod-identity-webhook/rotate-ca';

/** All that the Secret may hold. */
const KEYS = new Set(['ca.crt', 'ca.key', 'next-ca.crt', 'next-ca.key', 'previous-ca.crt', 'state.json']);

export interface SecretContents {
  /** Undefined where it has no data: nobody has filled it, or somebody has emptied it. */
  readonly state: CaState | undefined;
  /** The value of the annotation; empty where there is none. */
  readonly rotateCa: string;
}

/** Throws CertificateError `secret`, which names the object `namespace/name`. */
export function contentsFrom(secret: JsonObject, object: string): SecretContents {
  const refuse = refusalFor(object);
  const type = ownString(secret, 'type') ?? 'Opaque';
  if (type !== 'Opaque') throw refuse(`is of type ${type}`, 'name one of type Opaque and without data by --tls-secret');
  if (ownField(secret, 'immutable') === true)
    throw refuse('is immutable', 'name one that can be changed by --tls-secret');
  const data = ownField(secret, 'data') ?? {};
  if (!isObject(data)) throw refuse('has no readable data', 'empty it');
  const foreign = Object.keys(data).filter((key) => !KEYS.has(key));
  if (foreign.length > 0) {
    const keys = foreign.map((key) => JSON.stringify(key)).join(', ');
    throw refuse(
      `holds ${keys}, which is not ours`,
      'name another Secret without data by --tls-secret, or remove that',
    );
  }
  const rotateCa = ownString(ownField(ownField(secret, 'metadata'), 'annotations'), ROTATE_ANNOTATION) ?? '';
  if (Object.keys(data).length === 0) return { state: undefined, rotateCa };
  try {
    return { state: stateFrom(data), rotateCa };
  } catch (error) {
    // Messages of others may quote what they could not read, which may be a key.
    const what = error instanceof CertificateError ? error.message : 'it cannot be read';
    throw refuse(`is damaged: ${what}`, 'restore it, or remove all of its data to have a new CA made');
  }
}

/** The Secret with that state in it; labels, annotations and owners stay. */
export function withState(secret: JsonObject, state: CaState): JsonObject {
  const { current, next, previous } = state;
  const { generation, steppedAt, leafLifetimeMs, rotateCa } = state;
  const texts: Record<string, string> = {
    'ca.crt': current.certPem,
    'ca.key': current.keyPem,
    ...(next === undefined ? {} : { 'next-ca.crt': next.certPem, 'next-ca.key': next.keyPem }),
    ...(previous.length === 0 ? {} : { 'previous-ca.crt': previous.map(({ certPem }) => certPem).join('') }),
    'state.json': JSON.stringify({
      generation,
      steppedAt: new Date(steppedAt).toISOString(),
      leafLifetimeMs,
      rotateCa,
      retireAt: previous.map(({ retireAt }) => new Date(retireAt).toISOString()),
    }),
  };
  const data = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text, 'utf8').toString('base64')]);
  return { ...secret, data: Object.fromEntries(data) };
}

/** A certificate and its key, checked. Throws. */
export function caFrom(certPem: string, keyPem: string): Ca {
  const certificate = caCertificateFrom(certPem);
  if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) throw unreadable('a key does not fit its CA');
  const { validFromDate, validToDate } = certificate;
  return { certPem, keyPem, notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
}

/** Each certificate of a text of PEM that can be read, ending in a newline. */
export function certificatesIn(pem: string): readonly string[] {
  return certificateBlocks(pem)
    .map((block) => `${block}\n`)
    .filter(isCertificate);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== '';
  } catch {
    return false;
  }
}

function caCertificateFrom(certPem: string): X509Certificate {
  const certificate = new X509Certificate(certPem);
  if (!certificate.ca) throw unreadable('a certificate is not that of a CA');
  return certificate;
}

function stateFrom(data: JsonObject): CaState {
  const record: unknown = JSON.parse(required(data, 'state.json'));
  const generation = countFrom(record, 'generation');
  const next = pairFrom(data, 'next-ca');
  return {
    generation,
    steppedAt: dateFrom(ownField(record, 'steppedAt'), 'steppedAt'),
    leafLifetimeMs: countFrom(record, 'leafLifetimeMs'),
    rotateCa: ownString(record, 'rotateCa') ?? '',
    current: caFrom(required(data, 'ca.crt'), required(data, 'ca.key')),
    ...(next === undefined ? {} : { next }),
    previous: previousFrom(data, record),
  };
}

function pairFrom(data: JsonObject, name: string): Ca | undefined {
  if (!Object.hasOwn(data, `${name}.crt`) && !Object.hasOwn(data, `${name}.key`)) return undefined;
  return caFrom(required(data, `${name}.crt`), required(data, `${name}.key`));
}

function previousFrom(data: JsonObject, record: unknown): readonly PreviousCa[] {
  const dates = ownList(record, 'retireAt');
  const certificates = Object.hasOwn(data, 'previous-ca.crt') ? certificatesIn(required(data, 'previous-ca.crt')) : [];
  if (certificates.length !== dates.length) throw unreadable('previous-ca.crt and state.json are not of the same time');
  return certificates.map((certPem, index) => ({ certPem, retireAt: dateFrom(dates[index], 'retireAt') }));
}

function required(data: JsonObject, key: string): string {
  const text = Buffer.from(ownString(data, key) ?? '', 'base64').toString('utf8');
  if (text === '') throw unreadable(`${key} is missing`);
  return text;
}

function countFrom(record: unknown, key: string): number {
  const value = ownField(record, key);
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw unreadable(`${key} of state.json is no count`);
  }
  return value;
}

function dateFrom(value: unknown, key: string): number {
  const ms = typeof value === 'string' ? Date.parse(value) : NaN;
  if (Number.isNaN(ms)) throw unreadable(`${key} of state.json is no date`);
  return ms;
}

function unreadable(what: string): CertificateError {
  return new CertificateError('secret', what);
}

function refusalFor(object: string): (what: string, advice: string) => CertificateError {
  return (what, advice) => new CertificateError('secret', `the Secret ${JSON.stringify(object)} ${what}; ${advice}`);
}
