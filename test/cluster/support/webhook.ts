// Our program as a process of its own, as `npm run build` leaves it: under an account that may read ServiceAccounts and,
// unless a test grants more, nothing else; with certificates of a throw-away CA, registered at the API server by URL.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../../src/admission/json.ts';
import type { JsonObject } from '../../../src/admission/json.ts';
import { createAuthority } from '../../support/certificates.ts';
import { kubeconfigOf } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';
import { pod, roleArnsOf } from './objects.ts';
import { freePort } from './ports.ts';
import type { FailurePolicy } from './registration.ts';
import { mutatingWebhook } from './registration.ts';
import type { Child } from './workspace.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const namespace = 'pod-identity-webhook';
const manifests = join(root, 'test/cluster/manifests');

/** What the webhook's account may be granted beside reading ServiceAccounts: the names of manifests. */
export type Right = 'may-read-config-map' | 'may-read-namespaces' | 'may-audit';

/** What becomes of a pod of an annotated account, asked by a dry run. */
export type ProbeResult = 'mutated' | 'unmutated' | 'refused';

export interface HealthAnswer {
  readonly status: number;
  readonly text: string;
}

export interface Webhook {
  /** Path of the kubeconfig that the webhook itself uses. */
  readonly kubeconfig: string;
  /** The bearer token in it. */
  readonly token: string;
  start(): Promise<void>;
  /** What /readyz answers, condition by condition. */
  readyz(): Promise<HealthAnswer>;
  /** What /metrics says. */
  metrics(): Promise<string>;
  /** Resolves when /readyz says so. */
  ready(): Promise<void>;
  /** Creates or changes the registration; resolves when probes end as expected. */
  register(failurePolicy: FailurePolicy, expected: ProbeResult): Promise<void>;
  /** Everything that the process has written so far, stdout and then stderr. */
  output(): string;
  stop(): Promise<void>;
}

export interface WebhookOptions {
  readonly controlPlane: ControlPlane;
  /** Where the webhook looks for the API server, if not where it is. */
  readonly apiUrl?: string;
  /** More of the program's flags. */
  readonly flags?: readonly string[];
  readonly rights?: readonly Right[];
  /** How long the API server lets the webhook take; the webhook asks to be called again until then. Default: 5. */
  readonly timeoutSeconds?: number;
}

/** Running, ready, and called by the API server for every pod. */
export async function startWebhook(
  options: WebhookOptions & { readonly failurePolicy: FailurePolicy },
): Promise<Webhook> {
  const webhook = await createWebhook(options);
  await webhook.start();
  await webhook.ready();
  await webhook.register(options.failurePolicy, 'mutated');
  return webhook;
}

/** Everything that the webhook needs exists; it is neither started nor registered. */
export async function createWebhook(options: WebhookOptions): Promise<Webhook> {
  const { controlPlane, apiUrl = controlPlane.url, flags = [], rights = [], timeoutSeconds = 5 } = options;
  const { kubectl, workspace } = controlPlane;
  await kubectl(['apply', '-f', join(manifests, 'webhook.yaml')]);
  for (const right of rights) await grant(controlPlane, right);
  const token = (await kubectl(['create', 'token', namespace, '-n', namespace])).trim();
  const kubeconfig = join(workspace.directory, 'webhook.kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf({ url: apiUrl, caPem: controlPlane.caPem, user: { token } }));
  const authority = await createAuthority();
  const names = [namespace, `${namespace}.${namespace}`, `${namespace}.${namespace}.svc`, '127.0.0.1', 'localhost'];
  const { keyPem, certPem } = await authority.issue({ names });
  const certificate = { key: join(workspace.directory, 'tls.key'), cert: join(workspace.directory, 'tls.crt') };
  await writeFile(certificate.key, keyPem, { mode: 0o600 });
  await writeFile(certificate.cert, certPem);
  const port = await freePort();
  const metricsPort = await freePort();
  let child: Child | undefined;

  async function start(): Promise<void> {
    child = workspace.start({
      name: 'pod-identity-webhook',
      command: process.execPath,
      args: [
        join(root, 'dist/main.js'),
        'serve',
        `--kubeconfig=${kubeconfig}`,
        `--port=${port}`,
        `--metrics-port=${metricsPort}`,
        '--bind-address=127.0.0.1',
        `--tls-key=${certificate.key}`,
        `--tls-cert=${certificate.cert}`,
        `--service-name=${namespace}`,
        `--namespace=${namespace}`,
        // Nothing is drained in these tests; the tests of the drain are elsewhere.
        '--shutdown-delay=0s',
        '--log-level=debug',
        ...flags,
      ],
    });
    await eventually({ what: 'the webhook to listen', running: child.running }, async () => answers('livez'));
  }

  async function asked(path: string): Promise<HealthAnswer> {
    const response = await fetch(`http://127.0.0.1:${metricsPort}/${path}`);
    return { status: response.status, text: await response.text() };
  }

  async function answers(path: string): Promise<true> {
    const { status, text } = await asked(path);
    if (status !== 200) throw new Error(`/${path} answers ${status}: ${text}`);
    return true;
  }

  return {
    kubeconfig,
    token,
    start,
    readyz: async () => asked('readyz?verbose'),
    metrics: async () => (await asked('metrics')).text,
    ready: async () => {
      const running = child === undefined ? {} : { running: child.running };
      await eventually({ what: 'the webhook to be ready', ...running }, async () => answers('readyz?verbose'));
    },
    register: async (failurePolicy, expected) => {
      const manifest = mutatingWebhook({
        configuration: `${namespace}.${namespace}`,
        name: `${namespace}.amazonaws.com`,
        url: `https://127.0.0.1:${port}/mutate`,
        caPem: authority.caPem,
        failurePolicy,
        reinvocationPolicy: 'IfNeeded',
        timeoutSeconds,
      });
      await kubectl(['apply', '-f', '-'], JSON.stringify(manifest));
      await eventually({ what: `a probe to be ${expected} under ${failurePolicy}` }, async () => {
        return (await probe(controlPlane)) === expected ? true : undefined;
      });
    },
    output: () => `${child?.stdout() ?? ''}${child?.stderr() ?? ''}`,
    stop: async () => child?.stop(),
  };
}

/** A webhook that runs already makes use of it as soon as it tries again. */
export async function grant({ kubectl }: ControlPlane, right: Right): Promise<void> {
  await kubectl(['apply', '-f', join(manifests, `${right}.yaml`)]);
}

// The answer to a dry run is the object that would have been stored.
async function probe({ api }: ControlPlane): Promise<ProbeResult> {
  const { status, body } = await api.call({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`,
    body: pod({ namespace, name: 'probe', account: 'probe' }),
  });
  if (status !== 201) return 'refused';
  return roleArnsOf(body).length > 0 ? 'mutated' : 'unmutated';
}

/** The log, line by line. Throws at the first line that is not a JSON object. */
export function logLines(webhook: Webhook): JsonObject[] {
  const lines = webhook.output().split('\n').slice(0, -1);
  return lines.map((line) => {
    const value: unknown = JSON.parse(line);
    if (!isObject(value)) throw new Error(`A line of the log is no JSON object: ${line}`);
    return value;
  });
}
