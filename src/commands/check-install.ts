// `check-install`: creates a pod by a dry run, as anybody would, and says in one sentence what is wrong where it comes
// back without identity. It runs in the cluster as `helm test`, and changes nothing.
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';
import { REQUIRED_LABEL } from '../admission/mutate.ts';
import { messageOf } from '../admission/thrown.ts';
import { ROLE_ARN_VARIABLE, SESSION_NAME_VARIABLE } from '../admission/web-identity.ts';
import type { KubeAnswer } from '../kube/answer.ts';
import type { KubeClient } from '../kube/client.ts';
import { clusterClientFrom } from './cluster-client.ts';
import { printable } from './findings.ts';
import { callProblem, createdByDryRun, failedCallIn, probePod, refuserIn } from './probe-pod.ts';
import type { CommandCall, CommandIo, ExitCode } from './io.ts';

export interface CheckInstallOptions {
  readonly client: Pick<KubeClient, 'get' | 'write'>;
  /** Name of the MutatingWebhookConfiguration. */
  readonly configuration: string;
  /** Of ServiceAccount and pod. */
  readonly namespace: string;
  /** Annotated with a role, and with role-session-name "true". */
  readonly serviceAccount: string;
  readonly image: string;
  /** The webhook changes no pod: that it is called cannot be seen on one. */
  readonly shadow: boolean;
  readonly signal: AbortSignal;
}

/** What is fine, or what is wrong and what to do. */
type Finding = { readonly ok: string } | { readonly problem: string };

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

/** Rejects with ConfigError where there is no cluster to ask. */
export async function runCheckInstall({ flags, io }: CommandCall): Promise<ExitCode> {
  const client = clusterClientFrom(flags);
  try {
    return await checkInstall(
      {
        client,
        configuration: flags.text('webhook-configuration') ?? '',
        namespace: flags.text('namespace') ?? '',
        serviceAccount: flags.text('probe-service-account') ?? '',
        image: flags.text('probe-image') ?? '',
        shadow: flags.isOn('shadow'),
        signal: new AbortController().signal,
      },
      io,
    );
  } finally {
    client.close();
  }
}

export async function checkInstall(options: CheckInstallOptions, io: CommandIo): Promise<ExitCode> {
  const finding = await findingOf(options).catch((error: unknown) => ({
    problem: `the API server cannot be asked: ${messageOf(error)}`,
  }));
  if ('ok' in finding) {
    io.stdout(`${printable(finding.ok)}\n`);
    return 0;
  }
  io.stderr(`${printable(finding.problem)}\n`);
  return 1;
}

async function findingOf(options: CheckInstallOptions): Promise<Finding> {
  const { client, configuration, namespace, signal } = options;
  const registered = await client.get(`${CONFIGURATIONS}/${encodeURIComponent(configuration)}`, { signal });
  const names = ownList(registered.body, 'webhooks').map((entry) => ownString(entry, 'name') ?? '');
  const problem = registrationProblem(registered, configuration);
  if (problem !== undefined) return { problem };
  const created = await createdByDryRun(client, { namespace, probe: probe(options), signal });
  return created.status === 201 ? ofPod(created.body, options) : { problem: refusalProblem(created, names, options) };
}

function registrationProblem(answer: KubeAnswer, configuration: string): string | undefined {
  const object = `MutatingWebhookConfiguration ${JSON.stringify(configuration)}`;
  if (answer.status === 404) {
    return `${object} does not exist, so the webhook is never called: install the chart again, or name the right one by --webhook-configuration`;
  }
  if (answer.status === 403) return `${object} may not be read by this check: ${saidBy(answer)}`;
  if (answer.status !== 200)
    return `${object} cannot be read: the API server answered ${answer.status}: ${saidBy(answer)}`;
  const entries = ownList(answer.body, 'webhooks');
  if (entries.length === 0) return `${object} has no entries, so the webhook is never called: install the chart again`;
  const untrusted = entries.find((entry) => (ownString(ownField(entry, 'clientConfig'), 'caBundle') ?? '') === '');
  if (untrusted === undefined) return undefined;
  return (
    `entry ${JSON.stringify(ownString(untrusted, 'name') ?? '')} of ${object} has no caBundle, so the API server does not trust the webhook: ` +
    `the log of the webhook (tls.mode self-signed) or of cert-manager's cainjector (tls.mode cert-manager) says why`
  );
}

function probe({ namespace, serviceAccount, image, shadow }: CheckInstallOptions): object {
  // So that a call that fails is an error to read here, not a pod without identity.
  const labels = shadow ? undefined : { [REQUIRED_LABEL]: 'true' };
  return probePod({
    prefix: 'check-install-',
    namespace,
    serviceAccount,
    labels,
    containers: [{ name: 'probe', image }],
  });
}

function ofPod(pod: unknown, { configuration, namespace, serviceAccount, shadow }: CheckInstallOptions): Finding {
  const [container] = ownList(ownField(pod, 'spec'), 'containers');
  const variables = ownList(container, 'env').filter(isObject);
  const roleArn = ownString(
    variables.find(({ name }) => name === ROLE_ARN_VARIABLE),
    'value',
  );
  if (shadow) {
    const seen = 'pod_identity_webhook_decisions_total of its metrics says whether it is called';
    return { ok: `the webhook is registered as a shadow and holds up no pod; ${seen}` };
  }
  // Only this webhook knows the annotation that asks for it: a pod of another webhook does not have it.
  if (roleArn !== undefined && variables.some(({ name }) => name === SESSION_NAME_VARIABLE)) {
    return { ok: `a pod of ServiceAccount ${namespace}/${serviceAccount} gets ${ROLE_ARN_VARIABLE}=${roleArn}` };
  }
  const matches = `no entry of MutatingWebhookConfiguration ${JSON.stringify(configuration)} matches pods of namespace ${JSON.stringify(namespace)}`;
  const look = 'look at webhook.namespaceSelector, objectSelector, excludedNamespaces and matchConditions';
  return roleArn === undefined
    ? { problem: `the webhook was not called: ${matches}: ${look}` }
    : { problem: `another webhook gave the pod its identity, and this one was not called: ${matches}: ${look}` };
}

/** Why the pod was refused. Without a call there is one message of the API server, which names the entry. */
function refusalProblem(answer: KubeAnswer, names: readonly string[], options: CheckInstallOptions): string {
  const said = saidBy(answer);
  const failed = failedCallIn(said);
  if (failed !== undefined) {
    const { name, cause } = failed;
    const entry = JSON.stringify(name);
    return names.includes(name)
      ? `${callProblem(cause)}: the API server could not call ${entry}: ${cause}`
      : `another webhook, ${entry}, keeps pods from being created: ${cause}`;
  }
  const refuser = refuserIn(said);
  if (refuser !== undefined) {
    return names.includes(refuser)
      ? `the webhook was called and gives no identity: ${said}`
      : `another webhook refuses the pod of this check: ${said}`;
  }
  if (answer.status === 403 && /cannot create resource "pods"/.test(said)) {
    return `this check may not create pods in namespace ${JSON.stringify(options.namespace)}: ${said}`;
  }
  return `the API server refuses the pod of this check (${answer.status}): ${said}`;
}

function saidBy({ body }: KubeAnswer): string {
  return ownString(body, 'message') ?? (typeof body === 'string' ? body.slice(0, 200) : '');
}
