// A release of the chart, by the real helm; nothing here blocks, so that pods can be created meanwhile.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHART, helmProgram } from '../../chart/support/helm.ts';
import type { HelmName } from '../../chart/support/helm.ts';

export interface ReleaseOptions {
  readonly helm: HelmName;
  readonly kubeconfig: string;
  readonly image: string;
  readonly name: string;
  readonly namespace: string;
  /** Beside the image; the chart's defaults unless given. */
  readonly values?: object;
}

export interface Release {
  /** With --wait, into a namespace that need not exist. */
  install(): Promise<void>;
  /** With --wait and the values of the installation; these beat them. */
  upgrade(values: object): Promise<void>;
  /** Rejects where the chart's test fails; what helm prints. */
  test(): Promise<string>;
  /** With --wait; the namespace stays. */
  uninstall(): Promise<void>;
}

export function createRelease({ helm, kubeconfig, image, name, namespace, values = {} }: ReleaseOptions): Release {
  const program = helmProgram(helm);
  const own = { image: imageValues(image), ...values };

  async function run(args: readonly string[], given?: object): Promise<string> {
    const home = await mkdtemp(join(tmpdir(), 'pod-identity-webhook-helm-'));
    try {
      const words = [...args, `--namespace=${namespace}`, ...(given === undefined ? [] : ['--values=-'])];
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const child = spawn(program, words, { env: { HOME: home, KUBECONFIG: kubeconfig } });
      const output = { stdout: '', stderr: '' };
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve(output.stdout) : reject(new Error(`${output.stderr.trim()}\n${output.stdout.trim()}`)),
      );
      // helm may end before it has read everything.
      child.stdin.on('error', () => undefined);
      child.stdin.end(given === undefined ? '' : JSON.stringify(given));
      return await promise;
    } finally {
      await rm(home, { recursive: true });
    }
  }

  const waiting = ['--wait', '--timeout=120s'];
  return {
    install: async () => void (await run(['install', name, CHART, '--create-namespace', ...waiting], own)),
    upgrade: async (changed) => void (await run(['upgrade', name, CHART, ...waiting], { ...own, ...changed })),
    test: async () => run(['test', name, '--timeout=90s']),
    uninstall: async () => void (await run(['uninstall', name, ...waiting])),
  };
}

/** A name of an image as the chart's values. */
export function imageValues(image: string): { readonly [part: string]: string } {
  const [, name = '', tag, digest] = /^([^@]+?)(?::([^:/@]+))?(?:@(.+))?$/.exec(image) ?? [];
  const slash = name.indexOf('/');
  const host = name.slice(0, Math.max(slash, 0));
  // As containerd reads names: what has no dot, no port and is not localhost is no host.
  const isHost = host === 'localhost' || /[.:]/.test(host);
  const [registry, repository] = isHost
    ? [host, name.slice(slash + 1)]
    : ['docker.io', slash === -1 ? `library/${name}` : name];
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}
