// Reads the PEM files that the flags name; what cannot be read is said with its flag.
import { CertificateError } from './certificate-error.ts';
import type { CertificatePems } from './certificate.ts';

export interface PemFiles {
  readonly keyFile: string;
  readonly certFile: string;
  readonly clientCaFile?: string;
}

/** Rejects with CertificateError `unreadable`. */
export async function readPems(
  { keyFile, certFile, clientCaFile }: PemFiles,
  readFile: (path: string) => Promise<string>,
): Promise<CertificatePems> {
  const read = async (option: string, path: string): Promise<string> => {
    try {
      return await readFile(path);
    } catch (error) {
      throw unreadable(option, path, error);
    }
  };
  const key = await read('--tls-key', keyFile);
  const cert = await read('--tls-cert', certFile);
  return clientCaFile === undefined
    ? { key, cert }
    : { key, cert, clientCa: await read('--client-ca-file', clientCaFile) };
}

function unreadable(option: string, path: string, cause: unknown): CertificateError {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'unknown error';
  const advice =
    code === 'EACCES' || code === 'EPERM'
      ? 'let the user of this process read it (fsGroup, or defaultMode of the Secret volume)'
      : 'mount the Secret of the certificate there, or give another path';
  const message = `${option}=${JSON.stringify(path)} cannot be read (${code}); ${advice}`;
  return new CertificateError('unreadable', message, { cause });
}
