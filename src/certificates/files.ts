// The serving certificate from PEM files, read again when they change. What cannot be served is refused and said, and
// the one before it stays: half-written files, a key of another certificate, an emptied directory.
import { dirname } from 'node:path';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import { CertificateError } from './certificate-error.ts';
import type { Certificates, CheckOptions, ServingCertificate } from './certificate.ts';
import { certificateFrom, isSameCertificate, nameWarning, validityProblem } from './certificate.ts';
import type { PemFiles } from './pem-files.ts';
import { readPems } from './pem-files.ts';
import type { ReloaderOptions } from './reload.ts';
import { createReloader } from './reload.ts';

export interface FileCertificatesOptions extends PemFiles, Pick<ReloaderOptions, 'watchDirectory' | 'setTimer'> {
  readonly serviceName: string;
  readonly namespace: string;
  /** What the server passes to every context beside key, certificate and CA. */
  readonly tls: CheckOptions['tls'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly readFile: (path: string) => Promise<string>;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'certificateLoaded' | 'reloadFailed'>;
}

export function createFileCertificates(options: FileCertificatesOptions): Certificates {
  const { now, log, recorder, certFile } = options;
  const listeners = new Set<(certificate: ServingCertificate) => void>();
  const first = Promise.withResolvers<void>();
  let loaded: ServingCertificate | undefined;
  let complaint = '';
  let failures = 0;
  let closed = false;

  async function look(): Promise<'done' | 'look-again'> {
    try {
      const pems = await readPems(options, options.readFile);
      if (closed) return 'done';
      if (loaded === undefined || !isSameCertificate(pems, loaded)) {
        accept(certificateFrom(pems, { now: now(), tls: options.tls }));
      }
      failures = 0;
      complain(loaded && validityProblem(loaded, now()), 'certificate is not valid now');
      return 'done';
    } catch (error) {
      return closed ? 'done' : refuse(error);
    }
  }

  function accept(certificate: ServingCertificate): void {
    loaded = certificate;
    const { names, notAfter, fingerprint256 } = certificate;
    log.info({ certFile, names, notAfter, fingerprint256 }, 'certificate loaded');
    const warning = nameWarning(certificate, options.serviceName, options.namespace);
    if (warning !== undefined) log.warn({ certFile, warning }, 'certificate does not fit the Service');
    recorder.certificateLoaded(notAfter);
    for (const listener of listeners) listener(certificate);
    first.resolve();
  }

  function refuse(cause: unknown): 'done' | 'look-again' {
    failures += 1;
    const error =
      cause instanceof CertificateError ? cause : new CertificateError('unusable', String(cause), { cause });
    if (loaded === undefined) {
      complain(error, 'no certificate to serve yet');
      return 'look-again';
    }
    if (failures === 1) return 'look-again';
    recorder.reloadFailed('certificate');
    complain(error, 'certificate refused, the last good one stays');
    return 'done';
  }

  /** Says each complaint once, however often the files are looked at. */
  function complain(error: CertificateError | undefined, message: string): void {
    if (error !== undefined && error.message !== complaint) {
      log.error({ problem: error.message, code: error.code, certFile, kept: loaded?.fingerprint256 }, message);
    }
    complaint = error?.message ?? '';
  }

  const files = [options.keyFile, certFile, ...(options.clientCaFile === undefined ? [] : [options.clientCaFile])];
  const reloader = createReloader({ ...options, directories: [...new Set(files.map((file) => dirname(file)))], look });
  return {
    ready: () => first.promise,
    current: () => loaded,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    problems() {
      if (loaded === undefined) return [complaint === '' ? `${certFile} has not been read yet` : complaint];
      const invalid = validityProblem(loaded, now());
      return invalid === undefined ? [] : [invalid.message];
    },
    close() {
      closed = true;
      reloader.close();
    },
  };
}
