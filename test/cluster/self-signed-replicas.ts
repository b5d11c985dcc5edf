// Two replicas of our program in self-signed mode behind one Service, as an installation without cert-manager has them.
// The Service is an ExternalName of loopback: that is how the API server calls by Service where there is no kube-proxy.
import { createServer, connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { kubeconfigOf } from './support/control-plane.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/ports.ts';
import type { Child } from './support/workspace.ts';

export const NAMESPACE = 'pod-identity-webhook';
export const CONFIGURATION = 'pod-identity-webhook.pod-identity-webhook';
const SERVICE_HOST = `${NAMESPACE}.${NAMESPACE}.svc`;
const CONFIGURATION_PATH = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${CONFIGURATION}`;
const SECRET_PATH = `/api/v1/namespaces/${NAMESPACE}/secrets/${NAMESPACE}`;
const program = join(import.meta.dirname, '../../dist/main.js');

export interface TestReplica {
  readonly port: number;
  start(): Promise<void>;
  ready(): Promise<void>;
  stop(): Promise<void>;
  metrics(): Promise<string>;
  /** The log so far. */
  output(): string;
}

export interface SelfSignedInstallation {
  readonly replicas: readonly TestReplica[];
  /** Of both replicas, in turn. */
  readonly port: number;
  /** Creates the MutatingWebhookConfiguration, with failurePolicy Fail and without caBundle, for the namespace `shop`. */
  register(): Promise<void>;
  close(): Promise<void>;
}

/** What there is before the program starts: an empty Secret, a Service, and the rights that its modules name. */
export async function createInstallation(controlPlane: ControlPlane): Promise<SelfSignedInstallation> {
  const { kubectl, workspace } = controlPlane;
  await kubectl(['apply', '-f', join(import.meta.dirname, 'manifests/webhook.yaml')]);
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects() }));
  const token = (await kubectl(['create', 'token', NAMESPACE, '-n', NAMESPACE])).trim();
  const kubeconfig = join(workspace.directory, 'self-signed.kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf({ url: controlPlane.url, caPem: controlPlane.caPem, user: { token } }));
  const replicas = [await createReplica(controlPlane, kubeconfig), await createReplica(controlPlane, kubeconfig)];
  const balancer = await createBalancer(replicas.map(({ port }) => port));
  return {
    replicas,
    port: balancer.port,
    register: async () => void (await kubectl(['create', '-f', '-'], JSON.stringify(registration(balancer.port)))),
    close: balancer.close,
  };
}

function objects(): object[] {
  const metadata = { name: NAMESPACE, namespace: NAMESPACE };
  const subjects = [{ kind: 'ServiceAccount', ...metadata }];
  const rbac = 'rbac.authorization.k8s.io';
  const kept = { name: `${NAMESPACE}-ca-bundle` };
  return [
    { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { type: 'ExternalName', externalName: 'localhost' } },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata,
      rules: [
        {
          apiGroups: [''],
          resources: ['secrets'],
          resourceNames: [NAMESPACE],
          verbs: ['get', 'list', 'watch', 'update'],
        },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name: NAMESPACE },
      subjects,
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: kept,
      rules: [
        {
          apiGroups: ['admissionregistration.k8s.io'],
          resources: ['mutatingwebhookconfigurations'],
          resourceNames: [CONFIGURATION],
          verbs: ['get', 'list', 'watch', 'patch'],
        },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: kept,
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: kept.name },
      subjects,
    },
  ];
}

/** One entry that is ours, and one that is not: nobody calls it, and nobody may touch it. */
function registration(port: number): object {
  const service = { namespace: NAMESPACE, name: NAMESPACE, path: '/mutate', port };
  const common = {
    rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1', 'v1beta1'],
    timeoutSeconds: 5,
    failurePolicy: 'Fail',
  };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: CONFIGURATION },
    webhooks: [
      {
        ...common,
        name: 'foreign.example.com',
        clientConfig: { service: { ...service, name: 'foreign' } },
        objectSelector: { matchLabels: { nobody: 'has-this' } },
      },
      {
        ...common,
        name: 'ours.example.com',
        clientConfig: { service },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
      },
    ],
  };
}

async function createReplica({ workspace }: ControlPlane, kubeconfig: string): Promise<TestReplica> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const children: Child[] = [];

  async function asked(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${metricsPort}/${path}`);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`/${path} answers ${response.status}: ${text}`);
    return text;
  }

  async function start(): Promise<void> {
    const args = [
      program,
      'serve',
      `--kubeconfig=${kubeconfig}`,
      `--port=${port}`,
      `--metrics-port=${metricsPort}`,
      '--bind-address=127.0.0.1',
      '--tls-mode=self-signed',
      `--tls-secret=${NAMESPACE}`,
      `--webhook-configuration=${CONFIGURATION}`,
      '--tls-leaf-lifetime=60s',
      '--tls-ca-lifetime=10m',
      `--service-name=${NAMESPACE}`,
      `--namespace=${NAMESPACE}`,
      '--shutdown-delay=0s',
    ];
    const child = workspace.start({ name: 'pod-identity-webhook', command: process.execPath, args });
    children.push(child);
    await eventually({ what: 'the replica to be alive', running: child.running }, async () => asked('livez'));
  }

  return {
    port,
    start,
    ready: async () => {
      const running = children.at(-1)?.running;
      const patience = { what: 'the replica to be ready', ...(running === undefined ? {} : { running }) };
      await eventually(patience, async () => asked('readyz?verbose'));
    },
    stop: async () => children.at(-1)?.stop(),
    metrics: async () => asked('metrics'),
    output: () => children.map((child) => `${child.stdout()}${child.stderr()}`).join(''),
  };
}

/** Connections go to the ports in turn, and to the next where nobody listens. */
async function createBalancer(ports: readonly number[]): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const forward = (socket: Socket, attempt: number): void => {
    turn += 1;
    const target = connectTcp({ port: ports[turn % ports.length] ?? 0, host: '127.0.0.1' });
    keep(target);
    let isOpen = false;
    target.once('connect', () => {
      isOpen = true;
      socket.pipe(target).pipe(socket);
    });
    target.on('error', () => {
      if (!isOpen && attempt < ports.length) forward(socket, attempt + 1);
      else socket.destroy();
    });
  };
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    keep(socket);
    socket.on('error', () => undefined);
    forward(socket, 1);
  });
  const port = await freePort();
  const listening = Promise.withResolvers<void>();
  server.listen({ port, host: '127.0.0.1' }, listening.resolve);
  await listening.promise;
  return {
    port,
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}

export interface LiveState {
  readonly generation: string | undefined;
  /** What is trusted by the entry that is ours: certificates in PEM. */
  readonly trusted: readonly string[];
  /** The caBundle of the entry that is not ours. */
  readonly foreign: unknown;
  readonly secret: unknown;
}

/** As the API server has it now. */
export async function liveState({ api }: ControlPlane): Promise<LiveState> {
  const [configuration, secret] = await Promise.all(
    [CONFIGURATION_PATH, SECRET_PATH].map(async (path) => (await api.call({ method: 'GET', path })).body),
  );
  const [foreign, ours] = ownList(configuration, 'webhooks').map((entry) => ownField(entry, 'clientConfig'));
  const pem = Buffer.from(ownString(ours, 'caBundle') ?? '', 'base64').toString('utf8');
  const annotations = ownField(ownField(configuration, 'metadata'), 'annotations');
  return {
    generation: ownString(annotations, 'pod-identity-webhook/ca-generation'),
    trusted: pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n/g) ?? [],
    foreign: ownField(foreign, 'caBundle'),
    secret: ownField(secret, 'data'),
  };
}

/** A handshake as the API server makes it; resolves with the fingerprint of the leaf, rejects where it is not trusted. */
export async function handshake(port: number, trusted: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', servername: SERVICE_HOST, ca: [...trusted] };
    const socket = connect(options, () => {
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      resolve(fingerprint256);
    });
    socket.once('error', reject);
  });
}
