// `check-install` against an API server that gives each of the answers that a real one gives.
import { describe, expect, test } from '@jest/globals';
import type { CheckInstallOptions } from '../../src/commands/check-install.ts';
import { checkInstall } from '../../src/commands/check-install.ts';
import type { KubeAnswer } from '../../src/kube/answer.ts';
import { KubeError } from '../../src/kube/error.ts';
import { createTestIo } from '../support/command-io.ts';

const NAME = 'pod-identity-webhook.pod-identity-webhook';
const ENTRY = `fail-closed.${NAME}`;
const CONFIGURATION = `MutatingWebhookConfiguration "${NAME}"`;
const MATCHES =
  `no entry of ${CONFIGURATION} matches pods of namespace "aws": ` +
  'look at webhook.namespaceSelector, objectSelector, excludedNamespaces and matchConditions';

function answer(status: number, body: unknown): KubeAnswer {
  return { status, body, retryAfterSeconds: undefined };
}

function refused(status: number, message: string): KubeAnswer {
  return answer(status, { kind: 'Status', status: 'Failure', message });
}

const registered = answer(200, { webhooks: [{ name: ENTRY, clientConfig: { caBundle: 'LS0t' } }] });

function podWith(...env: object[]): KubeAnswer {
  return answer(201, { kind: 'Pod', spec: { containers: [{ name: 'probe', env }] } });
}

const role = { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/check-install' };
const sessionName = { name: 'AWS_ROLE_SESSION_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } };

interface Asked {
  readonly path: string;
  readonly body?: unknown;
}

async function checked(
  { configuration = registered, pod }: { readonly configuration?: KubeAnswer; readonly pod?: KubeAnswer },
  options: Partial<CheckInstallOptions> = {},
) {
  const io = createTestIo({});
  const asked: Asked[] = [];
  const exit = await checkInstall(
    {
      client: {
        get: async (path) => {
          asked.push({ path });
          return configuration;
        },
        write: async (path, { method, body }) => {
          asked.push({ path: `${method} ${path}`, body });
          if (pod === undefined) throw new Error('no pod is to be created');
          return pod;
        },
      },
      configuration: NAME,
      namespace: 'aws',
      serviceAccount: 'check',
      image: 'example.com/webhook:1',
      shadow: false,
      signal: new AbortController().signal,
      ...options,
    },
    io,
  );
  return { exit, asked, ...io.written() };
}

describe('check-install', () => {
  test('is fine where the pod comes back with what only this webhook gives', async () => {
    const { exit, out, err, asked } = await checked({ pod: podWith(role, sessionName) });
    expect({ exit, out, err }).toEqual({
      exit: 0,
      out: 'a pod of ServiceAccount aws/check gets AWS_ROLE_ARN=arn:aws:iam::111122223333:role/check-install\n',
      err: '',
    });
    expect(asked.map(({ path }) => path)).toEqual([
      `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${NAME}`,
      'POST /api/v1/namespaces/aws/pods?dryRun=All',
    ]);
    expect(asked[1]?.body).toMatchObject({
      metadata: { labels: { 'eks.amazonaws.com/pod-identity-required': 'true' } },
      spec: { serviceAccountName: 'check', containers: [{ image: 'example.com/webhook:1' }] },
    });
  });

  test('demands nothing of a shadow but that it is registered and holds up no pod', async () => {
    const { exit, out, asked } = await checked({ pod: podWith() }, { shadow: true });
    expect({ exit, out }).toEqual({
      exit: 0,
      out: 'the webhook is registered as a shadow and holds up no pod; pod_identity_webhook_decisions_total of its metrics says whether it is called\n',
    });
    expect(asked[1]?.body).not.toHaveProperty('metadata.labels');
  });

  test.each<[what: string, configuration: KubeAnswer, said: string]>([
    [
      'the configuration does not exist',
      refused(404, 'not found'),
      `${CONFIGURATION} does not exist, so the webhook is never called: install the chart again, or name the right one by --webhook-configuration`,
    ],
    [
      'the configuration may not be read',
      refused(403, 'User "x" cannot get it'),
      `${CONFIGURATION} may not be read by this check: User "x" cannot get it`,
    ],
    [
      'the API server answers with an error',
      answer(502, 'bad gateway'),
      `${CONFIGURATION} cannot be read: the API server answered 502: bad gateway`,
    ],
    [
      'there are no entries',
      answer(200, {}),
      `${CONFIGURATION} has no entries, so the webhook is never called: install the chart again`,
    ],
    [
      'an entry has no caBundle',
      answer(200, {
        webhooks: [
          { name: 'a', clientConfig: { caBundle: 'LS0t' } },
          { name: 'b', clientConfig: {} },
        ],
      }),
      `entry "b" of ${CONFIGURATION} has no caBundle, so the API server does not trust the webhook: ` +
        "the log of the webhook (tls.mode self-signed) or of cert-manager's cainjector (tls.mode cert-manager) says why",
    ],
  ])('says without trying a pod that %s', async (_what, configuration, said) => {
    const { exit, out, err } = await checked({ configuration });
    expect({ exit, out, err }).toEqual({ exit: 1, out: '', err: `${said}\n` });
  });

  const failed = (name: string, cause: string): KubeAnswer =>
    refused(500, `Internal error occurred: failed calling webhook "${name}": ${cause}`);
  const post = 'failed to call webhook: Post "https://w.aws.svc:443/mutate?timeout=5s"';

  test.each<[what: string, pod: KubeAnswer, said: string]>([
    ['was not called', podWith(), `the webhook was not called: ${MATCHES}`],
    [
      'is refused in words that a terminal would take for commands',
      refused(403, 'admission webhook "other" denied the request: \u001b[2J'),
      'another webhook refuses the pod of this check: admission webhook "other" denied the request: \uFFFD[2J',
    ],
    [
      'was not called, and another one was',
      podWith(role),
      `another webhook gave the pod its identity, and this one was not called: ${MATCHES}`,
    ],
    [
      'is not trusted',
      failed(ENTRY, `${post}: tls: failed to verify certificate: x509: certificate signed by unknown authority`),
      `the caBundle does not fit the certificate that the webhook serves; see its log, or wait for a rotation to end: ` +
        `the API server could not call "${ENTRY}": ${post}: tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    ],
    [
      'has no Service',
      failed(ENTRY, `${post}: service "w" not found`),
      `the Service of the webhook does not exist; install the chart again: the API server could not call "${ENTRY}": ${post}: service "w" not found`,
    ],
    [
      'has no endpoints',
      failed(ENTRY, `${post}: no endpoints available for service "w"`),
      `no pod of the webhook is ready; kubectl get pods and their log say why: the API server could not call "${ENTRY}": ${post}: no endpoints available for service "w"`,
    ],
    [
      'refuses connections',
      failed(ENTRY, `${post}: dial tcp 10.0.0.1:443: connect: connection refused`),
      `no pod of the webhook is ready; kubectl get pods and their log say why: the API server could not call "${ENTRY}": ${post}: dial tcp 10.0.0.1:443: connect: connection refused`,
    ],
    [
      'is not reached',
      failed(ENTRY, `${post}: context deadline exceeded`),
      `the API server does not reach the pods; open server.port to it in security groups and network policies, or set hostNetwork=true: the API server could not call "${ENTRY}": ${post}: context deadline exceeded`,
    ],
    [
      'is reached by a name that does not resolve',
      failed(ENTRY, `${post}: dial tcp: lookup w.aws.svc on 10.0.0.2:53: no such host`),
      `the name of the webhook does not resolve where the API server is; register it by its Service, or mend the DNS of the control plane: the API server could not call "${ENTRY}": ${post}: dial tcp: lookup w.aws.svc on 10.0.0.2:53: no such host`,
    ],
    ...['EOF', 'read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer'].map(
      (cause): [string, KubeAnswer, string] => [
        `ends the connection: ${cause}`,
        failed(ENTRY, `${post}: ${cause}`),
        `the webhook, or a proxy before it, ended the connection without an answer; the log of its pods says why, and kubectl get pods whether they restart: the API server could not call "${ENTRY}": ${post}: ${cause}`,
      ],
    ),
    ...[`${post}: Service Unavailable`, 'the server is currently unable to handle the request'].map(
      (cause): [string, KubeAnswer, string] => [
        `cannot serve now: ${cause}`,
        failed(ENTRY, cause),
        `the webhook, or a proxy before it, answers that it cannot serve now; its log and /readyz?verbose say why: the API server could not call "${ENTRY}": ${cause}`,
      ],
    ),
    [
      'answers late',
      failed(ENTRY, `${post}: net/http: request canceled (Client.Timeout exceeded while awaiting headers)`),
      `the API server does not reach the pods; open server.port to it in security groups and network policies, or set hostNetwork=true: the API server could not call "${ENTRY}": ${post}: net/http: request canceled (Client.Timeout exceeded while awaiting headers)`,
    ],
    [
      'answers with an error at an address with a timeout',
      failed(ENTRY, `${post}: Bad Gateway`),
      `the webhook answers with an error; its log says why: the API server could not call "${ENTRY}": ${post}: Bad Gateway`,
    ],
    [
      'answers with an error',
      failed(ENTRY, 'an error on the server ("") has prevented the request from succeeding'),
      `the webhook answers with an error; its log says why: the API server could not call "${ENTRY}": an error on the server ("") has prevented the request from succeeding`,
    ],
    [
      'gives no identity',
      refused(403, `admission webhook "${ENTRY}" denied the request: reason role-not-allowed`),
      `the webhook was called and gives no identity: admission webhook "${ENTRY}" denied the request: reason role-not-allowed`,
    ],
    [
      'is not the one that fails',
      failed('other.example.com', post),
      `another webhook, "other.example.com", keeps pods from being created: ${post}`,
    ],
    [
      'is not the one that refuses',
      refused(403, 'admission webhook "policy.example.com" denied the request: image'),
      'another webhook refuses the pod of this check: admission webhook "policy.example.com" denied the request: image',
    ],
    [
      'cannot be tried without the right to create pods',
      refused(403, 'pods is forbidden: User "x" cannot create resource "pods" in API group ""'),
      'this check may not create pods in namespace "aws": pods is forbidden: User "x" cannot create resource "pods" in API group ""',
    ],
    [
      'cannot be tried where a quota is full',
      refused(403, 'pods "check-install-" is forbidden: exceeded quota: all'),
      'the API server refuses the pod of this check (403): pods "check-install-" is forbidden: exceeded quota: all',
    ],
  ])('says that the webhook %s', async (_what, pod, said) => {
    const { exit, out, err } = await checked({ pod });
    expect({ exit, out, err }).toEqual({ exit: 1, out: '', err: `${said}\n` });
  });

  test('says that the API server does not answer', async () => {
    const io = createTestIo({});
    const dead = async (): Promise<KubeAnswer> => {
      throw new KubeError('no answer from the API server for 30000 ms', { code: 'silent' });
    };
    const exit = await checkInstall(
      {
        client: { get: dead, write: dead },
        configuration: NAME,
        namespace: 'aws',
        serviceAccount: 'check',
        image: 'x',
        shadow: false,
        signal: new AbortController().signal,
      },
      io,
    );
    expect({ exit, ...io.written() }).toEqual({
      exit: 1,
      out: '',
      err: 'the API server cannot be asked: no answer from the API server for 30000 ms\n',
    });
  });
});
