// Where the serving certificate comes from: files, or this process itself.
import { readFile } from 'node:fs/promises';
import { setTimer } from './app-clock.ts';
import type { Certificates } from './certificates/certificate.ts';
import { createFileCertificates } from './certificates/files.ts';
import { createFixedCertificates } from './certificates/fixed.ts';
import { issueSelfSigned } from './certificates/self-signed.ts';
import { watchDirectory } from './certificates/watch-directory.ts';
import { messageOf } from './admission/thrown.ts';
import { ConfigError } from './config-error.ts';
import type { Config } from './config.ts';
import type { Log } from './observe/log.ts';
import type { Recorder } from './observe/recorder.ts';
import { contextOptionsFrom } from './server/tls-options.ts';

// A certificate in memory lives as long as its process; a year is longer than any such process should.
const IN_MEMORY_LIFETIME_MS = 365 * 86_400_000;

/** Read from files, or made in memory. */
export async function certificatesFor(
  config: Config,
  { log, recorder }: { readonly log: Log; readonly recorder: Recorder },
): Promise<{ readonly certificates: Certificates; readonly caPem: string | undefined }> {
  const tls = contextOptionsFrom(config.tls);
  const clientCaFile = config.clientCertificates?.caFile;
  if (config.certificateFiles === undefined) {
    const names = ['localhost', '127.0.0.1', '::1'];
    const { caPem, certPem, keyPem } = await issueSelfSigned({
      names,
      lifetimeMs: IN_MEMORY_LIFETIME_MS,
      now: Date.now,
    });
    const clientCa = clientCaFile === undefined ? {} : { clientCa: await clientCaFrom(clientCaFile) };
    const certificates = createFixedCertificates({
      pems: { key: keyPem, cert: certPem, ...clientCa },
      tls,
      now: Date.now,
    });
    return { certificates, caPem };
  }
  const { serviceName, namespace } = config;
  const certificates = createFileCertificates({
    ...config.certificateFiles,
    ...(clientCaFile === undefined ? {} : { clientCaFile }),
    serviceName,
    namespace,
    tls,
    now: Date.now,
    readFile: (path) => readFile(path, 'utf8'),
    watchDirectory,
    setTimer,
    log,
    recorder,
  });
  return { certificates, caPem: undefined };
}

async function clientCaFrom(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const problem = `--client-ca-file=${JSON.stringify(file)}: ${messageOf(error)}; give a file of certificates in PEM`;
    throw new ConfigError('unusable-file', [problem], { cause: error });
  }
}
