// A real control plane on loopback: etcd, kube-apiserver with RBAC and service account keys of its own, and on demand
// kube-controller-manager. No kubelet: pods are stored and never run, which is all that admission needs.
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority } from '../../support/certificates.ts';
import { createApiClient } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { eventually } from './eventually.ts';
import { createKubectl } from './kubectl.ts';
import type { Kubectl } from './kubectl.ts';
import { freePort } from './ports.ts';
import { requiredProgram } from './programs.ts';
import { createWorkspace } from './workspace.ts';
import type { Child, Workspace } from './workspace.ts';

export interface ControlPlane {
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  /** The administrator's own calls. */
  readonly api: ApiClient;
  readonly url: string;
  readonly caPem: string;
  readonly serviceAccountIssuer: string;
  /** Where whoever tests with this control plane starts programs and puts files. */
  readonly workspace: Workspace;
  /** Ends the API server by the signal and starts it again on the same port; resolves when it is ready. */
  restartApiServer(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  startControllerManager(): Promise<void>;
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Of tokens, and where their keys are said to be published. Default: one that only the cluster knows. */
  readonly serviceAccountIssuer?: string;
  /** What signs tokens: RSA, as every cluster in the field (RS256), or P-256 (ES256). Default: rsa. */
  readonly serviceAccountKey?: 'rsa' | 'ec';
}

/** Ready when it resolves; about three seconds. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const workspace = await createWorkspace();
  try {
    return await start(workspace, options);
  } catch (error) {
    await workspace.close();
    throw error;
  }
}

async function start(workspace: Workspace, options: ControlPlaneOptions): Promise<ControlPlane> {
  const { directory } = workspace;
  const authority = await createAuthority({ commonName: 'kubernetes' });
  const administrator = await authority.issue({ names: ['admin'], client: true, organization: 'system:masters' });
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf({ url, caPem: authority.caPem, user: clientCertificate(administrator) }));
  const api = createApiClient({ url, caPem: authority.caPem, ...administrator });
  const etcdUrl = `http://127.0.0.1:${await freePort()}`;
  workspace.start({
    name: 'etcd',
    command: requiredProgram('etcd'),
    args: [
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      '--listen-peer-urls=http://127.0.0.1:0',
      // Nothing that it holds outlives the test.
      '--unsafe-no-fsync',
      '--log-level=error',
    ],
  });
  const serving = await authority.issue({ names: ['127.0.0.1', 'localhost', 'kubernetes.default.svc'] });
  const { serviceAccountIssuer = 'https://kubernetes.default.svc', serviceAccountKey = 'rsa' } = options;
  const args = await apiServerArguments({
    directory,
    port,
    etcdUrl,
    serviceAccountIssuer,
    serviceAccountKey,
    caPem: authority.caPem,
    ...serving,
  });

  async function startApiServer(): Promise<Child> {
    const child = workspace.start({ name: 'kube-apiserver', command: requiredProgram('kube-apiserver'), args });
    const { running } = child;
    await eventually({ what: 'the API server to be ready', timeoutMs: 60_000, running }, async () => {
      const answer = await api.call({ method: 'GET', path: '/readyz' });
      return answer.status === 200 ? true : undefined;
    });
    return child;
  }

  let apiServer = await startApiServer();
  return {
    kubeconfig,
    kubectl: createKubectl({ kubeconfig, home: directory }),
    api,
    url,
    caPem: authority.caPem,
    serviceAccountIssuer,
    workspace,
    restartApiServer: async (signal = 'SIGTERM') => {
      await apiServer.stop(signal, 60_000);
      apiServer = await startApiServer();
    },
    startControllerManager: () => startControllerManager(workspace, kubeconfig),
    stop: async () => {
      api.close();
      await workspace.close();
    },
  };
}

interface ApiServerFiles extends Required<ControlPlaneOptions> {
  readonly directory: string;
  readonly port: number;
  readonly etcdUrl: string;
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

async function apiServerArguments(options: ApiServerFiles): Promise<string[]> {
  const { directory, port, etcdUrl, serviceAccountIssuer, serviceAccountKey, ...pems } = options;
  const serviceAccounts = serviceAccountKeys(serviceAccountKey);
  const file = async (name: string, content: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    // The Service "kubernetes" may not point at loopback, and nobody uses it here.
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.96.0.0/24',
    '--authorization-mode=RBAC',
    `--tls-cert-file=${await file('api-server.crt', pems.certPem)}`,
    `--tls-private-key-file=${await file('api-server.key', pems.keyPem)}`,
    `--client-ca-file=${await file('ca.crt', pems.caPem)}`,
    `--service-account-issuer=${serviceAccountIssuer}`,
    `--api-audiences=${serviceAccountIssuer}`,
    `--service-account-jwks-uri=${serviceAccountIssuer}/openid/v1/jwks`,
    `--service-account-key-file=${await file('service-accounts.pub', serviceAccounts.publicKey)}`,
    `--service-account-signing-key-file=${await file('service-accounts.key', serviceAccounts.privateKey)}`,
    '--profiling=false',
    // Told to end, the API server waits a minute for its watches, unless it may end them itself.
    '--shutdown-watch-termination-grace-period=1s',
  ];
}

function serviceAccountKeys(kind: 'rsa' | 'ec'): { readonly publicKey: string; readonly privateKey: string } {
  const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
  const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const;
  if (kind === 'ec') {
    return generateKeyPairSync('ec', { namedCurve: 'P-256', publicKeyEncoding, privateKeyEncoding });
  }
  return generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding });
}

async function startControllerManager(workspace: Workspace, kubeconfig: string): Promise<void> {
  workspace.start({
    name: 'kube-controller-manager',
    command: requiredProgram('kube-controller-manager'),
    args: [
      `--kubeconfig=${kubeconfig}`,
      '--controllers=deployment-controller,replicaset-controller,serviceaccount-controller',
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      '--secure-port=0',
      // Its default of 20 calls a second makes the start take seconds.
      '--kube-api-qps=500',
      // Made at start, whatever controllers run; the default is in /usr.
      `--flex-volume-plugin-dir=${join(workspace.directory, 'flex-volume')}`,
    ],
  });
}

/** JSON, which is YAML. */
export function kubeconfigOf(options: { readonly url: string; readonly caPem: string; readonly user: object }): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: options.url, 'certificate-authority-data': base64(options.caPem) } }],
    users: [{ name: 'test', user: options.user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}

function clientCertificate({ keyPem, certPem }: { readonly keyPem: string; readonly certPem: string }): object {
  return { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) };
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
