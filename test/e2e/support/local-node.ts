// The real node of ../node, as its scripts give it: whether this machine can have one, where it keeps things, and how
// images get into it.
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const scripts = join(import.meta.dirname, '..', 'node');

export interface NodePaths {
  readonly kubeconfig: string;
  /** The node's programs: kubectl and the others. */
  readonly bin: string;
  /** Where archives of images are kept from run to run. */
  readonly images: string;
  /** Address of this machine on the link to the node: pods reach it as `host.node`, and nothing else does. */
  readonly hostAddress: string;
}

/** The script that runs a command in the node. */
export const enterScript: string = join(scripts, 'enter');

/** Whether the tests are to run on a cluster of somebody else's: see cluster.ts. */
export function isOtherCluster(): boolean {
  return process.env['E2E_IMAGE'] !== undefined || process.env['E2E_LOAD'] !== undefined;
}

/** Why this machine cannot or need not have a node; undefined where it can. */
export function missingForNode(): string | undefined {
  if (isOtherCluster()) return 'is not to start a node: E2E_IMAGE or E2E_LOAD stand for another cluster';
  if (process.platform !== 'linux') return 'needs Linux';
  const why = execFileSync(join(scripts, 'up'), ['--missing'], { encoding: 'utf8' }).trim();
  return why === '' ? undefined : why;
}

/** Whether the node runs already. */
export function nodeIsUp(): boolean {
  return spawnSync(enterScript, ['true'], { stdio: 'ignore' }).status === 0;
}

export function nodePaths(): NodePaths {
  const script = '. "$1"; printf "%s\\n" "$run" "$bin" "$state" "$host_address"';
  const words = ['-euc', script, 'bash', join(scripts, 'env.sh')];
  // No pipe for stdin: of a socket there bash believes that it was called from afar, and reads the user's start-up files.
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  const printed = execFileSync('bash', words, { encoding: 'utf8', stdio });
  const [run = '', bin = '', state = '', hostAddress = ''] = printed.split('\n');
  return { kubeconfig: join(run, 'kubeconfig'), bin, images: join(state, 'images'), hostAddress };
}

/** Brings an image archive into the node: pods find it by its tag, with any imagePullPolicy. */
export function loadImage(archive: string): void {
  execFileSync(join(scripts, 'load'), [archive], { stdio: 'pipe' });
}
