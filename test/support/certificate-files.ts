// Certificates in a directory of their own, read as the program reads them.
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificates } from '../../src/certificates/certificate.ts';
import { createFileCertificates } from '../../src/certificates/files.ts';
import { watchDirectory } from '../../src/certificates/watch-directory.ts';
import type { TestLog } from './log.ts';
import { createTestLog } from './log.ts';
import type { TestRecorder } from './recorder.ts';
import { createTestRecorder } from './recorder.ts';

export type Files = Readonly<Record<string, string>>;

export interface CertificateDirectory {
  readonly path: string;
  readonly certificates: Certificates;
  readonly log: TestLog;
  readonly recorder: TestRecorder;
  /** Each file is written where it stands, one after the other. */
  writeInPlace(files: Files): Promise<void>;
  /** Each file is written beside and renamed. */
  replace(files: Files): Promise<void>;
  /** All files at once, as kubelet does: a new directory, and `..data` turned to it. */
  swap(files: Files): Promise<void>;
}

/**
 * `files`: `tls.key`, `tls.crt`, and `ca.crt` where clients need certificates. They are links into `..data`, as in a
 * volume of kubelet's, or plain files.
 */
export async function withCertificateDirectory<Result>(
  { layout = 'kubelet', ...files }: Files & { readonly layout?: 'kubelet' | 'plain' },
  run: (directory: CertificateDirectory) => Promise<Result>,
): Promise<Result> {
  const path = await mkdtemp(join(tmpdir(), 'certificates-'));
  const log = createTestLog();
  const recorder = createTestRecorder();
  let generation = 0;

  const swap = async (next: Files): Promise<void> => {
    const before = `..${generation}`;
    generation += 1;
    await mkdir(join(path, `..${generation}`));
    for (const [name, text] of Object.entries(next)) await writeFile(join(path, `..${generation}`, name), text);
    await symlink(`..${generation}`, join(path, '..data_tmp'));
    await rename(join(path, '..data_tmp'), join(path, '..data'));
    await rm(join(path, before), { recursive: true, force: true });
  };
  const writeInPlace = async (next: Files): Promise<void> => {
    for (const [name, text] of Object.entries(next)) await writeFile(join(path, name), text);
  };
  if (layout === 'plain') await writeInPlace(files);
  else {
    await swap(files);
    for (const name of Object.keys(files)) await symlink(join('..data', name), join(path, name));
  }

  const certificates = createFileCertificates({
    keyFile: join(path, 'tls.key'),
    certFile: join(path, 'tls.crt'),
    ...(files['ca.crt'] === undefined ? {} : { clientCaFile: join(path, 'ca.crt') }),
    serviceName: 'pod-identity-webhook',
    namespace: 'eks',
    tls: { minVersion: 'TLSv1.2' },
    now: Date.now,
    readFile: async (file) => readFile(file, 'utf8'),
    watchDirectory,
    setTimer(action, delayMs) {
      const timer = setTimeout(action, delayMs).unref();
      return () => clearTimeout(timer);
    },
    log: log.log,
    recorder,
  });
  try {
    await certificates.ready();
    return await run({
      path,
      certificates,
      log,
      recorder,
      swap,
      writeInPlace,
      async replace(next) {
        for (const [name, text] of Object.entries(next)) {
          await writeFile(join(path, `.${name}.new`), text);
          await rename(join(path, `.${name}.new`), join(path, name));
        }
      },
    });
  } finally {
    certificates.close();
    await rm(path, { recursive: true, force: true });
  }
}
