// The program under measurement: the image's bundle with the image's flags, on a core of its own, and what the kernel
// says that it costs.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthority } from '../test/support/certificates.ts';
import { argumentsOf, environmentOf, parseDockerfile } from '../test/image/dockerfile.ts';
import { freePort } from '../test/cluster/support/ports.ts';
import type { Child, Workspace } from '../test/cluster/support/workspace.ts';
import { writeFile } from 'node:fs/promises';

const root = resolve(import.meta.dirname, '..');

/** Files of a serving certificate, for the server and the yardstick. */
export interface KeyFiles {
  readonly key: string;
  readonly cert: string;
}

export async function writeKeyFiles({ directory }: Workspace): Promise<KeyFiles> {
  const { keyPem, certPem } = await (await createAuthority()).issue();
  const files = { key: join(directory, 'tls.key'), cert: join(directory, 'tls.crt') };
  await writeFile(files.key, keyPem);
  await writeFile(files.cert, certPem);
  return files;
}

export interface Subject {
  readonly child: Child;
  readonly url: string;
  /** From the start of the process to the first 200 of /readyz. */
  readonly readyMs: number;
  /** The longest that the event loop stood still since start or the last call. */
  longestStallMs(): Promise<number>;
}

/** Ready when it resolves. `core` is the one it may use; all where undefined. */
export async function startSubject(
  workspace: Workspace,
  { keys, kubeconfig, core }: { readonly keys: KeyFiles; readonly kubeconfig: string; readonly core?: number },
): Promise<Subject> {
  const port = await freePort();
  const metrics = `http://127.0.0.1:${await freePort()}`;
  const image = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8')).at(-1);
  if (image === undefined) throw new Error('Dockerfile: no stage in it');
  const command = [
    process.execPath,
    // What the image's entrypoint has between Node and the bundle.
    ...argumentsOf(image, 'ENTRYPOINT').slice(1, -1),
    join(root, 'dist/bundle/main.js'),
    'serve',
    `--kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    `--metrics-port=${new URL(metrics).port}`,
    `--tls-key=${keys.key}`,
    `--tls-cert=${keys.cert}`,
    '--shutdown-delay=0s',
  ];
  const before = performance.now();
  const child = workspace.start({ name: 'pod-identity-webhook', env: environmentOf(image), ...pinned(command, core) });
  await Promise.race([child.running, answered(`${metrics}/readyz`)]);
  const readyMs = performance.now() - before;

  return {
    child,
    url: `https://127.0.0.1:${port}/mutate`,
    readyMs,
    longestStallMs: async () => {
      const scrape = await (await fetch(`${metrics}/metrics`)).text();
      const seconds = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(scrape)?.[1];
      return Number(seconds) * 1_000;
    },
  };
}

export function pinned(command: readonly string[], core?: number): { command: string; args: readonly string[] } {
  const [first = '', ...rest] = command;
  if (core === undefined) return { command: first, args: rest };
  return { command: '/usr/bin/taskset', args: ['--cpu-list', String(core), ...command] };
}

async function answered(url: string): Promise<void> {
  for (;;) {
    const status = await fetch(url).then(
      async (response) => response.text().then(() => response.status),
      () => 0,
    );
    if (status === 200) return;
    await sleep(5);
  }
}

/** Microseconds that all threads of a process have spent on a core. */
export function cpuMicroseconds({ pid }: Child): number {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).map((task) => {
    const [onCore = ''] = readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ');
    return Number(onCore);
  });
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1_000;
}

/** Resident memory: now, and the highest ever. */
export function memoryMiB({ pid }: Child): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1_024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}
