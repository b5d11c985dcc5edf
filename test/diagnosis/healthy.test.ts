// A false alarm is as bad as a miss: healthy pods of every shape have no problem.
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { isObject, ownList, ownString } from '../../src/admission/json.ts';
import { parseCommandLine } from '../../src/cli.ts';
import { RUNNERS } from '../../src/command-runners.ts';
import { createTestIo } from '../support/command-io.ts';
import type { Manifests } from './manifests.ts';
import { bare, DIRECTORY, healthy, idsOf, ROLE_ARN, setVariable, twin, withoutVariable } from './manifests.ts';

type Change = (manifests: Manifests) => void;

const AGENT = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount';
const OWN_ROLE_ARN = 'arn:aws:iam::111122223333:role/own';
const FILE = 'AWS_WEB_IDENTITY_TOKEN_FILE';

function asPodIdentity(all: Manifests): void {
  const { pod, main, volume, token } = all;
  pod.metadata.labels['eks.amazonaws.com/pod-identity'] = 'enabled';
  withoutVariable(all, 'AWS_ROLE_ARN', FILE);
  main.env.push(
    { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' },
    { name: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', value: `${AGENT}/eks-pod-identity-token` },
  );
  main.volumeMounts[0] = { name: 'eks-pod-identity-token', readOnly: true, mountPath: AGENT };
  volume.name = 'eks-pod-identity-token';
  Object.assign(token, {
    audience: 'pods.eks.amazonaws.com',
    expirationSeconds: 80_000,
    path: 'eks-pod-identity-token',
  });
}

const SHAPES: readonly (readonly [shape: string, change: Change])[] = [
  ['as EKS stores it', () => {}],
  [
    'as amazon-eks-pod-identity-webhook mutates it by default',
    (all) => withoutVariable(all, 'AWS_STS_REGIONAL_ENDPOINTS', 'AWS_DEFAULT_REGION', 'AWS_REGION'),
  ],
  [
    'with an init container and a sidecar',
    (all) => {
      all.pod.spec.initContainers = [twin(all, 'init'), twin(all, 'proxy', { restartPolicy: 'Always' })];
    },
  ],
  [
    'with a mesh around it',
    ({ pod }) => {
      pod.spec.initContainers = [{ name: 'istio-init' }];
      pod.spec.containers.push({ name: 'istio-proxy' });
    },
  ],
  [
    'with what tracing and other meshes add',
    ({ pod }) => {
      pod.spec.initContainers = [{ name: 'kuma-init' }, { name: 'opentelemetry-auto-instrumentation-java' }];
      pod.spec.containers.push({ name: 'daprd' }, { name: 'consul-dataplane' });
    },
  ],
  [
    'beside a pod of another program that runs as the default account',
    (all) => {
      all.others.push(
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'prod' } },
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'cache', namespace: 'prod' },
          spec: { containers: [{ name: 'redis', image: 'registry.example.com/redis:1' }, { name: 'exporter' }] },
        },
      );
    },
  ],
  [
    'beside the picture of a static pod',
    ({ others }) =>
      void others.push(
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'prod' } },
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'etcd', namespace: 'prod', annotations: { 'kubernetes.io/config.mirror': 'x' } },
          spec: { hostNetwork: true, containers: [{ name: 'etcd' }] },
        },
      ),
  ],
  [
    'on Windows',
    (all) => {
      all.pod.spec.nodeSelector = { 'kubernetes.io/os': 'windows' };
      setVariable(all, FILE, { value: 'C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token' });
      all.pod.spec.securityContext = { runAsNonRoot: true };
      all.volume.projected.defaultMode = 0o400;
    },
  ],
  [
    'with EKS Pod Identity',
    (all) => {
      asPodIdentity(all);
      all.account.metadata.annotations = {};
    },
  ],
  ['with EKS Pod Identity beside an annotated account', asPodIdentity],
  [
    'with an agent of its own',
    (all) => {
      asPodIdentity(all);
      setVariable(all, 'AWS_CONTAINER_CREDENTIALS_FULL_URI', { value: 'http://127.0.0.1:8080/credentials' });
      all.token.audience = 'agent';
    },
  ],
  [
    'of ECS’s kind, by a relative URI',
    (all) => {
      withoutVariable(all, 'AWS_ROLE_ARN', FILE);
      all.main.env.push({ name: 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', value: '/x' });
    },
  ],
  [
    'with another audience by annotation',
    ({ account, token }) => {
      account.metadata.annotations['eks.amazonaws.com/audience'] = 'my-audience';
      token.audience = 'my-audience';
    },
  ],
  ['with the audience of kOps', ({ token }) => void (token.audience = 'amazonaws.com')],
  [
    'with a role and an audience of the webhook’s ConfigMap',
    ({ account, token }) => {
      account.metadata.annotations = {};
      token.audience = 'of-the-config-map';
    },
  ],
  [
    'of a webhook with another prefix',
    ({ account }) => void (account.metadata.annotations = { 'aws.example.com/role-arn': ROLE_ARN }),
  ],
  ['with a composed role', ({ account }) => void (account.metadata.annotations['eks.amazonaws.com/role-arn'] = 'app')],
  [
    'with a sidecar that its annotation skips',
    ({ pod }) => {
      pod.metadata.annotations['eks.amazonaws.com/skip-containers'] = 'logs, init';
      pod.spec.containers.push({ name: 'logs' });
      pod.spec.initContainers = [{ name: 'init' }];
    },
  ],
  [
    'with a role of its own between other variables',
    (all) => {
      withoutVariable(all, 'AWS_ROLE_ARN');
      all.main.env.unshift({ name: 'AWS_ROLE_ARN', value: OWN_ROLE_ARN });
    },
  ],
  [
    'with a role of its own in one of its containers',
    (all) => {
      all.pod.spec.containers.push(twin(all, 'side'));
      setVariable(all, 'AWS_ROLE_ARN', { value: OWN_ROLE_ARN });
    },
  ],
  [
    'with a region of its own',
    (all) => {
      withoutVariable(all, 'AWS_DEFAULT_REGION');
      setVariable(all, 'AWS_REGION', { value: 'us-east-2' });
    },
  ],
  [
    'with a role from a ConfigMap key',
    (all) => setVariable(all, 'AWS_ROLE_ARN', { valueFrom: { configMapKeyRef: { name: 'x', key: 'role' } } }),
  ],
  [
    'with everything by envFrom',
    (all) => {
      withoutVariable(all, 'AWS_ROLE_ARN', 'AWS_REGION', 'AWS_DEFAULT_REGION');
      all.main.envFrom = [{ configMapRef: { name: 'aws' } }];
    },
  ],
  [
    'with envFrom of a ConfigMap that was given',
    (all) => {
      withoutVariable(all, 'AWS_ROLE_ARN');
      all.main.envFrom = [{ prefix: 'AWS_', configMapRef: { name: 'aws' } }, { secretRef: {} }];
      const metadata = { name: 'aws', namespace: 'prod' };
      all.others.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ROLE_ARN } });
    },
  ],
  ['with a token file elsewhere', (all) => setVariable(all, FILE, { value: '/vault/token' })],
  [
    'with a token file of a volume of another kind',
    (all) => {
      setVariable(all, FILE, { value: '/tokens/aws' });
      all.main.volumeMounts.push({ name: 'tokens', mountPath: '/tokens' });
      all.pod.spec.volumes.push({ name: 'tokens', emptyDir: {} });
    },
  ],
  [
    'with a token file from elsewhere',
    (all) => setVariable(all, FILE, { valueFrom: { fieldRef: { fieldPath: 'metadata.annotations["file"]' } } }),
  ],
  ['with the token under /run', (all) => setVariable(all, FILE, { value: `${DIRECTORY}/token`.replace('/var', '') })],
  [
    'with a trailing slash and a shallower mount beside it',
    ({ main }) => {
      main.volumeMounts[0] = { name: 'aws-iam-token', mountPath: `${DIRECTORY}/` };
      main.volumeMounts.push({ name: 'x', mountPath: '/var/run' }, { name: 'y' });
    },
  ],
  [
    'with a volume of another name',
    ({ main, volume, pod }) => {
      main.volumeMounts[0] = { name: 'aws-iam-token-2', mountPath: DIRECTORY };
      volume.name = 'aws-iam-token-2';
      pod.spec.volumes.push({ name: 'aws-iam-token', emptyDir: {} });
    },
  ],
  ['on the network of the host', ({ pod }) => void (pod.spec.hostNetwork = true)],
  [
    'with an fsGroup',
    ({ pod, volume }) => {
      pod.spec.securityContext = { fsGroup: 65_534, runAsNonRoot: true };
      volume.projected.defaultMode = 0o400;
    },
  ],
  [
    'as root',
    (all) => {
      all.pod.spec.containers.push(twin(all, 'side', { securityContext: {} }));
      all.main.securityContext = { runAsUser: 0 };
      all.volume.projected.defaultMode = 0o600;
    },
  ],
  [
    'with users of its containers',
    (all) => {
      all.pod.spec.containers.push(twin(all, 'side', { securityContext: { runAsUser: 2000 } }));
      all.main.securityContext = { runAsUser: 1000, runAsGroup: 1000 };
    },
  ],
  [
    'with one user of all containers and a strict mode',
    ({ pod, volume }) => {
      pod.spec.securityContext = { runAsUser: 1000 };
      volume.projected.defaultMode = 0o400;
    },
  ],
  [
    'with root’s group and a mode for it',
    (all) => {
      all.pod.spec.containers.push(twin(all, 'side', { securityContext: { runAsUser: 2000 } }));
      all.main.securityContext = { runAsUser: 1000, runAsGroup: 1000 };
      all.pod.spec.securityContext = { supplementalGroups: [0] };
      all.volume.projected.defaultMode = 0o440;
    },
  ],
  [
    'with a label that opts it out, and an identity all the same',
    ({ pod }) => void (pod.metadata.labels['eks.amazonaws.com/skip-pod-identity-webhook'] = ''),
  ],
  [
    'older than its account, and with an identity all the same',
    ({ account }) => void (account.metadata.creationTimestamp = '2026-09-01T00:00:00Z'),
  ],
  [
    'where there is no webhook any more',
    ({ others }) =>
      void others.push({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfigurationList',
        items: [],
      }),
  ],
  [
    'with annotations that nothing is wrong with',
    ({ account, pod }) => {
      Object.assign(account.metadata.annotations, {
        'eks.amazonaws.com/token-expiration': '3600',
        'eks.amazonaws.com/sts-regional-endpoints': 'true',
        'iam.amazonaws.com/role': ROLE_ARN,
        'meta.helm.sh/release-name': 'app',
      });
      Object.assign(pod.metadata.annotations, {
        'eks.amazonaws.com/token-expiration': '1h',
        'eks.amazonaws.com/skip-containers': '',
        'eks.amazonaws.com/role-arn': ROLE_ARN,
        'iam.amazonaws.com/role': '',
        'prometheus.io/scrape': 'true',
      });
    },
  ],
  [
    'of another partition with its region',
    (all) => {
      const chinese = ROLE_ARN.replace('aws', 'aws-cn');
      all.account.metadata.annotations['eks.amazonaws.com/role-arn'] = chinese;
      setVariable(all, 'AWS_ROLE_ARN', { value: chinese });
      setVariable(all, 'AWS_REGION', { value: 'cn-north-1' });
      setVariable(all, 'AWS_DEFAULT_REGION', { value: 'cn-north-1' });
    },
  ],
  [
    'with credentials files that are none',
    ({ main }) =>
      void main.env.push(
        { name: 'AWS_SHARED_CREDENTIALS_FILE', value: '/dev/null' },
        { name: 'AWS_PROFILE', value: '' },
      ),
  ],
  [
    'with a debug container that has the identity',
    (all) => void (all.pod.spec.ephemeralContainers = [twin(all, 'debugger'), 'x']),
  ],
  [
    'with a container that brings a token of its own',
    ({ pod }) =>
      void pod.spec.containers.push({ name: 'side', env: [{ name: 'AWS_CONTAINER_AUTHORIZATION_TOKEN', value: 'x' }] }),
  ],
];

describe('a healthy pod', () => {
  test.each(SHAPES)('%s has no problems', async (_shape, change) => {
    const manifests = healthy();
    change(manifests);
    expect(await idsOf(manifests)).toEqual([]);
  });

  test('is one that inject made, whatever it is made of', async () => {
    const container = fc.record({
      env: fc.subarray([
        { name: 'LOG_LEVEL', value: 'info' },
        { name: 'HOME', value: '/tmp' },
        { name: 'AWS_REGION', value: 'eu-west-1' },
      ]),
      securityContext: fc.constantFrom({}, { runAsUser: 1000 }, { runAsUser: 0 }, { runAsNonRoot: true }),
      resources: fc.constant({ limits: { cpu: '1' } }),
    });
    const shape = fc.record({
      main: container,
      init: fc.array(container, { maxLength: 2 }),
      side: fc.array(container, { maxLength: 2 }),
      annotations: fc.subarray([
        'eks.amazonaws.com/audience=other',
        'eks.amazonaws.com/token-expiration=3600',
        'eks.amazonaws.com/role-session-name=true',
      ]),
      podSpec: fc.constantFrom(
        {},
        { hostNetwork: true },
        { securityContext: { fsGroup: 1 } },
        { nodeSelector: { 'kubernetes.io/os': 'windows' } },
      ),
      flags: fc.subarray([
        '--aws-default-region=eu-west-1',
        '--sts-regional-endpoint',
        '--role-session-name',
        '--variables-first',
        '--mirror-region',
      ]),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ main, init, side, annotations, podSpec, flags }) => {
        const named = (list: readonly object[], name: string): object[] =>
          list.map((each, index) => ({ name: `${name}-${index}`, ...each }));
        const manifests = bare();
        for (const annotation of annotations) {
          const [key = '', value = ''] = annotation.split('=');
          manifests.account.metadata.annotations[key] = value;
        }
        const spec = {
          serviceAccountName: 'app',
          initContainers: named(init, 'init'),
          containers: named([main, ...side], 'main'),
          ...podSpec,
        };
        const stored = { ...manifests.pod, spec };
        // STS in a region that nobody names is a fault of the flags.
        const args = flags.includes('--sts-regional-endpoint')
          ? [...new Set([...flags, '--aws-default-region=eu-west-1'])]
          : flags;
        const pod = await injected([manifests.account, stored], args);
        expect(await idsOf({ ...manifests, pod })).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

async function injected(manifests: readonly object[], args: readonly string[]): Promise<object> {
  const commandLine = parseCommandLine(['inject', '-f', 'x', '--output=json', ...args], {});
  if (commandLine.kind !== 'run') throw new Error(`want a run, got ${commandLine.kind}`);
  const io = createTestIo({ x: manifests.map((each) => JSON.stringify(each)).join('\n') });
  await RUNNERS.inject({ ...commandLine, io });
  const out: unknown = JSON.parse(io.written().out);
  const list: readonly unknown[] = Array.isArray(out) ? out : ownList(out, 'items');
  const pod = list.find((each) => ownString(each, 'kind') === 'Pod');
  if (!isObject(pod)) throw new Error(`want a pod, got ${io.written().out}`);
  return pod;
}
