// Which cluster this process talks to, and as whom. A wrong choice ends the start with one sentence that says what to
// give instead.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { ownField, ownList, ownString } from '../admission/json.ts';
import { messageOf } from '../admission/thrown.ts';
import { KubeError } from './error.ts';

/** Where the kubelet puts a pod's own credentials (automounted or projected under the same path). */
const TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** Hosts of URLs for which nothing leaves this machine, so that plain HTTP will do. */
export const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
const INSTEAD = 'give --kubeconfig=FILE, or --standalone=DIR to run without a cluster';

export interface KubeConfigOptions {
  /** `--kubeconfig`: a file. */
  readonly kubeconfig?: string | undefined;
  /** `--kube-api`: the API server's URL; with a file, it takes the place of the file's. */
  readonly server?: string | undefined;
  /** Put before the in-cluster paths; for tests. */
  readonly root?: string;
}

/** Throws KubeError `no-cluster` or `bad-kubeconfig`. In-cluster credentials where neither file nor server is given. */
export function loadKubeConfig({ kubeconfig, server, root = '' }: KubeConfigOptions): KubeConfig {
  if (kubeconfig !== undefined) return fromFile(kubeconfig, server);
  if (server !== undefined) return fromServer(server);
  return inCluster(root);
}

function fromFile(file: string, server: string | undefined): KubeConfig {
  const config = fromFiles(file.split(delimiter).filter((path) => path !== ''));
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null || user === null) {
    const context = quoted(config.getCurrentContext() ?? '');
    const what =
      config.getContextObject(config.getCurrentContext()) === null ? 'context' : 'cluster or user of context';
    throw bad(
      `--kubeconfig=${quoted(file)}: there is no ${what} ${context}; choose one with kubectl config use-context`,
    );
  }
  if (server !== undefined) config.loadFromClusterAndUser({ ...cluster, server: checked('--kube-api', server) }, user);
  return withUsableServer(config, `--kubeconfig=${quoted(file)}`);
}

/** Several as in $KUBECONFIG: files that are not there are passed over, and of each name the first counts. */
function fromFiles(files: readonly string[]): KubeConfig {
  const present = files.filter((path) => existsSync(path));
  const [first = new KubeConfig(), ...others] = (present.length > 0 ? present : files).map(readKubeConfig);
  for (const { clusters, users, contexts, currentContext } of others) {
    first.clusters = firstOfEachName(first.clusters, clusters);
    first.users = firstOfEachName(first.users, users);
    first.contexts = firstOfEachName(first.contexts, contexts);
    first.currentContext ||= currentContext;
  }
  return first;
}

function readKubeConfig(file: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
    withTokenFiles(config, file);
    return config;
  } catch (cause) {
    // The lines after the first show the file, and what is in it is secret.
    const reason = messageOf(cause).replace(/:?\n.*/s, '');
    throw bad(`--kubeconfig=${quoted(file)} cannot be read: ${reason}; give the path of a kubeconfig`, cause);
  }
}

function firstOfEachName<T extends { readonly name: string }>(earlier: T[], later: readonly T[]): T[] {
  return [...earlier, ...later.filter(({ name }) => earlier.every((each) => each.name !== name))];
}

/** `tokenFile` is in the kubeconfig's format and KubeConfig passes over it: without this its users would be anonymous. */
function withTokenFiles(config: KubeConfig, file: string): void {
  const tokenFiles = new Map<string, string>();
  for (const entry of ownList(parse(readFileSync(file, 'utf8')), 'users')) {
    const name = ownString(entry, 'name');
    const tokenFile = ownString(ownField(entry, 'user'), 'tokenFile');
    if (name !== undefined && tokenFile !== undefined) tokenFiles.set(name, resolve(dirname(file), tokenFile));
  }
  config.users = config.users.map((user) => {
    const tokenFile = tokenFiles.get(user.name);
    return tokenFile === undefined ? user : { ...user, authProvider: { name: 'tokenFile', config: { tokenFile } } };
  });
}

function fromServer(server: string): KubeConfig {
  const url = new URL(checked('--kube-api', server));
  const plain = url.protocol === 'http:';
  // `kubectl proxy` is the use of a URL alone. Elsewhere plain HTTP would let anyone on the way choose pods' roles.
  if (plain && !LOOPBACK.has(url.hostname)) {
    throw bad(`--kube-api=${quoted(server)} is not encrypted; give an https:// URL, or http:// on localhost`);
  }
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'kube-api', server, skipTLSVerify: plain }, { name: 'anonymous' });
  return config;
}

function inCluster(root: string): KubeConfig {
  if (!existsSync(`${root}${TOKEN_FILE}`)) {
    throw new KubeError(`not running in a cluster (${root}${TOKEN_FILE} missing); ${INSTEAD}`, { code: 'no-cluster' });
  }
  const config = new KubeConfig();
  config.loadFromCluster(root);
  // Without the kubelet's variables KubeConfig builds https://undefined:undefined.
  if (!URL.canParse(config.getCurrentCluster()?.server ?? '')) {
    const missing = 'KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT missing';
    throw new KubeError(`not running in a cluster (${missing}); ${INSTEAD}`, { code: 'no-cluster' });
  }
  return config;
}

function withUsableServer(config: KubeConfig, source: string): KubeConfig {
  const cluster = config.getCurrentCluster();
  const server = checked(source, cluster?.server ?? '');
  if (server.startsWith('http:') && cluster?.skipTLSVerify !== true) {
    const fix = 'give an https:// server, or say insecure-skip-tls-verify: true for this cluster';
    throw bad(`${source}: server ${quoted(server)} is not encrypted; ${fix}`);
  }
  return config;
}

function checked(source: string, server: string): string {
  if (URL.canParse(server) && /^https?:$/.test(new URL(server).protocol)) return server;
  throw bad(`${source}: server ${quoted(server)} is not a URL; want https://HOST:PORT`);
}

function quoted(value: string): string {
  return JSON.stringify(value);
}

function bad(message: string, cause?: unknown): KubeError {
  return new KubeError(message, { code: 'bad-kubeconfig', cause });
}
