// Faults planted into the shapes of real clusters, alone and in a crowd of pods that are right: each is what the report says,
// and nothing that is not true follows it.
import { describe, expect, test } from '@jest/globals';
import { PROBLEM_IDS } from '../../src/diagnosis/problem.ts';
import { diagnoseText } from './manifests.ts';
import * as s from './shapes.ts';
import type { Shape } from './shapes.ts';
import {
  autoscaler,
  crowd,
  ebsCsi,
  externalDns,
  fluentBit,
  karpenter,
  loadBalancer,
  loki,
  nightly,
  runner,
  spark,
  threeParts,
  web,
  windowsWeb,
  workflow,
} from './shapes.ts';
import type { AccountOptions, Container, Irsa, Pod, Variable } from './stored.ts';
import {
  account,
  byHand,
  configMap,
  eksWebhook,
  ephemeral,
  inContainer,
  inEach,
  listOf,
  literal,
  namespaceObject,
  otherWebhook,
  ownWebhook,
  role,
  ROLE_KEY,
  secret,
  stored,
  TOKEN_PATH,
  tokenVars,
  user,
  withEnv,
  withIrsa,
  withLater,
  withMetadata,
  withoutEnv,
  withPodIdentity,
  withSpec,
  withVariablesOnce,
} from './stored.ts';

interface Fault {
  readonly name: string;
  readonly want: readonly string[];
  readonly objects: readonly object[];
  readonly flags: readonly string[];
}
const faults: Fault[] = [];
let group = '';
const of = (
  name: string,
  objects: readonly object[],
  flags: readonly string[] = [],
  want: readonly string[] = [group],
): void => {
  faults.push({ name: `${group}: ${name}`, want, objects, flags });
};
const arn = (x: Shape): string => role(x.roleName);
const annotated = (x: Shape, value = arn(x), more: Record<string, string> = {}, options: AccountOptions = {}): object =>
  account(x.account, { [ROLE_KEY]: value, ...more }, options);
const wrongRole = (x: Shape, value: string, mutated: boolean): object[] => [
  annotated(x, value),
  mutated ? withIrsa(x.bare, { role: value }) : x.bare,
];
const mwc = (...items: object[]): object => listOf('MutatingWebhookConfiguration', items);
const ok = (x: Shape, irsa: Partial<Irsa> = {}): Pod => withIrsa(x.bare, { role: arn(x), ...irsa });
const aws = (x: Shape): Pod => withEnv(x.bare, x.main, literal({ AWS_REGION: 'eu-west-1', S3_BUCKET: 'data' }));
const everywhere = (pod: Pod, change: (c: Container) => Container): Pod => inEach(pod, change);

group = 'annotation-key-typo';
of('eks.amazon.com', [account(web.account, { 'eks.amazon.com/role-arn': arn(web) }), web.bare]);
of('eks.amazonaws.com/rolearn', [
  account(karpenter.account, { 'eks.amazonaws.com/rolearn': arn(karpenter) }),
  karpenter.bare,
]);
of('eks.amazonaws.com/role_arn', [
  account(loki.account, { 'eks.amazonaws.com/role_arn': arn(loki) }),
  loki.bare,
  namespaceObject('monitoring'),
  mwc(eksWebhook()),
]);
of('eks.amazonaws.com/Role-Arn', [
  account(nightly.account, { 'eks.amazonaws.com/Role-Arn': arn(nightly) }),
  nightly.bare,
]);
of('amazonaws.com/role-arn', [
  account(fluentBit.account, { 'amazonaws.com/role-arn': arn(fluentBit) }),
  fluentBit.bare,
]);
of('eks.amazonaws.com/iam-role-arn', [
  account(ebsCsi.account, { 'eks.amazonaws.com/iam-role-arn': arn(ebsCsi) }),
  ebsCsi.bare,
]);
of('no pod yet', [account(web.account, { 'eks.amazonaws.com/roll-arn': arn(web) })]);
of(
  'default prefix where the webhook has another',
  [account(web.account, { 'irsa.exmaple.com/role-arn': arn(web) }), web.bare],
  ['--annotation-prefix=irsa.example.com'],
);

group = 'annotation-on-pod';
of('deployment', [account(web.account), withMetadata(web.bare, { annotations: { [ROLE_KEY]: arn(web) } })]);
of('job with sidecars', [
  account(workflow.account),
  withMetadata(workflow.bare, { annotations: { [ROLE_KEY]: arn(workflow) } }),
  namespaceObject('argo'),
  mwc(eksWebhook()),
]);
of('default account', [
  account('data/default'),
  withMetadata(withSpec(aws(spark), { serviceAccountName: 'default', serviceAccount: 'default' }), {
    annotations: { [ROLE_KEY]: arn(spark) },
  }),
]);
of('with the account given an empty one', [
  account(runner.account, { [ROLE_KEY]: '' }),
  withMetadata(runner.bare, { annotations: { [ROLE_KEY]: arn(runner) } }),
]);
of('other role than that of the account', [
  annotated(web),
  withMetadata(ok(web), { annotations: { [ROLE_KEY]: role('orders-admin') } }),
]);

group = 'annotation-missing';
of('no annotations, region set', [account(web.account), aws(web)]);
of('aws-cli', [account(nightly.account), nightly.bare]);
of('external-dns', [
  account(externalDns.account),
  withEnv(externalDns.bare, 'external-dns', literal({ AWS_DEFAULT_REGION: 'eu-west-1' })),
  mwc(eksWebhook()),
]);
of('empty role', [account(autoscaler.account, { [ROLE_KEY]: '' }), autoscaler.bare]);
of('only an audience', [account(loki.account, { 'eks.amazonaws.com/audience': 'sts.amazonaws.com' }), aws(loki)]);
of('annotations of helm only', [
  account(loki.account, { 'meta.helm.sh/release-name': 'loki', 'meta.helm.sh/release-namespace': 'monitoring' }),
  withEnv(loki.bare, 'loki', literal({ AWS_REGION: 'eu-west-1' })),
]);
of('audience and expiration only, in a crowd', [
  ...crowd,
  account(web.account, {
    'eks.amazonaws.com/audience': 'sts.amazonaws.com',
    'eks.amazonaws.com/token-expiration': '86400',
  }),
  web.bare,
]);
of('a queue by its URL, in a crowd', [
  ...crowd,
  account(web.account),
  withEnv(web.bare, 'app', literal({ QUEUE: 'https://sqs.eu-west-1.amazonaws.com/111122223333/orders' })),
]);

of('default account, and no metadata of the node', [
  account('shop/default'),
  withSpec(withEnv(aws(web), 'app', literal({ AWS_EC2_METADATA_DISABLED: 'true' })), { serviceAccountName: 'default' }),
]);

group = 'role-arn-whitespace';
of('newline, mutated as EKS does', wrongRole(web, `${arn(web)}\n`, true));
of('newline, mutated as ours does', [annotated(web, `${arn(web)}\n`), ok(web)]);
of('blank before, mutated', wrongRole(karpenter, ` ${arn(karpenter)}`, true));
of('blank after, no pods', [annotated(loki, `${arn(loki)} `)]);
of('tab, many containers', wrongRole(ebsCsi, `\t${arn(ebsCsi)}`, true));
of('carriage return', wrongRole(windowsWeb, `${arn(windowsWeb)}\r\n`, false).slice(0, 1));

of('blank within', wrongRole(nightly, role('nightly export'), false));

group = 'role-arn-bad-account';
of('11 digits', wrongRole(web, 'arn:aws:iam::11112222333:role/orders', false));
of('11 digits, mutated as EKS does', wrongRole(web, 'arn:aws:iam::11112222333:role/orders', true));
of('13 digits', wrongRole(loki, 'arn:aws:iam::1111222233334:role/loki', false));
of('hyphens', wrongRole(karpenter, 'arn:aws:iam::1111-2222-3333:role/karpenter', true));
of('placeholder', wrongRole(externalDns, 'arn:aws:iam::<ACCOUNT_ID>:role/external-dns', false));
of('none', wrongRole(runner, 'arn:aws:iam:::role/ci', true));
of('unexpanded variable', wrongRole(spark, 'arn:aws:iam::${ACCOUNT_ID}:role/spark', false));
of('letters', wrongRole(web, 'arn:aws-cn:iam::AWS_ACCOUNT:role/orders', false));

group = 'role-arn-not-a-role';
of('user', wrongRole(web, 'arn:aws:iam::111122223333:user/orders', false));
of('instance profile', wrongRole(karpenter, 'arn:aws:iam::111122223333:instance-profile/nodes', true));
of('policy', wrongRole(externalDns, 'arn:aws:iam::111122223333:policy/external-dns', false));
of('assumed role of STS', wrongRole(nightly, 'arn:aws:sts::111122223333:assumed-role/nightly/session', true));
of('group', wrongRole(loki, 'arn:aws:iam::111122223333:group/ops', false));
of('policy of AWS', wrongRole(ebsCsi, 'arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy', false));

group = 'role-arn-malformed';
of('bare name', wrongRole(web, 'orders', false));
of('a colon missing', wrongRole(loki, 'arn:aws:iam:111122223333:role/loki', true));
of('a region in it', wrongRole(karpenter, 'arn:aws:iam:eu-west-1:111122223333:role/karpenter', false));
of('no name', wrongRole(runner, 'arn:aws:iam::111122223333:role/', false));
of('quotes in it', wrongRole(spark, '"arn:aws:iam::111122223333:role/spark"', true));
of('name too long', wrongRole(web, role('x'.repeat(65)), false));
of('upper case', wrongRole(web, 'ARN:AWS:IAM::111122223333:ROLE/orders', true));

group = 'role-arn-wrong-partition';
of(
  'aws in china',
  wrongRole(web, arn(web), true).map((o, i) =>
    i === 0 ? o : withIrsa(web.bare, { role: arn(web), region: 'cn-north-1' }),
  ),
);
of('aws-cn in ireland', [
  annotated(loki, role('loki-storage', 'aws-cn')),
  withIrsa(loki.bare, { role: role('loki-storage', 'aws-cn') }),
]);
of('govcloud in oregon', [
  annotated(karpenter, role('karpenter', 'aws-us-gov')),
  withIrsa(karpenter.bare, { role: role('karpenter', 'aws-us-gov'), region: 'us-west-2' }),
]);
of('aws in govcloud', [annotated(externalDns), ok(externalDns, { region: 'us-gov-west-1' })]);
of(
  'aws in china by flag',
  [annotated(web), ok(web, { region: 'cn-northwest-1' })],
  ['--aws-default-region=cn-northwest-1'],
);
of('region by the author', [
  annotated(autoscaler, role('cluster-autoscaler', 'aws-cn')),
  withIrsa(autoscaler.bare, { role: role('cluster-autoscaler', 'aws-cn') }),
]);

group = 'role-arn-differs-from-annotation';
of('role renamed', [annotated(web, role('orders-v2')), ok(web)]);
of('many containers', [annotated(ebsCsi, role('ebs-csi-v2')), ok(ebsCsi)]);
of('account moved', [annotated(loki, 'arn:aws:iam::444455556666:role/loki-storage'), ok(loki)]);
of('annotated again after the pod was made', [
  annotated(threeParts, role('transcoder-v2'), {}, { annotated: '2026-06-01T00:00:00Z', manager: 'kubectl-annotate' }),
  ok(threeParts),
]);
of('with namespace and webhook', [
  annotated(karpenter, role('karpenter-v2')),
  ok(karpenter),
  namespaceObject('kube-system'),
  mwc(eksWebhook()),
]);
of('with istio behind', [annotated(web, role('orders-v2')), withLater(ok(web), s.istio)]);

group = 'pod-created-before-annotation';
for (const [x, manager] of [
  [web, 'kubectl-annotate'],
  [loki, 'helm'],
  [karpenter, 'Terraform'],
  [threeParts, 'eksctl'],
] as const)
  of(`annotated by ${manager}`, [annotated(x, arn(x), {}, { annotated: '2026-05-04T09:30:00Z', manager }), x.bare]);
of('applied by argocd, webhook listed', [
  annotated(
    externalDns,
    arn(externalDns),
    {},
    { annotated: '2026-05-05T00:00:00Z', manager: 'argocd-controller', operation: 'Apply' },
  ),
  externalDns.bare,
  namespaceObject('external-dns'),
  mwc(eksWebhook()),
]);
// On the network of the host it is true that what follows is the role of the node.
const ON_HOST = (id: string): readonly string[] => [id, 'node-role-fallback'];
of(
  'account made anew with the annotation',
  [annotated(fluentBit, arn(fluentBit), {}, { created: '2026-05-05T00:00:00Z' }), fluentBit.bare],
  [],
  ON_HOST(group),
);

group = 'wrong-service-account';
of('default', [
  account('shop/default'),
  annotated(web),
  withSpec(aws(web), { serviceAccountName: 'default', serviceAccount: 'default' }),
]);
of('another name', [
  account('monitoring/loki-write'),
  annotated(loki),
  withSpec(aws(loki), { serviceAccountName: 'loki-write', serviceAccount: 'loki-write' }),
]);
of('job as default with aws-cli', [
  account('batch/default'),
  annotated(nightly),
  withSpec(nightly.bare, { serviceAccountName: 'default', serviceAccount: 'default' }),
]);
of('default, nothing else to say so', [
  account('kube-system/default'),
  annotated(karpenter),
  withSpec(karpenter.bare, { serviceAccountName: 'default', serviceAccount: 'default' }),
]);
of('default, webhook listed', [
  account('external-dns/default'),
  annotated(externalDns),
  withSpec(externalDns.bare, { serviceAccountName: 'default', serviceAccount: 'default' }),
  namespaceObject('external-dns'),
  mwc(eksWebhook()),
]);

group = 'opted-out-by-label';
for (const [x, value] of [
  [web, 'true'],
  [karpenter, ''],
  [ebsCsi, 'false'],
  [nightly, '1'],
] as const)
  of(`label "${value}"`, [
    annotated(x),
    withMetadata(x.bare, { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': value } }),
  ]);
of('webhook listed', [
  annotated(loki),
  withMetadata(loki.bare, { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } }),
  namespaceObject('monitoring'),
  mwc(eksWebhook()),
]);

of(
  'of an account whose role is mistyped',
  [
    account(web.account, { 'eks.amazonws.com/role-arn': arn(web) }),
    withMetadata(web.bare, { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } }),
  ],
  [],
  ['annotation-key-typo', 'opted-out-by-label'],
);

group = 'namespace-excluded';
of(
  'and no role, of a controller that names AWS',
  [
    account(loadBalancer.account),
    loadBalancer.bare,
    namespaceObject('kube-system'),
    mwc(ownWebhook({ namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] } })),
  ],
  [],
  ['namespace-excluded', 'annotation-missing'],
);
const notIn = {
  matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'kube-public'] }],
};
of('NotIn of names', [
  annotated(karpenter),
  karpenter.bare,
  namespaceObject('kube-system'),
  mwc(ownWebhook({ namespaceSelector: notIn })),
]);
of('a label that must be there', [
  annotated(web),
  web.bare,
  namespaceObject('shop'),
  mwc(
    ownWebhook({ namespaceSelector: { matchLabels: { 'irsa.example.com/inject': 'enabled' } } }),
    otherWebhook('istio'),
  ),
]);
of('a label that must not be there', [
  annotated(loki),
  loki.bare,
  namespaceObject('monitoring', { 'pod-identity-webhook.example.com/exclude': 'true' }),
  mwc(
    ownWebhook({
      namespaceSelector: {
        matchExpressions: [{ key: 'pod-identity-webhook.example.com/exclude', operator: 'DoesNotExist' }],
      },
    }),
  ),
]);
of('label of another value', [
  annotated(nightly),
  nightly.bare,
  namespaceObject('batch', { env: 'dev' }),
  ownWebhook({ namespaceSelector: { matchExpressions: [{ key: 'env', operator: 'In', values: ['prod'] }] } }),
]);
of('Exists', [
  annotated(ebsCsi),
  ebsCsi.bare,
  namespaceObject('kube-system'),
  mwc(ownWebhook({ namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] } })),
]);

group = 'webhook-down';
of('none', [annotated(web), web.bare, namespaceObject('shop'), mwc()]);
of('only those of others', [
  annotated(karpenter),
  karpenter.bare,
  mwc(otherWebhook('istio'), otherWebhook('cert-manager')),
]);
of('no caBundle', [
  annotated(loki),
  loki.bare,
  mwc(
    ownWebhook({
      clientConfig: { service: { name: 'pod-identity-webhook', namespace: 'irsa', path: '/mutate' }, caBundle: '' },
    }),
  ),
]);
of('no pods in its rules', [
  annotated(nightly),
  nightly.bare,
  mwc(
    ownWebhook({
      rules: [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }],
    }),
  ),
]);
of(
  'configuration without webhooks',
  [annotated(fluentBit), fluentBit.bare, mwc({ ...ownWebhook(), webhooks: [] })],
  [],
  ON_HOST(group),
);
of('only UPDATE', [
  annotated(ebsCsi),
  ebsCsi.bare,
  mwc(ownWebhook({ rules: [{ operations: ['UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] })),
]);

group = 'pod-not-mutated';
for (const x of [web, karpenter, ebsCsi, spark, threeParts]) of(x.main, [annotated(x), x.bare]);
of('fluent-bit', [annotated(fluentBit), fluentBit.bare], [], ON_HOST(group));
of('with all listed', [annotated(loki), loki.bare, namespaceObject('monitoring'), mwc(eksWebhook())]);
of('with a mesh', [annotated(web), withLater(web.bare, s.istio)]);
of('region by the author', [annotated(autoscaler), autoscaler.bare]);
of('container added later that uses AWS', [
  annotated(web),
  withLater(ok(web), {
    containers: [
      {
        name: 'log-router',
        image: 'public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32.4',
        env: literal({ AWS_REGION: 'eu-west-1' }),
      },
    ],
  }),
]);

group = 'container-skipped';
const skipping = (x: Shape, names: string, except: readonly string[], pod = x.bare): object[] => [
  annotated(x),
  withMetadata(withIrsa(pod, { role: arn(x), except }), {
    annotations: { 'eks.amazonaws.com/skip-containers': names },
  }),
];
of('main of several', skipping(loki, 'loki', ['loki']));
of('main, with others', skipping(threeParts, 'transcoder, migrate', ['transcoder', 'migrate']));
of(
  'second that sets a region',
  skipping(
    threeParts,
    'thumbnailer',
    ['thumbnailer'],
    withEnv(threeParts.bare, 'thumbnailer', literal({ AWS_REGION: 'eu-west-1' })),
  ),
);
of('the only one', [
  annotated(web),
  withMetadata(web.bare, { annotations: { 'eks.amazonaws.com/skip-containers': 'app' } }),
]);
of("main by kubectl's annotation", [
  annotated(workflow),
  withMetadata(withIrsa(workflow.bare, { role: arn(workflow), except: ['main'] }), {
    annotations: { 'eks.amazonaws.com/skip-containers': 'main', 'kubectl.kubernetes.io/default-container': 'main' },
  }),
]);

group = 'init-container-without-identity';
of('first of two', [annotated(threeParts), ok(threeParts, { except: ['migrate'] })]);
of('native sidecar', [annotated(threeParts), ok(threeParts, { except: ['uploader'] })]);
of('of a job', [annotated(nightly), ok(nightly, { except: ['fetch-schema'] })]);
of('added later by another webhook, with aws-cli', [
  annotated(web),
  withLater(ok(web), {
    initContainers: [
      { name: 'fetch-config', image: 'amazon/aws-cli:2.22.0', args: ['s3', 'cp', 's3://config/app', '/config'] },
    ],
  }),
]);
of('with istio beside, which needs none', [
  annotated(threeParts),
  withLater(ok(threeParts, { except: ['migrate'] }), s.istio),
]);

group = 'ephemeral-container-without-identity';
of('aws-cli', [
  annotated(web),
  ephemeral(ok(web), { name: 'debugger-8xk2v', image: 'amazon/aws-cli:2.22.0', stdin: true, tty: true }),
]);
of('the program itself', [
  annotated(loki),
  ephemeral(ok(loki), { name: 'debugger-8xk2v', image: 'docker.io/grafana/loki:3.3.2', targetContainerName: 'loki' }),
]);
of('with a region', [
  annotated(karpenter),
  ephemeral(ok(karpenter), {
    name: 'debugger-zzz',
    image: 'registry.example.com/tools:1',
    env: literal({ AWS_REGION: 'eu-west-1' }),
  }),
]);
of('tools', [
  annotated(threeParts),
  ephemeral(ok(threeParts), {
    name: 'debugger-zzz',
    image: 'nicolaka/netshoot:v0.13',
    targetContainerName: 'transcoder',
  }),
]);
of(
  'variables without mount',
  [
    annotated(web),
    ephemeral(ok(web), {
      name: 'debugger-8xk2v',
      image: 'amazon/aws-cli:2.22.0',
      env: tokenVars(`${TOKEN_PATH}/token`),
    }),
  ],
  [],
  ['env-without-volume'],
);

group = 'env-without-volume';
const unmounted = (pod: Pod, names: readonly string[] | undefined, keepVolume: boolean): Pod => {
  const changed = everywhere(pod, (c) =>
    names === undefined || names.includes(c.name)
      ? { ...c, volumeMounts: (c.volumeMounts ?? []).filter((m) => m.name !== 'aws-iam-token') }
      : c,
  );
  return keepVolume
    ? changed
    : withSpec(changed, { volumes: (changed.spec.volumes ?? []).filter((v) => v.name !== 'aws-iam-token') });
};
of('neither volume nor mount', [annotated(web), unmounted(ok(web), undefined, false)]);
of('no mount in one of several', [annotated(ebsCsi), unmounted(ok(ebsCsi), ['attacher'], true)]);
of('no mount in the main one', [annotated(loki), unmounted(ok(loki), ['loki'], true)]);
of('mounted elsewhere', [
  annotated(karpenter),
  inContainer(ok(karpenter), 'controller', (c) => ({
    ...c,
    volumeMounts: (c.volumeMounts ?? []).map((m) =>
      m.name === 'aws-iam-token' ? { ...m, mountPath: '/var/run/secrets/aws' } : m,
    ),
  })),
]);
of('copied by hand without account', [
  account('shop/orders'),
  withEnv(web.bare, 'app', [...tokenVars(`${TOKEN_PATH}/token`), ...literal({ AWS_REGION: 'eu-west-1' })]),
]);
of('init container', [annotated(threeParts), unmounted(ok(threeParts), ['migrate'], true)]);

group = 'volume-mounted-with-subpath';
const subPathed = (pod: Pod, name: string): Pod =>
  inContainer(pod, name, (c) => ({
    ...c,
    volumeMounts: (c.volumeMounts ?? []).map((m) =>
      m.name === 'aws-iam-token' ? { ...m, mountPath: `${TOKEN_PATH}/token`, subPath: 'token' } : m,
    ),
  }));
for (const x of [web, loki, karpenter]) of(x.main, [annotated(x), subPathed(ok(x), x.main)]);
of('init container', [annotated(threeParts), subPathed(ok(threeParts), 'uploader')]);
of('by hand', [
  account('shop/orders'),
  withSpec(
    inContainer(web.bare, 'app', (c) => ({
      ...c,
      env: [...tokenVars('/aws/token'), ...literal({ AWS_REGION: 'eu-west-1' })],
      volumeMounts: [{ name: 'tok', mountPath: '/aws/token', subPath: 'token' }],
    })),
    {
      volumes: [
        {
          name: 'tok',
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 3600, path: 'token' } },
            ],
          },
        },
      ],
    },
  ),
]);

group = 'half-set-variables';
of('role only, account annotated', [annotated(web), withoutEnv(ok(web), 'app', ['AWS_WEB_IDENTITY_TOKEN_FILE'])]);
of('file only', [annotated(loki), withoutEnv(ok(loki), 'loki', ['AWS_ROLE_ARN'])]);
of('role only, by the author, no mount as upstream does', [
  annotated(karpenter),
  withEnv(karpenter.bare, 'controller', literal({ AWS_ROLE_ARN: arn(karpenter), AWS_REGION: 'eu-west-1' })),
]);
of('role only, account without annotation', [
  account('shop/orders'),
  withEnv(web.bare, 'app', literal({ AWS_ROLE_ARN: arn(web), AWS_REGION: 'eu-west-1' })),
]);
of('init container', [annotated(threeParts), withoutEnv(ok(threeParts), 'migrate', ['AWS_ROLE_ARN'])]);
of('container mode, file only', [
  account('shop/orders'),
  withoutEnv(withPodIdentity(web.bare), 'app', ['AWS_CONTAINER_CREDENTIALS_FULL_URI']),
]);

group = 'static-keys-win';
const keys = literal({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI' });
const secretKeys = (optional?: boolean): Variable[] =>
  ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((name) => ({
    name,
    valueFrom: {
      secretKeyRef: { name: 'aws', key: name.toLowerCase(), ...(optional === undefined ? {} : { optional }) },
    },
  }));
of('literal', [annotated(web), withEnv(ok(web), 'app', keys)]);
of('of a Secret', [annotated(loki), withEnv(ok(loki), 'loki', secretKeys())]);
of('by envFrom of a known Secret', [
  annotated(karpenter),
  secret('kube-system/legacy-aws', { AWS_ACCESS_KEY_ID: 'eA==', AWS_SECRET_ACCESS_KEY: 'eA==' }),
  inContainer(ok(karpenter), 'controller', (c) => ({ ...c, envFrom: [{ secretRef: { name: 'legacy-aws' } }] })),
]);
of('init container', [annotated(threeParts), withEnv(ok(threeParts), 'migrate', keys)]);
of('optional, and the Secret is there', [
  annotated(ebsCsi),
  secret('kube-system/aws-secret', { key_id: 'eA==', access_key: 'eA==' }),
  ok(ebsCsi),
]);
of('beside pod identity', [account(web.account), withEnv(withPodIdentity(web.bare), 'app', keys)]);

group = 'profile-env-set';
of('literal', [annotated(web), withEnv(ok(web), 'app', literal({ AWS_PROFILE: 'prod' }))]);
of('of a ConfigMap', [
  annotated(loki),
  withEnv(ok(loki), 'loki', [{ name: 'AWS_PROFILE', valueFrom: { configMapKeyRef: { name: 'env', key: 'profile' } } }]),
]);
of('by envFrom', [
  annotated(spark),
  configMap('data/spark-env', { AWS_PROFILE: 'etl' }),
  inContainer(ok(spark), spark.main, (c) => ({ ...c, envFrom: [{ configMapRef: { name: 'spark-env' } }] })),
]);
of('native sidecar', [annotated(threeParts), withEnv(ok(threeParts), 'uploader', literal({ AWS_PROFILE: 'media' }))]);
of('pod identity', [account(web.account), withEnv(withPodIdentity(web.bare), 'app', literal({ AWS_PROFILE: 'prod' }))]);

group = 'both-irsa-and-pod-identity';
for (const x of [web, ebsCsi, karpenter, threeParts])
  of(x.main, [annotated(x), withVariablesOnce(withPodIdentity(withIrsa(x.bare, { role: arn(x) })))]);

group = 'token-file-permission';
const modes = (users: Record<string, object>, mode: number, podContext: object = {}): object[] => [
  annotated(threeParts),
  withIrsa(withSpec(user(threeParts.bare, users), { securityContext: podContext }), { role: arn(threeParts), mode }),
];
of(
  '0400, two users',
  modes(
    {
      migrate: { runAsUser: 1000 },
      uploader: { runAsUser: 1000 },
      transcoder: { runAsUser: 1000 },
      thumbnailer: { runAsUser: 2000 },
    },
    256,
  ),
);
of('0600, user of one container only', [
  annotated(loki),
  withIrsa(withSpec(user(loki.bare, { loki: { runAsUser: 10_001, runAsGroup: 10_001 } }), { securityContext: {} }), {
    role: arn(loki),
    mode: 384,
  }),
]);
of(
  '0440, other group',
  modes(
    {
      migrate: { runAsUser: 0 },
      uploader: { runAsUser: 1000, runAsGroup: 1000 },
      transcoder: { runAsUser: 1000, runAsGroup: 1000 },
      thumbnailer: { runAsUser: 1000, runAsGroup: 1000 },
    },
    288,
  ),
);
of('0400, runAsNonRoot without a number', [
  annotated(web),
  withIrsa(user(web.bare, { app: { runAsNonRoot: true } }), { role: arn(web), mode: 256 }),
]);
of(
  '0400, supplemental groups do not help',
  modes(
    {
      migrate: { runAsUser: 0 },
      transcoder: { runAsUser: 1000 },
      uploader: { runAsUser: 1000 },
      thumbnailer: { runAsUser: 1000 },
    },
    256,
    { supplementalGroups: [0] },
  ),
);

of('0400, and a user that the image names', [
  annotated(web),
  {
    ...ok(web, { mode: 0o400 }),
    status: {
      containerStatuses: [{ name: 'app', user: { linux: { uid: 1000, gid: 1000, supplementalGroups: [0] } } }],
    },
  },
]);

group = 'audience-mismatch';
of("china's", [annotated(web), ok(web, { audience: 'sts.amazonaws.com.cn' })]);
of('typo', [annotated(karpenter), ok(karpenter, { audience: 'sts.amazon.com' })]);
of('annotation of another', [
  annotated(loki, arn(loki), { 'eks.amazonaws.com/audience': 'sts.internal.example.com' }),
  ok(loki),
]);
of('flag of another', [annotated(ebsCsi), ok(ebsCsi)], ['--token-audience=amazonaws.com']);
of('none in the projection', [
  annotated(web),
  withSpec(ok(web), {
    volumes: [
      {
        name: 'aws-iam-token',
        projected: {
          defaultMode: 420,
          sources: [{ serviceAccountToken: { expirationSeconds: 86_400, path: 'token' } }],
        },
      },
    ],
  }),
]);
of("api server's token as the file", [
  annotated(web),
  withEnv(web.bare, 'app', [
    ...tokenVars('/var/run/secrets/kubernetes.io/serviceaccount/token'),
    ...literal({ AWS_REGION: 'eu-west-1' }),
  ]),
]);

group = 'token-expiration-below-minimum';
of('300', [annotated(web, arn(web), { 'eks.amazonaws.com/token-expiration': '300' }), ok(web, { expiration: 600 })]);
of('0', [annotated(loki, arn(loki), { 'eks.amazonaws.com/token-expiration': '0' }), ok(loki, { expiration: 600 })]);
of('negative', [
  annotated(karpenter, arn(karpenter), { 'eks.amazonaws.com/token-expiration': '-1' }),
  ok(karpenter, { expiration: 600 }),
]);
of('of the pod', [
  annotated(web),
  withMetadata(ok(web, { expiration: 600 }), { annotations: { 'eks.amazonaws.com/token-expiration': '120' } }),
]);
of('599', [
  annotated(spark, arn(spark), { 'eks.amazonaws.com/token-expiration': '599' }),
  ok(spark, { expiration: 600 }),
]);

group = 'region-missing';
of('flag, none in the pod', [annotated(web), ok(web, { region: '', sts: false })], ['--aws-default-region=eu-west-1']);
of('regional STS without', [annotated(loki), ok(loki, { region: '' })]);
of('china without', [
  annotated(web, role('orders', 'aws-cn')),
  withIrsa(web.bare, { role: role('orders', 'aws-cn'), region: '', sts: false }),
]);
of('govcloud without', [
  annotated(karpenter, role('k', 'aws-us-gov')),
  withIrsa(karpenter.bare, { role: role('k', 'aws-us-gov'), region: '', sts: false }),
]);
of('one of several', [
  annotated(threeParts),
  withoutEnv(ok(threeParts), 'thumbnailer', ['AWS_REGION', 'AWS_DEFAULT_REGION']),
]);

group = 'windows-unix-path';
const unixOn = (pod: Pod): object[] => [annotated(windowsWeb), withIrsa(pod, { role: arn(windowsWeb) })];
of('os and selector', unixOn(windowsWeb.bare));
of('selector', unixOn(withSpec(windowsWeb.bare, { os: undefined })));
of('os', unixOn(withSpec(windowsWeb.bare, { nodeSelector: undefined })));
of(
  'beta selector',
  unixOn(withSpec(windowsWeb.bare, { os: undefined, nodeSelector: { 'beta.kubernetes.io/os': 'windows' } })),
);
of(
  'affinity',
  unixOn(
    withSpec(windowsWeb.bare, {
      os: undefined,
      nodeSelector: undefined,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['windows'] }] },
            ],
          },
        },
      },
    }),
  ),
);

group = 'node-role-fallback';
of('default account, region', [
  account('shop/default'),
  withSpec(aws(web), { serviceAccountName: 'default', serviceAccount: 'default' }),
]);
of('default account, aws-cli', [
  account('batch/default'),
  withSpec(nightly.bare, { serviceAccountName: 'default', serviceAccount: 'default' }),
]);
of('host network', [
  account('logging/default'),
  withSpec(fluentBit.bare, { serviceAccountName: 'default', serviceAccount: 'default' }),
]);

const inCrowd = (...objects: object[]): object[] => [...crowd, ...objects];
const untokened = (pod: Pod): Pod =>
  inEach(pod, (c) => ({ ...c, volumeMounts: (c.volumeMounts ?? []).filter((m) => !/token/.test(m.name)) }));
const planted = (want: string, name: string, objects: readonly object[], flags: readonly string[] = []): Fault => ({
  name: `${want}: ${name}`,
  want: want.split(' '),
  objects,
  flags,
});
const ann = (x: Shape, more: Record<string, string> = {}, options: AccountOptions = {}): object =>
  annotated(x, arn(x), more, options);
faults.push(
  planted(
    'annotation-key-typo',
    'in a crowd',
    inCrowd(account(web.account, { 'eks.amazon.com/role-arn': role('orders') }), web.bare),
  ),
  planted(
    'pod-created-before-annotation',
    'in a crowd',
    inCrowd(ann(web, {}, { annotated: '2026-06-01T00:00:00Z' }), web.bare),
  ),
  planted('pod-created-before-annotation', 'one of two pods', [
    ann(web, {}, { annotated: '2026-06-01T00:00:00Z' }),
    web.bare,
    withIrsa(
      stored(
        'shop/orders-bbbbbbbbb-zzzzz',
        { serviceAccountName: 'orders', containers: web.bare.spec.containers },
        { created: '2026-06-02T00:00:00Z' },
      ),
      { role: role('orders') },
    ),
  ]),
  planted('pod-not-mutated', 'in a crowd', inCrowd(ann(web), web.bare)),
  planted('audience-mismatch', 'in a crowd', inCrowd(ann(web), ok(web, { audience: 'sts.amazonaws.com.cn' }))),
  planted(
    'annotation-missing',
    'in a crowd, with a region',
    inCrowd(account(web.account), withEnv(web.bare, 'app', literal({ AWS_REGION: 'eu-west-1' }))),
  ),
  planted(
    'annotation-missing',
    'in a crowd, alb controller',
    inCrowd(account(loadBalancer.account), loadBalancer.bare),
  ),
  planted('annotation-missing', 'ebs csi', [account(ebsCsi.account), ebsCsi.bare]),
  planted(
    'annotation-missing',
    'bucket by URL, in a crowd',
    inCrowd(account(web.account), withEnv(web.bare, 'app', literal({ BUCKET_URL: 's3://orders-prod' }))),
  ),
  planted(
    'wrong-service-account',
    'in a crowd',
    inCrowd(ann(web), withSpec(web.bare, { serviceAccountName: 'default', serviceAccount: 'default' })),
  ),
  planted(
    'wrong-service-account',
    'namespace of another',
    inCrowd(
      account('shop/app-x'),
      account('default/app-x', { [ROLE_KEY]: role('x') }),
      withEnv(
        stored('shop/app-x-7d9c5b8f4-x2x8z', {
          serviceAccountName: 'app-x',
          containers: [{ name: 'a', image: 'registry.example.com/x' }],
        }),
        'a',
        literal({ AWS_REGION: 'eu-west-1' }),
      ),
    ),
  ),
  planted(
    'opted-out-by-label',
    'in a crowd',
    inCrowd(ann(web), withMetadata(web.bare, { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } })),
  ),
  planted('static-keys-win', 'sidecar only', [
    ann(loki),
    withEnv(ok(loki), 'loki-sc-rules', literal({ AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' })),
  ]),
  planted('profile-env-set', 'by a prefix', [
    ann(web),
    configMap('shop/c', { PROFILE: 'x' }),
    inContainer(ok(web), 'app', (c) => ({ ...c, envFrom: [{ prefix: 'AWS_', configMapRef: { name: 'c' } }] })),
  ]),
  planted('half-set-variables', 'by envFrom', [
    account(web.account),
    configMap('shop/c', { AWS_ROLE_ARN: 'x', AWS_REGION: 'y' }),
    inContainer(web.bare, 'app', (c) => ({ ...c, envFrom: [{ configMapRef: { name: 'c' } }] })),
  ]),
  planted('env-without-volume', 'pod identity', [account(web.account), untokened(withPodIdentity(web.bare))]),
  planted('windows-unix-path', 'pod identity', [account('legacy/billing'), withPodIdentity(windowsWeb.bare)]),
  planted('token-file-permission', 'pod identity', [
    account(threeParts.account),
    withPodIdentity(
      user(threeParts.bare, {
        transcoder: { runAsUser: 1000 },
        migrate: { runAsUser: 0 },
        thumbnailer: { runAsUser: 1000 },
        uploader: { runAsUser: 1000 },
      }),
      { mode: 256 },
    ),
  ]),
  planted('container-skipped', 'by include-containers', [
    ann(loki),
    withMetadata(ok(loki, { except: ['loki'] }), {
      annotations: { 'eks.amazonaws.com/include-containers': 'loki-sc-rules' },
    }),
  ]),
  planted('namespace-excluded', 'label of the namespace, EKS', [
    ann(web),
    web.bare,
    namespaceObject('shop', { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' }),
    listOf('MutatingWebhookConfiguration', [eksWebhook()]),
  ]),
  planted('pod-not-mutated', 'a sidecar of ours added later', [
    ann(web),
    withLater(ok(web), { containers: [{ name: 'uploader', image: 'registry.example.com/uploader:1' }] }),
  ]),
  planted('pod-not-mutated', 'vault agent with aws auth', [
    ann(web),
    withMetadata(withLater(ok(web), { containers: s.vault.containers, annotations: s.vault.annotations }), {
      annotations: { 'vault.hashicorp.com/auth-type': 'aws', 'vault.hashicorp.com/auth-path': 'auth/aws' },
    }),
  ]),
  planted('node-role-fallback annotation-missing', 'host network', [
    account('apps/agent'),
    stored('apps/agent-7d9c5b8f4-x2x8z', {
      serviceAccountName: 'agent',
      hostNetwork: true,
      containers: [{ name: 'agent', image: 'registry.example.com/agent:1' }],
    }),
  ]),
  planted('node-role-fallback', 'default, bucket by flag', [
    account('apps/default'),
    stored('apps/agent-7d9c5b8f4-x2x8z', {
      containers: [{ name: 'agent', image: 'registry.example.com/agent:1', args: ['--bucket=s3://x'] }],
    }),
  ]),
  planted('annotation-on-pod', 'kube2iam by itself', [
    account(web.account),
    withMetadata(web.bare, { annotations: { 'iam.amazonaws.com/role': 'orders' } }),
  ]),
  planted(
    'annotation-on-pod',
    'in a crowd',
    inCrowd(account(web.account), withMetadata(web.bare, { annotations: { [ROLE_KEY]: role('orders') } })),
  ),
  planted(
    'role-arn-differs-from-annotation',
    'in a crowd',
    inCrowd(account(web.account, { [ROLE_KEY]: role('orders-v2') }), ok(web)),
  ),
  planted('role-arn-whitespace', 'zero width', [
    account(web.account, { [ROLE_KEY]: `\u200b${role('orders')}` }),
    web.bare,
  ]),
  planted('role-arn-malformed', 'ARN in ARN', [
    account(web.account, { [ROLE_KEY]: `arn:aws:iam::111122223333:role/${role('orders')}` }),
    web.bare,
  ]),
  planted('both-irsa-and-pod-identity', 'by hand and association', [
    account(web.account),
    withVariablesOnce(withPodIdentity(byHand(web.bare, 'app', '/creds'))),
  ]),
  planted('init-container-without-identity', 'last of three', [
    ann(threeParts),
    withLater(ok(threeParts), { initContainers: [{ name: 'warm', image: 'registry.example.com/warm:1' }] }),
  ]),
  planted(
    'token-expiration-below-minimum',
    'in a crowd',
    inCrowd(ann(web, { 'eks.amazonaws.com/token-expiration': '599' }), ok(web, { expiration: 600 })),
  ),
  planted('region-missing', 'in a crowd', inCrowd(ann(web), ok(web, { region: '' }))),
  planted('webhook-down', 'only other webhooks, in a crowd', [
    ...crowd.filter((o) => !('items' in o)),
    listOf('MutatingWebhookConfiguration', [otherWebhook('istio')]),
    ann(web),
    web.bare,
  ]),
  planted('env-without-volume', 'in a crowd', inCrowd(ann(web), untokened(ok(web)))),
  planted('volume-mounted-with-subpath', 'pod identity', [
    account(web.account),
    inContainer(withPodIdentity(web.bare), 'app', (c) => ({
      ...c,
      volumeMounts: (c.volumeMounts ?? []).map((m) =>
        m.name === 'eks-pod-identity-token'
          ? { ...m, mountPath: `${m.mountPath}/eks-pod-identity-token`, subPath: 'eks-pod-identity-token' }
          : m,
      ),
    })),
  ]),
  planted('audience-mismatch', 'pod identity', [
    account(web.account),
    withPodIdentity(web.bare, { audience: 'sts.amazonaws.com' }),
  ]),
);

group = 'node-role-fallback';
of(
  'no role and no webhook',
  [account(fluentBit.account), fluentBit.bare, mwc()],
  [],
  ['node-role-fallback', 'annotation-missing', 'webhook-down'],
);

describe('diagnose manifests, in the shapes of real clusters', () => {
  test.each(faults)('finds $name', async ({ objects, want, flags }) => {
    const { problems } = await diagnoseText(objects.map((each) => JSON.stringify(each)).join('\n'), ...flags);
    // Of several containers each is named.
    expect([...new Set(problems.map(({ id }) => id))]).toEqual(want);
  });

  test('plants every id', () => {
    const ids = new Set(faults.flatMap(({ want }) => want));
    expect(PROBLEM_IDS.filter((id) => !ids.has(id))).toEqual([]);
  });
});
