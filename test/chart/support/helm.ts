// The real helm, 3 and 4, as ../build/build.sh finds or builds them; each run gets a home of its own.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isObject } from '../../../src/admission/json.ts';
import type { JsonObject } from '../../../src/admission/json.ts';

export type HelmName = 'helm3' | 'helm4';

export interface HelmOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

export interface Rendering {
  /** Helm 3 unless given; the tests compare the two. */
  readonly helm?: HelmName;
  readonly release?: string;
  readonly namespace?: string;
  readonly values?: object;
  /** Templates to show, as in `templates/webhook.yaml`; all unless given. */
  readonly only?: readonly string[];
  /** More arguments of `helm template`. */
  readonly args?: readonly string[];
}

export const ROOT: string = join(import.meta.dirname, '..', '..', '..');
export const CHART: string = join(ROOT, 'charts/pod-identity-webhook');
export const NAME = 'pod-identity-webhook';

let programs: ReadonlyMap<string, string> | undefined;

export function helmProgram(name: HelmName): string {
  programs ??= new Map(
    execFileSync(join(import.meta.dirname, '..', 'build', 'build.sh'), {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );
  const path = programs.get(name);
  if (path === undefined) throw new Error(`No ${name}: run test/chart/build/build.sh and read what it says.`);
  return path;
}

/** Runs helm; values go in as a file on stdin. */
export function runHelm(
  name: HelmName,
  args: readonly string[],
  { values, kubeconfig }: { readonly values?: object | undefined; readonly kubeconfig?: string } = {},
): HelmOutcome {
  const home = mkdtempSync(join(tmpdir(), 'pod-identity-webhook-helm-'));
  try {
    const { stdout, stderr, status } = spawnSync(
      helmProgram(name),
      [...args, ...(values === undefined ? [] : ['--values=-'])],
      {
        encoding: 'utf8',
        env: { HOME: home, ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }) },
        input: values === undefined ? '' : JSON.stringify(values),
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    return { stdout, stderr, status };
  } finally {
    rmSync(home, { recursive: true });
  }
}

export function tryToRender({ helm = 'helm3', release = NAME, namespace = NAME, ...rest }: Rendering): HelmOutcome {
  const { values, only = [], args = [] } = rest;
  return runHelm(
    helm,
    ['template', release, CHART, `--namespace=${namespace}`, ...only.map((path) => `--show-only=${path}`), ...args],
    { values },
  );
}

/** What `helm template` prints. Throws what it says where it refuses. */
export function render(rendering: Rendering): string {
  const { stdout, stderr, status } = tryToRender(rendering);
  if (status !== 0) throw new Error(stderr.trim());
  return stdout;
}

export function objectsOf(manifests: string): JsonObject[] {
  return parseAllDocuments(manifests).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const value: unknown = document.toJS();
    return isObject(value) ? [value] : [];
  });
}

/** `Kind/name`, or `Kind/namespace/name`. */
export function idOf(object: JsonObject): string {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const { namespace, name } = metadata;
  return [object['kind'], ...(namespace === undefined ? [] : [namespace]), name].map(String).join('/');
}

export function byName(objects: readonly JsonObject[]): Record<string, JsonObject> {
  return Object.fromEntries(objects.map((object) => [idOf(object), object]));
}
