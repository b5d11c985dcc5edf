// Where Kubernetes' own programs are: build.sh finds or builds them, and this asks it once.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export type Program = 'etcd' | 'kube-apiserver' | 'kubectl' | 'kube-controller-manager';

const script = join(import.meta.dirname, '..', 'build', 'build.sh');
let paths: ReadonlyMap<string, string> | undefined;

/** Path of a program that exists, or undefined where the one that may be missing (kube-controller-manager) is missing. */
export function programPath(program: Program): string | undefined {
  paths ??= new Map(
    execFileSync(script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
      .split('\n')
      .map((line) => {
        const blank = line.indexOf(' ');
        return [line.slice(0, blank), line.slice(blank + 1)];
      }),
  );
  return paths.get(program);
}

export function requiredProgram(program: Program): string {
  const path = programPath(program);
  if (path === undefined) throw new Error(`No ${program}: run test/cluster/build/build.sh and read what it says.`);
  return path;
}
