// Where the serving certificate comes from: files, a CA in the cluster, or this process itself.
import { readFile } from 'node:fs/promises';
import { setTimer } from './app-clock.ts';
import type { AppParts } from './app-parts.ts';
import type { Certificates } from './certificates/certificate.ts';
import { createFileCertificates } from './certificates/files.ts';
import { createFixedCertificates } from './certificates/fixed.ts';
import { watchDirectory } from './certificates/watch-directory.ts';
import { messageOf } from './admission/thrown.ts';
import { ConfigError } from './config-error.ts';
import type { CertificateFiles } from './certificates-from-flags.ts';
import type { Config } from './config.ts';
import type { Condition } from './server/admin.ts';
import { contextOptionsFrom } from './server/tls-options.ts';

// A certificate in memory lives as long as its process; a year is longer than any such process should.
const IN_MEMORY_LIFETIME_MS = 365 * 86_400_000;

export interface ServingSource {
  readonly certificates: Certificates;
  /** The authority to trust, where the certificate was made in memory. */
  readonly caPem: string | undefined;
  /** What of it must hold before pods may be sent here, beside a certificate that is valid. */
  conditions(): readonly Condition[];
  close(): Promise<void> | void;
}

/** Read from files, signed by a CA in the cluster, or made in memory. */
export async function certificatesFor(parts: AppParts): Promise<ServingSource> {
  const { config } = parts;
  if (config.selfSigned !== undefined) {
    const { selfSignedCertificates } = await import('./app-self-signed.ts');
    return selfSignedCertificates({ ...parts, mode: config.selfSigned });
  }
  const files = config.certificateFiles;
  const { certificates, caPem } = files === undefined ? await inMemory(config) : fromFiles(parts, files);
  return { certificates, caPem, conditions: () => [], close: () => certificates.close() };
}

type Loaded = Pick<ServingSource, 'certificates' | 'caPem'>;

async function inMemory(config: Config): Promise<Loaded> {
  // Loads what a server with certificate files never needs.
  const { issueSelfSigned } = await import('./certificates/self-signed.ts');
  const { caPem, certPem, keyPem } = await issueSelfSigned({
    names: ['localhost', '127.0.0.1', '::1'],
    lifetimeMs: IN_MEMORY_LIFETIME_MS,
    now: Date.now,
  });
  const clientCaFile = config.clientCertificates?.caFile;
  const clientCa = clientCaFile === undefined ? {} : { clientCa: await clientCaFrom(clientCaFile) };
  const pems = { key: keyPem, cert: certPem, ...clientCa };
  return { certificates: createFixedCertificates({ pems, tls: contextOptionsFrom(config.tls), now: Date.now }), caPem };
}

function fromFiles({ config, log, recorder }: AppParts, files: CertificateFiles): Loaded {
  const { serviceName, namespace, clientCertificates } = config;
  const certificates = createFileCertificates({
    ...files,
    ...(clientCertificates === undefined ? {} : { clientCaFile: clientCertificates.caFile }),
    serviceName,
    namespace,
    tls: contextOptionsFrom(config.tls),
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
