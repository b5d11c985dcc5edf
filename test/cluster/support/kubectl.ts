// kubectl, the judge of these tests: what it reads from the API server is what is stored.
import { spawn } from 'node:child_process';
import { requiredProgram } from './programs.ts';

/** What kubectl prints on stdout. Rejects with what it prints on stderr, and nothing else, as the message. */
export type Kubectl = (args: readonly string[], stdin?: string) => Promise<string>;

export interface KubectlOptions {
  readonly kubeconfig: string;
  /** Where kubectl keeps its caches: never the home of whoever runs the tests, whose kuberc would be read too. */
  readonly home: string;
}

export function createKubectl({ kubeconfig, home }: KubectlOptions): Kubectl {
  const program = requiredProgram('kubectl');
  return async (args, stdin = '') => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = spawn(program, args, { env: { HOME: home, KUBECONFIG: kubeconfig } });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(output.stdout) : reject(new Error(output.stderr.trim()))));
    // kubectl may end before it has read everything.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
    return promise;
  };
}
