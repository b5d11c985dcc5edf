// Every fault planted by itself into a pod that is healthy without it: it is found, and nothing else beside it.
import { describe, expect, test } from '@jest/globals';
import { PROBLEM_IDS } from '../../src/diagnosis/problem.ts';
import type { Entry, Manifests } from './manifests.ts';
import {
  bare,
  diagnose,
  healthy,
  idsOf,
  MOUNT,
  ROLE_ARN,
  setVariable,
  TOKEN_FILE,
  twin,
  webIdentity,
  withoutVariable,
} from './manifests.ts';

type Change = (manifests: Manifests) => void;
type Row = readonly [id: string, fault: string, change: Change];

const ROLE_KEY = 'eks.amazonaws.com/role-arn';
const OPT_OUT = 'eks.amazonaws.com/skip-pod-identity-webhook';
const FILE = 'AWS_WEB_IDENTITY_TOKEN_FILE';
const CONFIGURATIONS = 'MutatingWebhookConfiguration';
const key =
  (name: string, value = ROLE_ARN): Change =>
  ({ account }) =>
    void (account.metadata.annotations = { [name]: value });
const role = (value: string): Change => key(ROLE_KEY, value);
const unannotated: Change = ({ account }) => void (account.metadata.annotations = {});
const annotation =
  (name: string, value: string): Change =>
  ({ account }) =>
    void (account.metadata.annotations[name] = value);
const podAnnotation =
  (name: string, value: string): Change =>
  ({ pod }) =>
    void (pod.metadata.annotations[name] = value);
const podLabel =
  (name: string, value: string): Change =>
  ({ pod }) =>
    void (pod.metadata.labels[name] = value);
const env =
  (...entries: Entry[]): Change =>
  ({ main }) =>
    void main.env.push(...entries);
const drop =
  (...names: string[]): Change =>
  (manifests) =>
    withoutVariable(manifests, ...names);
const set =
  (name: string, value: string): Change =>
  (manifests) =>
    setVariable(manifests, name, { value });
const mount =
  (...mounts: Manifests['main']['volumeMounts']): Change =>
  ({ main }) =>
    void (main.volumeMounts = mounts);
const all =
  (...changes: readonly Change[]): Change =>
  (manifests) => {
    for (const change of changes) change(manifests);
  };
const beside =
  (...objects: object[]): Change =>
  ({ others }) =>
    void others.push(...objects);
const managed =
  (...managedFields: object[]): Change =>
  ({ account }) =>
    void (account.metadata.managedFields = managedFields);
const COMPOSE = ['--compose-role-arn', '--aws-account-id=111122223333', '--aws-partition=aws'];
const ROLE_FIELDS = { 'f:metadata': { 'f:annotations': { [`f:${ROLE_KEY}`]: {} } } };

const entryOf = (entry: object = {}): object => ({
  name: 'iam-for-pods.amazonaws.com',
  clientConfig: { url: 'https://127.0.0.1:23443/mutate' },
  rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: '*' }],
  ...entry,
});
const configuration = (webhooks: object[], name = 'pod-identity-webhook'): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: CONFIGURATIONS,
  metadata: { name },
  webhooks,
});
const registered = (entry: object = {}): Change => beside(configuration([entryOf(entry)]));
const list = (kind: string, items: readonly object[] | null): Change =>
  beside({ apiVersion: 'v1', kind: `${kind}List`, items });
const namespace = (labels: object): Change =>
  beside({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'prod', labels } });
const inNamespaces = (...matchExpressions: object[]): object => ({ namespaceSelector: { matchExpressions } });
const otherAccount = (name: string): Change =>
  beside({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: 'prod', annotations: { [ROLE_KEY]: ROLE_ARN } },
  });
const asDefault: Change = all(unannotated, ({ account, pod }) => {
  account.metadata.name = 'default';
  pod.spec.serviceAccountName = 'default';
});
/** Another pod, of another program unless its image is named. */
const podAs = (serviceAccountName: string, image = 'registry.example.com/cache:1'): object => {
  const other = structuredClone(healthy().pod);
  const variables = webIdentity();
  const spec = {
    ...other.spec,
    serviceAccountName,
    containers: [{ name: 'main', image, env: variables, volumeMounts: [MOUNT] }],
  };
  return { ...other, metadata: { ...other.metadata, name: 'other' }, spec };
};

// Certificates of nobody, as a caBundle holds them: one that ended in 2021, one that ends in 2120, one that is none.
const EXPIRED_CA =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJDakNCc2FBREFnRUNBZ0VCTUFvR0NDcUdTTTQ5QkFNQ01BMHhDekFKQmdOVkJBTVRBbU5oTUI0WERUSXcKTURFd01UQXdNREF3TUZvWERUSXhNREV3TVRBd01EQXdNRm93RFRFTE1Ba0dBMVVFQXhNQ1kyRXdXVEFUQmdjcQpoa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVJvcnpQUjhxcGFPL0pRNE54cHlVcWpzaEpBcWhCWSs5ZmFrVCtlCk5WZlRtZ0JFY2pnOWRITmJFbTRubFRmbHZTVzBsVkxmcXFoSUJtQ0ovckxqZWVuMG93SXdBREFLQmdncWhrak8KUFFRREFnTklBREJGQWlFQWhKanNCM05Pbmw5T3NCRExWYVJWb0hIU2l3Q2xTMkMwVWZqOUVPVWFTb2tDSUFOLwpGMm9QY0F3d3BuVHZWdk9NdFpFbGhsUGJ0TFprZ0ZEWkNaY3hKS1hJCi0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K';
const GOOD_CA =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJDekNCczZBREFnRUNBZ0VCTUFvR0NDcUdTTTQ5QkFNQ01BMHhDekFKQmdOVkJBTVRBbU5oTUNBWERUSXcKTURFd01UQXdNREF3TUZvWUR6SXhNakF3TVRBeE1EQXdNREF3V2pBTk1Rc3dDUVlEVlFRREV3SmpZVEJaTUJNRwpCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkhlamxReXUxZ0ZjVUJwSjVBN0ZPbkNnTE00aThSMXdQS0NhClNDOE1EKy9XYUVmMGpmNitVT2Q1cmVrYmxPN0lnWVRSb3I3ODdmVFFWMndvTURCRUlocWpBakFBTUFvR0NDcUcKU000OUJBTUNBMGNBTUVRQ0lISi9BSUFNOE5DL3Q1YXBHYnZJVDlQMWh0c2xtYTkwV1Y1RWRTeG9uOHUyQWlBZgpCTXRKcEFMOVVkQUF3Y2R1REZpNXZIaW1GSFIzZUNzM1VjRjFlNHJkWkE9PQotLS0tLUVORCBDRVJUSUZJQ0FURS0tLS0tCg==';
const UNREADABLE_CA = 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCmJtOD0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=';

const SERVICE = { namespace: 'eks', name: 'pod-identity-webhook' };
const endpointSlice = (endpoints: readonly object[], { namespace: of, name } = SERVICE): object => ({
  metadata: { namespace: of, name: `${name}-x2k9p`, labels: { 'kubernetes.io/service-name': name } },
  endpoints,
});

/** The pod has nothing yet. */
const UNMUTATED: readonly Row[] = [
  ['pod-not-mutated', 'no variables although the account has a role', () => {}],
  ['pod-not-mutated', 'and a webhook that would be asked', registered()],
  [
    'pod-not-mutated',
    'and a webhook with selectors that choose it',
    all(
      registered({
        ...inNamespaces({ key: 'team', operator: 'Exists' }, { key: 'env', operator: 'NotIn', values: ['x'] }),
        objectSelector: { matchLabels: { app: 'web' } },
      }),
      namespace({ team: 'a' }),
    ),
  ],
  [
    'pod-not-mutated',
    'and a namespace that was not given',
    registered({
      namespaceSelector: { matchLabels: { team: 'a' }, matchExpressions: [{ key: 'x', operator: 'Exists' }] },
    }),
  ],
  [
    'pod-not-mutated',
    'and a registration of another webhook',
    beside(configuration([entryOf({ name: 'sidecar.istio.io' })], 'istio')),
  ],
  ['pod-not-mutated', 'and an empty identity', env({ name: 'AWS_ROLE_ARN', value: '' }, { name: FILE })],
  [
    'pod-not-mutated',
    'and variables from a ConfigMap',
    ({ main }) => void (main.envFrom = [{ configMapRef: { name: 'x' } }]),
  ],
  ['pod-not-mutated', 'as the picture of a static pod', podAnnotation('kubernetes.io/config.mirror', 'x')],
  [
    'pod-not-mutated',
    'and an annotation set before it',
    managed({ time: '2026-01-02T00:00:00Z', fieldsV1: ROLE_FIELDS }),
  ],
  [
    'pod-not-mutated',
    'and no times at all',
    ({ account, pod }) => {
      delete account.metadata.creationTimestamp;
      delete pod.metadata.creationTimestamp;
    },
  ],
  [
    'annotation-missing',
    'no annotations at all',
    ({ account }) => void Reflect.deleteProperty(account.metadata, 'annotations'),
  ],
  [
    'annotation-missing',
    'the namespace default',
    all(unannotated, ({ account, pod }) => {
      Reflect.deleteProperty(account.metadata, 'namespace');
      Reflect.deleteProperty(pod.metadata, 'namespace');
    }),
  ],
  ['annotation-missing', 'annotations of others', key('meta.helm.sh/release-name', 'x')],
  ['annotation-missing', 'an empty role', role(' ')],
  [
    'annotation-missing',
    'a debug container',
    all(unannotated, ({ pod }) => void (pod.spec.ephemeralContainers = [{ name: 'x' }])),
  ],
  ['annotation-on-pod', 'the role on the pod', all(unannotated, podAnnotation(ROLE_KEY, ROLE_ARN))],
  [
    'annotation-on-pod',
    'kube2iam’s annotation on the pod',
    all(unannotated, podAnnotation('iam.amazonaws.com/role', 'app')),
  ],
  ...[
    'eks.amazon.com/role-arn',
    'eks.amazonaws.com/role_arn',
    'eks.amazonaws.com/rolearn',
    'eks.amazonaws.com/roleArn',
    'eks.amazonaws.com/role-arm',
    'eks.amazonaws.com/iam-role',
    'eks.amazonaws.com/iam-role-arn',
    'eks.amazonws.com/role-arn',
    'eks.aws.com/role-arn',
    'EKS.amazonaws.com/role-arn',
    'amazonaws.com/role-arn',
    'iam.amazonaws.com/role',
    'role-arn',
    'team.example.com/iam',
  ].map((name): Row => ['annotation-key-typo', name, key(name)]),
  ['role-arn-whitespace', 'a line end', role(`${ROLE_ARN}\n`)],
  ['role-arn-whitespace', 'a blank within', role('arn:aws:iam::111122223333:role/ app')],
  ['role-arn-whitespace', 'a no-break space', role(`\u00A0${ROLE_ARN}`)],
  ['role-arn-bad-account', 'eleven digits', role('arn:aws:iam::11112222333:role/app')],
  ['role-arn-bad-account', 'dashes', role('arn:aws:iam::1111-2222-3333:role/app')],
  ['role-arn-bad-account', 'a placeholder', role('arn:aws:iam::ACCOUNT_ID:role/app')],
  ['role-arn-bad-account', 'no account', role('arn:aws:iam:::role/app')],
  ['role-arn-not-a-role', 'a user', role('arn:aws:iam::111122223333:user/app')],
  ['role-arn-not-a-role', 'a policy', role('arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess')],
  ['role-arn-not-a-role', 'an instance profile', role('arn:aws:iam::111122223333:instance-profile/app')],
  ['role-arn-not-a-role', 'a session', role('arn:aws:sts::111122223333:assumed-role/app/session')],
  ['role-arn-not-a-role', 'a bucket', role('arn:aws:s3:::bucket')],
  ['role-arn-malformed', 'a name', role('app')],
  ['role-arn-malformed', 'no role/', role('arn:aws:iam::111122223333:app')],
  ['role-arn-malformed', 'a colon missing', role('arn:aws:iam:111122223333:role/app')],
  ['role-arn-malformed', 'a region', role('arn:aws:iam:eu-west-1:111122223333:role/app')],
  ['role-arn-malformed', 'quotes', role(`"${ROLE_ARN}"`)],
  ['role-arn-malformed', 'no name', role('arn:aws:iam::111122223333:role/')],
  ['role-arn-malformed', 'an ARN before an ARN', role(`arn:aws:iam::111122223333:role/${ROLE_ARN}`)],
  ['role-arn-malformed', 'colons too many', role('arn:aws:iam::::111122223333:role/app')],
  ['role-arn-malformed', 'a template with blanks', role('{{ .Values.roleArn }}')],
  ['role-arn-bad-account', 'a placeholder and a line end', role('arn:aws:iam::ACCOUNT_ID:role/app\n')],
  ['role-arn-wrong-partition', 'a partition that is none', role('arn:aws-china:iam::111122223333:role/app')],
  ['role-arn-wrong-partition', 'a region of its own', all(env({ name: 'AWS_REGION', value: 'cn-north-1' }))],
  [
    'wrong-service-account',
    'the default account',
    all(otherAccount('web'), unannotated, ({ account, pod }) => {
      account.metadata.name = 'default';
      delete pod.spec.serviceAccountName;
    }),
  ],
  ['wrong-service-account', 'an account that was not given', ({ pod }) => void (pod.spec.serviceAccountName = 'web')],
  [
    'wrong-service-account',
    'the account of another namespace',
    ({ account }) => void (account.metadata.namespace = 'staging'),
  ],
  ['wrong-service-account', 'the name of an account without role', all(otherAccount('web'), unannotated)],
  [
    'wrong-service-account',
    'an account that is not there',
    all(list('ServiceAccount', []), ({ account }) => void (account.kind = 'X')),
  ],
  [
    'wrong-service-account',
    'the default account, and the program of a pod that runs as another',
    all(otherAccount('web'), asDefault, beside(podAs('web', 'registry.example.com/web:1'))),
  ],
  [
    'wrong-service-account',
    'the default account, and an account that no other program runs as',
    all(otherAccount('web'), asDefault, beside(podAs('cache')), otherAccount('cache')),
  ],
  [
    'annotation-missing',
    'an account beside one that another program runs as, of a pod that names a bucket',
    all(otherAccount('cache'), unannotated, beside(podAs('cache')), env({ name: 'BUCKET', value: 's3://media' })),
  ],
  ['annotation-missing', 'several others that have a role', all(otherAccount('web'), otherAccount('api'), unannotated)],
  ['opted-out-by-label', 'the label', podLabel(OPT_OUT, 'true')],
  ['opted-out-by-label', 'the label with an empty value', podLabel(OPT_OUT, '')],
  [
    'opted-out-by-label',
    'an objectSelector',
    registered({ objectSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] } }),
  ],
  [
    'opted-out-by-label',
    'an objectSelector that wants a label',
    registered({ objectSelector: { matchLabels: { identity: 'yes' } } }),
  ],
  [
    'namespace-excluded',
    'a label of the namespace',
    all(registered(inNamespaces({ key: 'skip', operator: 'DoesNotExist' })), namespace({ skip: '1' })),
  ],
  [
    'namespace-excluded',
    'a label that the namespace lacks',
    all(registered({ namespaceSelector: { matchLabels: { identity: 'on' } } }), namespace({})),
  ],
  [
    'namespace-excluded',
    'the wrong value',
    all(registered(inNamespaces({ key: 'env', operator: 'In', values: ['prod'] })), namespace({ env: 'dev' })),
  ],
  [
    'namespace-excluded',
    'its name',
    registered({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'staging' } } }),
  ],
  ['namespace-excluded', 'the label that opts out', namespace({ [OPT_OUT]: 'true' })],
  [
    'namespace-excluded',
    'the nearest of several entries',
    beside(
      configuration([
        entryOf({ objectSelector: { matchLabels: { required: 'true' } } }),
        entryOf(inNamespaces({ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['prod'] })),
        entryOf({ objectSelector: { matchLabels: { required: 'yes' } } }),
      ]),
    ),
  ],
  ['webhook-down', 'no configuration at all', list(CONFIGURATIONS, [])],
  ['webhook-down', 'no configuration at all, as Go writes it', list(CONFIGURATIONS, null)],
  [
    'webhook-down',
    'none at all, within a list',
    beside({ apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: `${CONFIGURATIONS}List`, items: [] }] }),
  ],
  [
    'webhook-down',
    'configurations of others only',
    list(CONFIGURATIONS, [{ metadata: { name: 'istio' }, webhooks: [{ name: 'istio' }, {}, 'x'] }, {}]),
  ],
  [
    'webhook-down',
    'a configuration without webhooks',
    list(CONFIGURATIONS, [{ metadata: { name: 'pod-identity-webhook' } }]),
  ],
  [
    'webhook-down',
    'a Service without caBundle',
    registered({ clientConfig: { service: { name: 'pod-identity-webhook' } } }),
  ],
  [
    'webhook-down',
    'a caBundle that was never filled in',
    registered({ clientConfig: { service: { name: 'x' }, caBundle: 'Cg==' } }),
  ],
  [
    'webhook-down',
    'a caBundle that has expired',
    registered({ clientConfig: { service: { name: 'x' }, caBundle: EXPIRED_CA } }),
  ],
  [
    'webhook-down',
    'a Service without a ready endpoint',
    all(
      registered({ clientConfig: { service: SERVICE, caBundle: GOOD_CA } }),
      list('EndpointSlice', [
        endpointSlice([{ conditions: { ready: false } }]),
        endpointSlice([{ conditions: { ready: true } }], { namespace: 'eks', name: 'another' }),
        endpointSlice([{ conditions: { ready: true } }], { namespace: 'other', name: SERVICE.name }),
      ]),
    ),
  ],
  [
    'pod-not-mutated',
    'a Service with ready endpoints, by any of its slices',
    all(
      registered({ clientConfig: { service: SERVICE, caBundle: GOOD_CA } }),
      list('EndpointSlice', [endpointSlice([{ conditions: { ready: false } }]), endpointSlice([{}])]),
    ),
  ],
  ['pod-not-mutated', 'a webhook by URL beside endpoints', all(registered(), list('EndpointSlice', []))],
  [
    'webhook-down',
    'rules for other operations',
    registered({ rules: [{ operations: ['UPDATE'], apiGroups: [''], resources: ['pods'] }] }),
  ],
  [
    'webhook-down',
    'rules for other objects',
    registered({ rules: [{ operations: ['*'], apiGroups: ['apps'], resources: ['*'] }] }),
  ],
  ['webhook-down', 'versions of reviews that nobody answers', registered({ admissionReviewVersions: ['v2'] })],
  [
    'pod-not-mutated',
    'and a caBundle that is good',
    registered({ clientConfig: { service: { name: 'x' }, caBundle: GOOD_CA }, admissionReviewVersions: ['v1beta1'] }),
  ],
  [
    'pod-not-mutated',
    'and a caBundle that cannot be read',
    registered({ clientConfig: { service: { name: 'x' }, caBundle: UNREADABLE_CA } }),
  ],
  [
    'pod-not-mutated',
    'and a caBundle that is a placeholder',
    registered({ clientConfig: { service: { name: 'x' }, caBundle: 'Q0E=' } }),
  ],
  [
    'pod-created-before-annotation',
    'an account made later',
    ({ account }) => void (account.metadata.creationTimestamp = '2026-03-01T00:00:00Z'),
  ],
  [
    'pod-created-before-annotation',
    'an annotation set later',
    managed({ time: '2025-12-01T00:00:00Z' }, { time: '2026-03-01T00:00:00Z', fieldsV1: ROLE_FIELDS }),
  ],
  ['container-skipped', 'the only container', podAnnotation('eks.amazonaws.com/skip-containers', 'main')],
  ['container-skipped', 'all but one that is not there', podAnnotation('eks.amazonaws.com/include-containers', 'mian')],
  ['half-set-variables', 'the role alone', env({ name: 'AWS_ROLE_ARN', value: ROLE_ARN })],
  [
    'half-set-variables',
    'the role and an empty file',
    env({ name: 'AWS_ROLE_ARN', value: ROLE_ARN }, { name: FILE, value: '' }),
  ],
  [
    'half-set-variables',
    'the agent’s token alone',
    env({ name: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', value: '/x' }),
  ],
];

/** The pod has an identity. */
const MUTATED: readonly Row[] = [
  ['half-set-variables', 'the token file alone', drop('AWS_ROLE_ARN')],
  ['half-set-variables', 'the role without the file', drop(FILE)],
  [
    'role-arn-wrong-partition',
    'the region of another partition',
    all(set('AWS_REGION', 'cn-north-1'), set('AWS_DEFAULT_REGION', 'cn-north-1')),
  ],
  ['role-arn-not-a-role', 'a user in the variable', set('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:user/app')],
  [
    'role-arn-whitespace',
    'what was stored as it was annotated',
    all(role(`${ROLE_ARN}\n`), set('AWS_ROLE_ARN', `${ROLE_ARN}\n`)),
  ],
  [
    'role-arn-differs-from-annotation',
    'an annotation that was changed, and the file before the role',
    all(
      role('arn:aws:iam::111122223333:role/new'),
      ({ main }) => void (main.env = main.env.toSorted((one, other) => other.name.localeCompare(one.name))),
    ),
  ],
  ['role-arn-differs-from-annotation', 'an annotation that was changed', role('arn:aws:iam::111122223333:role/new')],
  ['role-arn-differs-from-annotation', 'an annotation of another account', role('arn:aws:iam::444455556666:role/app')],
  [
    'static-keys-win',
    'keys as text',
    env({ name: 'AWS_ACCESS_KEY_ID', value: 'AKIA' }, { name: 'AWS_SECRET_ACCESS_KEY', value: 'x' }),
  ],
  [
    'static-keys-win',
    'keys of a Secret',
    env({ name: 'AWS_ACCESS_KEY_ID', valueFrom: { secretKeyRef: { name: 'x', key: 'id' } } }),
  ],
  [
    'static-keys-win',
    'keys by envFrom of a Secret that was given',
    all(
      ({ main }) => void (main.envFrom = [{ secretRef: { name: 'x' } }]),
      beside({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'x', namespace: 'prod' },
        stringData: { AWS_SECRET_ACCESS_KEY: 'x' },
      }),
    ),
  ],
  [
    'static-keys-win',
    'keys by envFrom of a Secret that is named after them',
    ({ main }) => void (main.envFrom = [{ secretRef: { name: 'aws-credentials' } }]),
  ],
  [
    'static-keys-win',
    'keys in an init container',
    (each) => {
      const init = twin(each, 'init');
      init.env.push({ name: 'AWS_ACCESS_KEY_ID', value: 'AKIA' });
      each.pod.spec.initContainers = [init];
    },
  ],
  ['profile-env-set', 'a profile', env({ name: 'AWS_PROFILE', value: 'prod' })],
  [
    'profile-env-set',
    'a credentials file',
    env({ name: 'AWS_SHARED_CREDENTIALS_FILE', value: '/etc/aws/credentials' }),
  ],
  [
    'both-irsa-and-pod-identity',
    'the agent’s variables',
    env({ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' }),
  ],
  ['env-without-volume', 'neither mount nor volume', all(mount(), ({ pod }) => void pod.spec.volumes.shift())],
  ['env-without-volume', 'no mount', mount()],
  ['env-without-volume', 'no mounts at all', ({ main }) => void Reflect.deleteProperty(main, 'volumeMounts')],
  ['env-without-volume', 'no volume', ({ pod }) => void pod.spec.volumes.shift()],
  [
    'env-without-volume',
    'a mount of no name',
    ({ main }) => void Reflect.deleteProperty(main.volumeMounts[0] ?? {}, 'name'),
  ],
  [
    'env-without-volume',
    'a foreign volume of the name',
    ({ pod }) => void (pod.spec.volumes[0] = { name: 'aws-iam-token', emptyDir: {} }),
  ],
  ['env-without-volume', 'another file in the volume', ({ token }) => void (token.path = 'jwt')],
  ['env-without-volume', 'the mount elsewhere', mount({ ...MOUNT, mountPath: '/var/run/secrets/aws' })],
  [
    'env-without-volume',
    'another projected volume',
    all(
      set(FILE, '/tokens/aws'),
      mount({ name: 'tokens', mountPath: '/tokens' }),
      ({ volume }) => void (volume.name = 'tokens'),
    ),
  ],
  [
    'volume-mounted-with-subpath',
    'the file mounted by itself',
    mount({ ...MOUNT, mountPath: TOKEN_FILE, subPath: 'token' }),
  ],
  ['volume-mounted-with-subpath', 'an expression', mount({ ...MOUNT, mountPath: TOKEN_FILE, subPathExpr: 'token' })],
  ['audience-mismatch', 'the audience of China’s STS', ({ token }) => void (token.audience = 'sts.amazonaws.com.cn')],
  ['audience-mismatch', 'another audience', ({ token }) => void (token.audience = 'vault')],
  ['audience-mismatch', 'no audience', ({ token }) => void delete token.audience],
  ['audience-mismatch', 'no audience, and no role', all(unannotated, ({ token }) => void delete token.audience)],
  ['audience-mismatch', 'an annotation that was changed', annotation('eks.amazonaws.com/audience', 'other')],
  ['audience-mismatch', 'the API server’s token', set(FILE, '/var/run/secrets/kubernetes.io/serviceaccount/token')],
  [
    'audience-mismatch',
    'the API server’s audience',
    all(unannotated, ({ token }) => void (token.audience = 'https://kubernetes.default.svc')),
  ],
  [
    'audience-mismatch',
    'another audience than the agent’s',
    all(
      drop('AWS_ROLE_ARN', FILE),
      env(
        { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' },
        { name: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', value: TOKEN_FILE },
      ),
    ),
  ],
  [
    'token-file-permission',
    'a strict mode and another user',
    (each) => {
      each.pod.spec.containers.push(twin(each, 'side', { securityContext: { runAsUser: 0 } }));
      each.main.securityContext = { runAsUser: 1000 };
      each.volume.projected.defaultMode = 0o400;
    },
  ],
  [
    'token-file-permission',
    'a strict mode and the image’s user',
    ({ pod, volume }) => {
      pod.spec.securityContext = { runAsNonRoot: true };
      volume.projected.defaultMode = 0o600;
    },
  ],
  [
    'token-file-permission',
    'a mode for a group that it is not in',
    (each) => {
      each.pod.spec.initContainers = [twin(each, 'init', { securityContext: { runAsUser: 0 } })];
      each.main.securityContext = { runAsUser: 1000, runAsGroup: 1000 };
      each.volume.projected.defaultMode = 0o440;
    },
  ],
  [
    'windows-unix-path',
    'the path of Linux by the node selector',
    ({ pod }) => void (pod.spec.nodeSelector = { 'kubernetes.io/os': 'windows' }),
  ],
  [
    'windows-unix-path',
    'the path of Linux by the name of the system',
    ({ pod }) => void (pod.spec.os = { name: 'windows' }),
  ],
  [
    'container-skipped',
    'the first of two',
    all(
      (each) => void each.pod.spec.containers.push(twin(each, 'side')),
      ({ main }) => void (main.env = []),
      podAnnotation('eks.amazonaws.com/skip-containers', 'main'),
    ),
  ],
  [
    'container-skipped',
    'the one that kubectl takes',
    all(
      ({ pod }) => void pod.spec.containers.push({ name: 'app' }),
      podAnnotation('eks.amazonaws.com/skip-containers', 'app'),
      podAnnotation('kubectl.kubernetes.io/default-container', 'app'),
    ),
  ],
  [
    'container-skipped',
    'one that calls AWS',
    all(
      ({ pod }) => void pod.spec.containers.push({ name: 'app', env: [{ name: 'AWS_REGION', value: 'eu-west-1' }] }),
      podAnnotation('eks.amazonaws.com/skip-containers', 'app'),
    ),
  ],
  [
    'init-container-without-identity',
    'an init container',
    ({ pod }) => void (pod.spec.initContainers = [{ name: 'migrate' }]),
  ],
  [
    'init-container-without-identity',
    'a native sidecar',
    ({ pod }) =>
      void (pod.spec.initContainers = [
        { name: 'sync', restartPolicy: 'Always', envFrom: [{ configMapRef: { name: 'x' } }] },
      ]),
  ],
  [
    'ephemeral-container-without-identity',
    'a debug container',
    ({ pod }) => void (pod.spec.ephemeralContainers = [{ name: 'debugger' }]),
  ],
  [
    'pod-not-mutated',
    'a container of another webhook',
    ({ pod }) => void pod.spec.containers.push({ name: 'vault-agent' }),
  ],
  ['pod-not-mutated', 'a container without a name', ({ pod }) => void pod.spec.containers.push({})],
  ['region-missing', 'STS in no region', drop('AWS_REGION', 'AWS_DEFAULT_REGION')],
  [
    'region-missing',
    'a region of a role that is not known',
    all(drop('AWS_REGION', 'AWS_DEFAULT_REGION'), (each) => setVariable(each, 'AWS_ROLE_ARN', { valueFrom: {} })),
  ],
  ['region-missing', 'regions that are empty', all(set('AWS_REGION', ''), set('AWS_DEFAULT_REGION', ' '))],
  [
    'region-missing',
    'a role of another partition',
    all(
      drop('AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_STS_REGIONAL_ENDPOINTS'),
      role(ROLE_ARN.replace('aws', 'aws-us-gov')),
      set('AWS_ROLE_ARN', ROLE_ARN.replace('aws', 'aws-us-gov')),
    ),
  ],
  ['token-expiration-below-minimum', 'the account', annotation('eks.amazonaws.com/token-expiration', '300')],
  ['token-expiration-below-minimum', 'the pod', podAnnotation('eks.amazonaws.com/token-expiration', '599')],
  ['token-expiration-below-minimum', 'the volume', ({ token }) => void (token.expirationSeconds = 60)],
  ['annotation-on-pod', 'another role on the pod', podAnnotation(ROLE_KEY, 'arn:aws:iam::111122223333:role/other')],
  ['annotation-key-typo', 'the audience', annotation('eks.amazonaws.com/audiance', 'x')],
  ['annotation-key-typo', 'the endpoints', annotation('eks.amazonaws.com/sts-regional-endpoint', 'true')],
  ['annotation-key-typo', 'the pod’s list', podAnnotation('eks.amazonaws.com/skip-container', 'side')],
];

describe('diagnose manifests', () => {
  test.each(UNMUTATED)('finds %s in a pod without identity: %s', async (id, _fault, change) => {
    const manifests = bare();
    change(manifests);
    expect(await idsOf(manifests)).toEqual([id]);
  });

  test.each(MUTATED)('finds %s in a pod with an identity: %s', async (id, _fault, change) => {
    const manifests = healthy();
    change(manifests);
    expect(await idsOf(manifests)).toEqual([id]);
  });

  test('finds the role of the node behind what keeps a role away, and before that there is none', async () => {
    const manifests = bare();
    manifests.pod.spec.hostNetwork = true;
    expect(await idsOf(manifests)).toEqual(['pod-not-mutated', 'node-role-fallback']);
    unannotated(manifests);
    expect(await idsOf(manifests)).toEqual(['node-role-fallback', 'annotation-missing']);
    env({ name: 'AWS_EC2_METADATA_DISABLED', value: 'True' })(manifests);
    expect(await idsOf(manifests)).toEqual(['annotation-missing']);
    // The others ask, but not those that a mesh has added, nor one that looks at the program.
    manifests.pod.spec.containers.push({ name: 'istio-proxy' });
    manifests.pod.spec.ephemeralContainers = [{ name: 'debugger' }];
    expect(await idsOf(manifests)).toEqual(['annotation-missing']);
    manifests.pod.spec.containers.push({ name: 'exporter' });
    expect(await idsOf(manifests)).toEqual(['node-role-fallback', 'annotation-missing']);
  });

  const fixesOf = async (manifests: Manifests, ...args: readonly string[]): Promise<readonly string[]> => {
    const { problems } = await diagnose(manifests, ...args);
    return problems.map(({ fix }) => fix);
  };

  test('asks for an account of its own where the pod runs as the one of everybody', async () => {
    const manifests = bare();
    asDefault(manifests);
    env({ name: 'BUCKET', value: 's3://media' })(manifests);
    expect(await idsOf(manifests)).toEqual(['node-role-fallback']);
    env({ name: 'AWS_EC2_METADATA_DISABLED', value: 'true' })(manifests);
    const own = [
      'kubectl create serviceaccount SERVICE_ACCOUNT -n prod && kubectl annotate serviceaccount SERVICE_ACCOUNT -n prod eks.amazonaws.com/role-arn=arn:aws:iam::ACCOUNT_ID:role/NAME\n# then write serviceAccountName: SERVICE_ACCOUNT in the pod template, and apply it',
    ];
    expect([await idsOf(manifests), await fixesOf(manifests)]).toEqual([['annotation-missing'], own]);
    annotation('meta.helm.sh/release-name', 'x')(manifests);
    expect(await fixesOf(manifests)).toEqual(own);
  });

  const WHY = 'as identity is given at creation';
  test.each([
    ['no owner', undefined, `delete the pod and create it again from its manifest, ${WHY}`],
    [
      'an owner that only deletes it',
      [{ kind: 'ReplicaSet' }],
      `delete the pod and create it again from its manifest, ${WHY}`,
    ],
    [
      'a controller that may not make another',
      [{ kind: 'Workflow', controller: true }],
      `have the owner of the pod create it again, ${WHY}`,
    ],
    ['a controller of no kind', [{ controller: true }], `have the owner of the pod create it again, ${WHY}`],
    [
      'a controller that makes another',
      [{ kind: 'Team' }, { kind: 'StatefulSet', controller: true }],
      `kubectl delete pod web -n prod\n# its owner creates the pod again, ${WHY}`,
    ],
  ])('has nobody delete a pod that nothing creates again: of %s', async (_of, ownerReferences, fix) => {
    const manifests = bare();
    manifests.account.metadata.creationTimestamp = '2026-03-01T00:00:00Z';
    Object.assign(manifests.pod.metadata, { ownerReferences });
    expect([await idsOf(manifests), await fixesOf(manifests)]).toEqual([['pod-created-before-annotation'], [fix]]);
    const nameless = structuredClone(manifests);
    delete nameless.pod.metadata.name;
    expect(await fixesOf(nameless)).toEqual([fix.replace('pod web', 'pod POD')]);
    registered({ objectSelector: { matchLabels: { identity: 'yes' } } })(manifests);
    const words = fix.startsWith('kubectl')
      ? 'delete the pod, which its owner creates again'
      : fix.replace(`, ${WHY}`, '');
    expect((await fixesOf(manifests))[0]).toBe(
      `change the labels in the pod template or the selector of the webhook, then ${words}`,
    );
  });

  test.each([
    ['a bare name', 'orders-role', [], 'arn:aws:iam::ACCOUNT_ID:role/NAME'],
    ['a bare name that the webhook makes an ARN of', 'orders-role', COMPOSE, 'orders-role'],
    ['an ARN', `${ROLE_ARN} `, [], ROLE_ARN],
    [
      'an ARN with more than letters',
      ROLE_ARN.replace('app', 'a&b/app'),
      [],
      `'${ROLE_ARN.replace('app', 'a&b/app')}'`,
    ],
  ])('puts only a role into a command that the webhook takes: %s', async (_what, value, flags, word) => {
    const after = `then delete the pod and create it again from its manifest, ${WHY}`;
    const manifests = bare();
    unannotated(manifests);
    podAnnotation('iam.amazonaws.com/role', value)(manifests);
    expect(await fixesOf(manifests, ...flags)).toEqual([
      `kubectl annotate serviceaccount app -n prod eks.amazonaws.com/role-arn=${word}\n# ${after}`,
    ]);
    key(ROLE_KEY, '')(manifests);
    expect(await fixesOf(manifests, ...flags)).toEqual([
      `kubectl annotate serviceaccount app -n prod --overwrite eks.amazonaws.com/role-arn=${word}\n# ${after}`,
    ]);
    const typed = bare();
    key('iam.amazonaws.com/role', value)(typed);
    expect(await fixesOf(typed, ...flags)).toEqual([
      `kubectl annotate serviceaccount app -n prod iam.amazonaws.com/role- eks.amazonaws.com/role-arn=${word}\n# then create its pods again`,
    ]);
  });

  test.each([
    ['blanks', `${ROLE_ARN}\u200b `, ROLE_ARN],
    ['a partition that is none', ROLE_ARN.replace('aws', 'aws-china'), 'arn:aws:iam::ACCOUNT_ID:role/NAME'],
    ['a partition that its region is not of', ROLE_ARN.replace('aws', 'aws-cn'), 'arn:aws:iam::ACCOUNT_ID:role/NAME'],
  ])('writes no role again that is wrong: %s', async (_what, value, corrected) => {
    const manifests = bare();
    all(role(value), env({ name: 'AWS_REGION', value: 'eu-west-1' }))(manifests);
    expect(await fixesOf(manifests)).toEqual([
      `kubectl annotate serviceaccount app -n prod --overwrite eks.amazonaws.com/role-arn=${corrected}\n# then create its pods again`,
    ]);
  });

  test.each([
    ['--cluster-name=aws-prod-eu', []],
    ['--source=aws', []],
    ['--provider=aws-like', []],
    ['--provider=aws', ['annotation-missing']],
    ['--provider=aws-sd', ['annotation-missing']],
    ['exec ./autoscaler --cloud-provider=aws --v=4', ['annotation-missing']],
  ])('takes a pod among others to want a role by its provider, not by any name: %s', async (argument, ids) => {
    const manifests = bare();
    all(otherAccount('cache'), unannotated, beside(podAs('cache')))(manifests);
    Object.assign(manifests.main, { args: [argument] });
    expect(await idsOf(manifests)).toEqual(ids);
  });

  test('writes the reason of a refusal in words only', async () => {
    const manifests = bare();
    role('not a role')(manifests);
    expect(await fixesOf(manifests, ...COMPOSE)).toEqual([
      'write it as arn:aws:iam::12 digits:role/name and create the pod again',
    ]);
  });

  test('tells what keys of one’s own do to a role, and leaves them alone where there is none', async () => {
    const manifests = bare();
    env({ name: 'AWS_ACCESS_KEY_ID', value: 'AKIA' })(manifests);
    expect(await idsOf(manifests)).toEqual(['pod-not-mutated', 'static-keys-win']);
    unannotated(manifests);
    expect(await idsOf(manifests)).toEqual([]);
  });

  test.each([
    ['IfNeeded', 'create the pod again, as the webhook is registered with reinvocationPolicy: IfNeeded now'],
    ['Never', 'register the webhook with reinvocationPolicy: IfNeeded, then create the pod again'],
  ])('asks for no other reinvocationPolicy than the one that is missing: %s', async (reinvocationPolicy, advice) => {
    const manifests = healthy();
    manifests.pod.spec.containers.push({ name: 'late' });
    manifests.pod.spec.initContainers = [{ name: 'early' }];
    const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
    const webhooks = [
      { name: 'iam-for-pods.amazonaws.com', clientConfig: { url: 'https://x' }, rules, reinvocationPolicy },
    ];
    const kind = 'MutatingWebhookConfiguration';
    beside({ apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: 'x' }, webhooks })(manifests);
    const { problems } = await diagnose(manifests);
    const early =
      'create the pod again, and where another webhook adds the container, register this one with reinvocationPolicy: IfNeeded';
    expect(problems.map(({ id, fix }) => [id, fix])).toEqual([
      ['pod-not-mutated', `${advice}, or name late in skip-containers`],
      ['init-container-without-identity', reinvocationPolicy === 'Never' ? early : advice],
    ]);
  });

  test('tells no program by an image that anybody uses', async () => {
    const manifests = bare();
    all(otherAccount('web'), asDefault, beside(podAs('web', 'python:3.12')))(manifests);
    manifests.main.image = 'python:3.12';
    expect(await idsOf(manifests)).toEqual([]);
  });

  test('has the account annotated before the half of an identity is taken away', async () => {
    const manifests = bare();
    all(unannotated, env({ name: 'AWS_ROLE_ARN', value: ROLE_ARN }))(manifests);
    const [first] = (await diagnose(manifests)).problems;
    expect(first?.fix).toBe(
      'annotate the ServiceAccount with the role and remove AWS_ROLE_ARN, so that the webhook sets both, or set AWS_WEB_IDENTITY_TOKEN_FILE beside it, in the pod template, and apply it',
    );
  });

  test('decides as a webhook with these flags would', async () => {
    const composed = bare();
    role('team/app')(composed);
    expect(await idsOf(composed, ...COMPOSE)).toEqual(['pod-not-mutated']);

    const withoutRegion = healthy();
    drop('AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_STS_REGIONAL_ENDPOINTS')(withoutRegion);
    expect(await idsOf(withoutRegion, '--aws-default-region=eu-west-1')).toEqual(['region-missing']);

    const config = JSON.stringify({ 'prod/app': { RoleARN: ROLE_ARN } });
    const mapped = bare();
    unannotated(mapped);
    beside({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'pod-identity-webhook', namespace: 'eks' },
      data: { config },
    })(mapped);
    expect(await idsOf(mapped, '--watch-config-map')).toEqual(['pod-not-mutated']);
    podAnnotation('eks.amazonaws.com/skip-containers', 'main')(mapped);
    expect(await idsOf(mapped, '--watch-config-map')).toEqual(['container-skipped']);
    expect(await idsOf(mapped)).toEqual([]);
  });

  test('says nothing of a pod alone that has nothing', async () => {
    const manifests = bare();
    manifests.account.kind = 'Unread';
    delete manifests.pod.metadata.name;
    expect(await diagnose(manifests)).toEqual({
      problems: [],
      err: 'Pod prod/: ServiceAccount prod/app is not in the manifests and was not checked\n',
      exit: 0,
    });
  });

  test('names what has no name as well as it can', async () => {
    const manifests = bare();
    delete manifests.pod.metadata.name;
    beside({ apiVersion: 'v1', kind: 'Secret', metadata: {} })(manifests);
    const { problems } = await diagnose(manifests);
    expect(problems.map(({ id, object }) => `${id} ${object}`)).toEqual(['pod-not-mutated Pod prod/']);
  });

  test('plants every id somewhere', () => {
    const planted = new Set([...UNMUTATED, ...MUTATED].map(([id]) => id));
    expect(PROBLEM_IDS.filter((id) => !planted.has(id))).toEqual(['node-role-fallback']);
  });

  test('says what was seen, and what to do', async () => {
    const manifests = healthy();
    key('eks.amazonaws.com/role_arn', "it's")(manifests);
    mount({ ...MOUNT, mountPath: TOKEN_FILE, subPath: 'token' })(manifests);
    const { problems } = await diagnose(manifests);
    expect(problems).toEqual([
      {
        id: 'annotation-key-typo',
        severity: 'error',
        object: 'ServiceAccount prod/app',
        evidence: 'annotation eks.amazonaws.com/role_arn is read by nobody; eks.amazonaws.com/role-arn is meant',
        fix: 'kubectl annotate serviceaccount app -n prod eks.amazonaws.com/role_arn- eks.amazonaws.com/role-arn=arn:aws:iam::ACCOUNT_ID:role/NAME\n# then create its pods again',
        predictedError:
          'no STS error: "Unable to locate credentials", or AccessDenied of a service for the role of the node',
      },
      {
        id: 'volume-mounted-with-subpath',
        severity: 'error',
        object: 'Pod prod/web container main',
        evidence:
          'volume aws-iam-token is mounted with subPath token: the kubelet never renews what is mounted so, and the token expires',
        fix: 'mount the whole volume at a directory, without subPath, in the pod template, and apply it',
        predictedError:
          'after a day ExpiredTokenException: Token expired: current date/time 1700000001 must be before the expiration date/time 1700000000',
      },
    ]);
  });
});
