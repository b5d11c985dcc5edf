// The cluster of the tests that install the webhook: the one that KUBECONFIG names where E2E_IMAGE or E2E_LOAD says how
// the image gets there, and else the real local node of ../node.
//
//   E2E_IMAGE   name of an image that the cluster's nodes have or can pull
//   E2E_LOAD    command that brings an image into the cluster; the path of its OCI archive is put behind it
//   E2E_ENTER   command that runs another one as root on a node, whose name is put between the two: docker exec -i
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KubeAnswer } from '../../../src/kube/answer.ts';
import { createKubeClient } from '../../../src/kube/client.ts';
import { loadKubeConfig } from '../../../src/kube/kubeconfig.ts';
import { createKubectl } from '../../cluster/support/kubectl.ts';
import type { Kubectl } from '../../cluster/support/kubectl.ts';
import { requiredProgram } from '../../cluster/support/programs.ts';
import { bringImage } from '../image.ts';
import { enterScript, isOtherCluster, missingForNode, nodePaths } from './local-node.ts';

export interface Cluster {
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  /** Of the webhook; Node in it runs the scripts of the tests' pods. */
  readonly image: string;
  /** One call over kept connections: for what happens ten times a second. Rejects where there is no answer. */
  call(method: 'GET' | 'POST', path: string, body?: object): Promise<KubeAnswer>;
  /** Runs a command as root on that node; what it prints. Only where `missingForEntering` says nothing. */
  enter(node: string, command: readonly string[]): Promise<string>;
  close(): void;
}

/** A client has ten sockets, and a call that the webhook keeps waiting holds one for seconds. */
const CLIENTS = 6;

const enterLocal: readonly string[] = [enterScript];

const run = promisify(execFile);

/** Why there is no cluster to test on; undefined where there is one. */
export function missingForCluster(): string | undefined {
  if (!isOtherCluster()) return missingForNode();
  if (process.env['KUBECONFIG'] === undefined) return 'has no KUBECONFIG, which E2E_IMAGE and E2E_LOAD need';
  return undefined;
}

/** Why nothing can be run on the cluster's nodes; undefined where it can. */
export function missingForEntering(): string | undefined {
  if (!isOtherCluster() || process.env['E2E_ENTER'] !== undefined) return undefined;
  return 'E2E_ENTER does not say how to run a command on a node';
}

/** Why no node can be drained; undefined where one can: another one must take what ran there. */
export function missingForDraining(): string | undefined {
  if (!isOtherCluster()) return 'the local node is the only one';
  const env = { KUBECONFIG: process.env['KUBECONFIG'] ?? '' };
  const columns = 'jsonpath={range .items[*]}{.metadata.name}:{.spec.taints[*].effect}{"\\n"}{end}';
  const nodes = execFileSync(requiredProgram('kubectl'), ['get', 'nodes', '-o', columns], { encoding: 'utf8', env });
  return nodes.split('\n').filter((line) => line.endsWith(':')).length > 1 ? undefined : 'only one node takes pods';
}

export async function openCluster(): Promise<Cluster> {
  const isLocal = !isOtherCluster();
  const { kubeconfig, images } = isLocal ? nodePaths() : await otherPaths();
  const kubectl = createKubectl({ kubeconfig, home: images });
  const image = process.env['E2E_IMAGE'] ?? (await bringImage(images, loader()));
  const config = loadKubeConfig({ kubeconfig });
  const clients = Array.from({ length: CLIENTS }, () => createKubeClient({ config, userAgent: 'e2e' }));
  const { signal } = new AbortController();
  let calls = 0;
  return {
    kubeconfig,
    kubectl,
    image,
    call: async (method, path, body) => {
      calls += 1;
      const client = clients[calls % CLIENTS];
      if (client === undefined) throw new Error('The cluster is closed.');
      if (method === 'GET') return client.get(path, { signal });
      return client.write(path, { method, contentType: 'application/json', body, signal });
    },
    enter: async (node, command) => {
      const [program = '', ...words] = isLocal ? enterLocal : [...wordsOf(process.env['E2E_ENTER'] ?? ''), node];
      return (await run(program, [...words, ...command])).stdout;
    },
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

function loader(): ((archive: string) => Promise<void>) | undefined {
  const command = process.env['E2E_LOAD'];
  if (command === undefined) return undefined;
  const [program = '', ...words] = wordsOf(command);
  return async (archive) => void (await run(program, [...words, archive]));
}

async function otherPaths(): Promise<{ readonly kubeconfig: string; readonly images: string }> {
  const { tmpdir } = await import('node:os');
  const { mkdtemp } = await import('node:fs/promises');
  return { kubeconfig: process.env['KUBECONFIG'] ?? '', images: await mkdtemp(join(tmpdir(), 'e2e-')) };
}

function wordsOf(command: string): string[] {
  return command.split(' ').filter((word) => word !== '');
}
