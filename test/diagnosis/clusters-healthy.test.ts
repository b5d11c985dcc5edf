// Sets of manifests in the shapes of real clusters, in which nothing is wrong: whoever reads a whole namespace must not be
// told of pods that are right.
import { describe, expect, test } from '@jest/globals';
import { diagnoseText } from './manifests.ts';
import * as s from './shapes.ts';
import type { Shape } from './shapes.ts';
import { crowd, ebsCsi, karpenter, loki, nightly, node, right, threeParts, web, windowsWeb } from './shapes.ts';
import type { AccountOptions, Irsa, Pod } from './stored.ts';
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
  plain,
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
  withPodIdentity,
  withSpec,
} from './stored.ts';

const one = (pod: Pod, key: string, annotations: Record<string, string> = {}): object[] => [
  account(key, annotations),
  pod,
];
const CN: Partial<Irsa> = { role: role('orders', 'aws-cn'), region: 'cn-north-1' };
const irsaWeb = withIrsa(web.bare, { role: role('orders') });
const webAccount = account('shop/orders', { [ROLE_KEY]: role('orders') });
const twoUsers = threeParts.bare;
const threeRole = { role: role('media-transcoder') };
const threeAccount = account('media/transcoder', { [ROLE_KEY]: role('media-transcoder') });

const right1 = (x: Shape, irsa: Partial<Irsa> = {}): Pod => withIrsa(x.bare, { role: role(x.roleName), ...irsa });
const ann = (x: Shape, more: Record<string, string> = {}, o: AccountOptions = {}): object =>
  account(x.account, { [ROLE_KEY]: role(x.roleName), ...more }, o);
const pods = (...items: object[]): object => ({ apiVersion: 'v1', kind: 'List', items });

interface Case {
  readonly name: string;
  readonly objects: readonly object[];
  readonly flags: readonly string[];
}
const of = (name: string, objects: readonly object[], flags: readonly string[] = []): Case => ({
  name,
  objects,
  flags,
});

const HEALTHY: readonly Case[] = [
  // every shape, right
  ...Object.entries(s.SHAPES).map(([name, shape]) => of(`${name} as EKS makes it`, right(shape))),
  of('windows by os', [
    account('legacy/billing', { [ROLE_KEY]: role('billing') }),
    withIrsa(windowsWeb.bare, { role: role('billing'), windows: true }),
  ]),
  of('windows by nodeSelector only', [
    account('legacy/billing', { [ROLE_KEY]: role('billing') }),
    withIrsa(withSpec(windowsWeb.bare, { os: undefined }), { role: role('billing'), windows: true }),
  ]),
  of('windows pod identity', [account('legacy/billing'), withPodIdentity(windowsWeb.bare, { windows: true })]),
  of('all shapes of a cluster at once, with namespaces and EKS webhook', [
    ...Object.values(s.SHAPES).flatMap((shape) => right(shape)),
    ...['shop', 'external-dns', 'kube-system', 'logging', 'data', 'ci', 'monitoring', 'batch', 'argo', 'media'].map(
      (n) => namespaceObject(n),
    ),
    listOf('MutatingWebhookConfiguration', [
      eksWebhook(),
      otherWebhook('istio-sidecar-injector'),
      otherWebhook('vault-agent-injector'),
      otherWebhook('cert-manager'),
    ]),
  ]),
  of('own webhook without region and STS', [
    ...right(web, { region: '', sts: false }),
    listOf('MutatingWebhookConfiguration', [ownWebhook()]),
  ]),
  of('own webhook by itself', [...right(karpenter, { region: '', sts: false }), ownWebhook()]),
  of('own webhook and EKS beside it', [
    ...right(web),
    namespaceObject('shop'),
    listOf('MutatingWebhookConfiguration', [
      ownWebhook({
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['other'] }],
        },
      }),
      eksWebhook(),
    ]),
  ]),
  // meshes and injectors behind the webhook
  ...Object.entries({
    istio: s.istio,
    istioNative: s.istioNative,
    renamedIstio: s.renamedIstio,
    linkerd: s.linkerd,
    linkerdNative: s.linkerdNative,
    vault: s.vault,
    consul: s.consul,
    kuma: s.kuma,
    otel: s.otel,
    datadog: s.datadog,
  }).map(([name, later]) => of(`${name} after the webhook`, [webAccount, withLater(irsaWeb, later)])),
  of('istio, injected by reinvocation', [webAccount, withIrsa(withLater(web.bare, s.istio), { role: role('orders') })]),
  of('istio ambient', [
    webAccount,
    withMetadata(irsaWeb, { annotations: { 'ambient.istio.io/redirection': 'enabled' } }),
  ]),
  of('istio and vault', [webAccount, withLater(withLater(irsaWeb, s.vault), s.istio)]),
  of('istio gateway without AWS', [
    account('istio-ingress/istio-ingress'),
    stored('istio-ingress/istio-ingress-7d9c5b8f4-x2x8z', {
      serviceAccountName: 'istio-ingress',
      containers: [{ name: 'istio-proxy', image: 'docker.io/istio/proxyv2:1.24.2' }],
    }),
  ]),
  of('appmesh envoy', [
    webAccount,
    withLater(irsaWeb, {
      containers: [
        {
          name: 'envoy',
          image: '840364872350.dkr.ecr.eu-west-1.amazonaws.com/aws-appmesh-envoy:v1.29',
          env: literal({
            APPMESH_VIRTUAL_NODE_NAME: 'mesh/x/virtualNode/y',
            AWS_REGION: 'eu-west-1',
            AWS_ROLE_ARN: role('orders'),
            AWS_WEB_IDENTITY_TOKEN_FILE: `${TOKEN_PATH}/token`,
          }),
          volumeMounts: [{ name: 'aws-iam-token', mountPath: TOKEN_PATH, readOnly: true }],
        },
      ],
      initContainers: [
        {
          name: 'proxyinit',
          image: '840364872350.dkr.ecr.eu-west-1.amazonaws.com/aws-appmesh-proxy-route-manager:v7-prod',
        },
      ],
      annotations: { 'appmesh.k8s.aws/sidecarInjectorWebhook': 'enabled' },
    }),
  ]),
  // pods without any identity, rightly
  of('nginx as default', [account('shop/default'), plain('shop/nginx-6b64ff6ff6-5fbtg', 'nginx:1.27')]),
  of('coredns and kube-proxy', [
    account('kube-system/coredns'),
    account('kube-system/kube-proxy'),
    stored('kube-system/coredns-6b64ff6ff6-5fbtg', {
      serviceAccountName: 'coredns',
      containers: [{ name: 'coredns', image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/coredns:v1.11.4' }],
    }),
    stored(
      'kube-system/kube-proxy-8hx2k',
      {
        serviceAccountName: 'kube-proxy',
        hostNetwork: true,
        containers: [
          { name: 'kube-proxy', image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.31' },
        ],
      },
      { owner: 'DaemonSet' },
    ),
  ]),
  of('aws-node on the role of the node', [
    account('kube-system/aws-node'),
    stored(
      'kube-system/aws-node-8hx2k',
      {
        serviceAccountName: 'aws-node',
        hostNetwork: true,
        initContainers: [
          {
            name: 'aws-vpc-cni-init',
            image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni-init:v1.19.2',
          },
        ],
        containers: [
          {
            name: 'aws-node',
            image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.19.2',
            env: literal({
              AWS_VPC_ENI_MTU: '9001',
              AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER: 'false',
              AWS_VPC_CNI_NODE_PORT_SUPPORT: 'true',
              CLUSTER_NAME: 'prod',
              VPC_ID: 'vpc-1',
            }),
          },
          {
            name: 'aws-eks-nodeagent',
            image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon/aws-network-policy-agent:v1.1.6',
          },
        ],
      },
      { owner: 'DaemonSet' },
    ),
  ]),
  of('ebs-csi-node', [
    account('kube-system/ebs-csi-node-sa'),
    stored(
      'kube-system/ebs-csi-node-8hx2k',
      {
        serviceAccountName: 'ebs-csi-node-sa',
        containers: [
          {
            name: 'ebs-plugin',
            image: 'public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1.38.1',
            args: ['node', '--endpoint=$(CSI_ENDPOINT)'],
            env: literal({ CSI_ENDPOINT: 'unix:/csi/csi.sock' }),
          },
          {
            name: 'node-driver-registrar',
            image: 'public.ecr.aws/eks-distro/kubernetes-csi/node-driver-registrar:v2.13.0',
          },
        ],
      },
      { owner: 'DaemonSet' },
    ),
  ]),
  of('node-exporter', [
    account('monitoring/node-exporter'),
    stored(
      'monitoring/node-exporter-8hx2k',
      {
        serviceAccountName: 'node-exporter',
        hostNetwork: true,
        hostPID: true,
        containers: [{ name: 'node-exporter', image: 'quay.io/prometheus/node-exporter:v1.8.2' }],
      },
      { owner: 'DaemonSet' },
    ),
  ]),
  of('default beside a program with a role', [
    ...right(web),
    account('shop/default'),
    plain('shop/nginx-6b64ff6ff6-5fbtg', 'nginx:1.27'),
  ]),
  of('redis with its own unannotated account beside a program with a role', [
    ...right(web),
    account('shop/redis'),
    stored(
      'shop/redis-master-0',
      { serviceAccountName: 'redis', containers: [{ name: 'redis', image: 'docker.io/bitnami/redis:7.4' }] },
      { owner: 'StatefulSet' },
    ),
  ]),
  of(
    'keys for an S3 of its own, no role anywhere',
    one(
      withEnv(
        web.bare,
        'app',
        literal({
          AWS_ACCESS_KEY_ID: 'minio',
          AWS_SECRET_ACCESS_KEY: 'minio123',
          AWS_ENDPOINT_URL: 'http://minio:9000',
          AWS_REGION: 'us-east-1',
        }),
      ),
      'shop/orders',
    ),
  ),
  of(
    'localstack keys',
    one(
      withEnv(
        web.bare,
        'app',
        literal({ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_DEFAULT_REGION: 'us-east-1' }),
      ),
      'shop/orders',
    ),
  ),
  of(
    'profile of a mounted file, no role',
    one(
      withSpec(
        inContainer(web.bare, 'app', (c) => ({
          ...c,
          env: literal({
            AWS_PROFILE: 'orders',
            AWS_REGION: 'eu-west-1',
            AWS_SHARED_CREDENTIALS_FILE: '/aws/credentials',
          }),
          volumeMounts: [{ name: 'aws', mountPath: '/aws' }],
        })),
        { volumes: [{ name: 'aws', secret: { secretName: 'aws-credentials' } }] },
      ),
      'shop/orders',
    ),
  ),
  of('keys by envFrom of a known Secret, no role', [
    account('shop/orders'),
    secret('shop/aws', { AWS_ACCESS_KEY_ID: 'eA==', AWS_SECRET_ACCESS_KEY: 'eA==', AWS_REGION: 'eA==' }),
    inContainer(web.bare, 'app', (c) => ({ ...c, envFrom: [{ secretRef: { name: 'aws' } }] })),
  ]),
  of(
    'credentials of an agent on loopback',
    one(
      withEnv(
        web.bare,
        'app',
        literal({ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:9911/creds', AWS_REGION: 'eu-west-1' }),
      ),
      'shop/orders',
    ),
  ),
  of(
    'opted out and without role',
    one(withMetadata(web.bare, { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } }), 'shop/orders'),
  ),
  of(
    'empty role-arn of a chart, no AWS',
    one(plain('shop/grafana-6b64ff6ff6-5fbtg', 'grafana/grafana:11'), 'shop/default', { [ROLE_KEY]: '' }),
  ),
  of('excluded namespace, no AWS in it', [
    account('kube-system/metrics-server'),
    stored('kube-system/metrics-server-6b64ff6ff6-5fbtg', {
      serviceAccountName: 'metrics-server',
      containers: [{ name: 'metrics-server', image: 'registry.k8s.io/metrics-server/metrics-server:v0.7.2' }],
    }),
    namespaceObject('kube-system'),
    listOf('MutatingWebhookConfiguration', [
      ownWebhook({
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] }],
        },
      }),
    ]),
  ]),
  of('no webhook at all, no AWS at all', [
    account('shop/default'),
    plain('shop/nginx-6b64ff6ff6-5fbtg', 'nginx:1.27'),
    listOf('MutatingWebhookConfiguration', []),
  ]),
  of('static kube-apiserver', [
    stored(
      'kube-system/kube-apiserver-cp1',
      { hostNetwork: true, containers: [{ name: 'kube-apiserver', image: 'registry.k8s.io/kube-apiserver:v1.32.0' }] },
      {
        owner: 'Node',
        annotations: {
          'kubernetes.io/config.mirror': 'a1b2',
          'kubernetes.io/config.source': 'file',
          'kubernetes.io/config.hash': 'a1b2',
        },
      },
    ),
  ]),
  of('static etcd-manager with AWS settings', [
    stored(
      'kube-system/etcd-manager-main-i-0abc',
      {
        hostNetwork: true,
        containers: [
          {
            name: 'etcd-manager',
            image: 'registry.k8s.io/etcd-manager/etcd-manager-slim:v3',
            env: literal({ AWS_REGION: 'eu-west-1' }),
          },
        ],
      },
      { owner: 'Node', annotations: { 'kubernetes.io/config.mirror': 'a1b2' } },
    ),
  ]),
  // identity of other makers
  ...(['web', 'ebsCsi', 'runner', 'spark'] as const).map((name) =>
    of(`${name} by EKS Pod Identity`, [account(s.SHAPES[name].account), withPodIdentity(s.SHAPES[name].bare)]),
  ),
  of('pod identity with istio after it', [account('shop/orders'), withLater(withPodIdentity(web.bare), s.istio)]),
  of('pod identity, opted out of IRSA', [
    account('shop/orders'),
    withMetadata(withPodIdentity(web.bare), { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } }),
  ]),
  of('token mounted by hand elsewhere', one(byHand(web.bare, 'app', '/var/run/secrets/aws'), 'shop/orders')),
  of("token mounted by hand at the webhook's path", one(byHand(web.bare, 'app', TOKEN_PATH), 'shop/orders')),
  of(
    'token by hand in one of two containers',
    one(byHand(loki.bare, 'loki', '/var/run/secrets/aws'), 'monitoring/loki'),
  ),
  of(
    'token by hand with a path of its own',
    one(
      inContainer(
        withSpec(web.bare, {
          volumes: [
            {
              name: 'web-identity',
              projected: {
                defaultMode: 420,
                sources: [
                  {
                    serviceAccountToken: {
                      audience: 'sts.amazonaws.com',
                      expirationSeconds: 7200,
                      path: 'aws/web-identity-token',
                    },
                  },
                ],
              },
            },
          ],
        }),
        'app',
        (c) => ({
          ...c,
          env: [...tokenVars('/tokens/aws/web-identity-token'), { name: 'AWS_REGION', value: 'eu-west-1' }],
          volumeMounts: [{ name: 'web-identity', mountPath: '/tokens' }],
        }),
      ),
      'shop/orders',
    ),
  ),
  of(
    'openshift operator by credentials file',
    one(
      inContainer(
        withSpec(web.bare, {
          volumes: [
            {
              name: 'bound-sa-token',
              projected: {
                defaultMode: 420,
                sources: [{ serviceAccountToken: { audience: 'openshift', expirationSeconds: 3600, path: 'token' } }],
              },
            },
            { name: 'cloud', secret: { secretName: 'cloud-credentials' } },
          ],
        }),
        'app',
        (c) => ({
          ...c,
          env: literal({ AWS_SHARED_CREDENTIALS_FILE: '/var/run/secrets/cloud/credentials', AWS_SDK_LOAD_CONFIG: '1' }),
          volumeMounts: [
            { name: 'bound-sa-token', mountPath: '/var/run/secrets/openshift/serviceaccount', readOnly: true },
            { name: 'cloud', mountPath: '/var/run/secrets/cloud' },
          ],
        }),
      ),
      'shop/orders',
    ),
  ),
  of('vcluster', [
    account('vc-team-a/vc-sa-orders-x-shop-x-team-a', { [ROLE_KEY]: role('orders') }),
    withIrsa(
      stored(
        'vc-team-a/orders-7d9c5b8f4-x2x8z-x-shop-x-team-a',
        {
          serviceAccountName: 'vc-sa-orders-x-shop-x-team-a',
          automountServiceAccountToken: false,
          hostname: 'orders',
          containers: [{ name: 'app', image: 'registry.example.com/shop/orders:1.42.0' }],
        },
        {
          owner: 'Service',
          annotations: {
            'vcluster.loft.sh/name': 'orders-7d9c5b8f4-x2x8z',
            'vcluster.loft.sh/namespace': 'shop',
            'vcluster.loft.sh/service-account-name': 'orders',
          },
        },
      ),
      { role: role('orders') },
    ),
  ]),
  of('tekton step pods', [
    account('ci/builder', { [ROLE_KEY]: role('ci') }),
    withIrsa(
      stored(
        'ci/build-run-pod',
        {
          serviceAccountName: 'builder',
          initContainers: [
            { name: 'prepare', image: 'ghcr.io/tektoncd/pipeline/entrypoint:v0.65' },
            { name: 'place-scripts', image: 'cgr.dev/chainguard/busybox' },
          ],
          containers: [
            { name: 'step-build', image: 'gcr.io/kaniko-project/executor:v1.23.2' },
            { name: 'step-push', image: 'amazon/aws-cli:2.22.0' },
          ],
        },
        { owner: 'TaskRun', phase: 'Succeeded' },
      ),
      { role: role('ci') },
    ),
  ]),
  of('knative', [
    account('serving/model', { [ROLE_KEY]: role('model') }),
    withIrsa(
      stored('serving/model-00001-deployment-75744dbfd7-j5snf', {
        serviceAccountName: 'model',
        containers: [
          { name: 'user-container', image: 'registry.example.com/model:3' },
          { name: 'queue-proxy', image: 'gcr.io/knative-releases/queue:v1' },
        ],
      }),
      { role: role('model') },
    ),
  ]),
  of('fargate', [
    webAccount,
    withMetadata(irsaWeb, {
      annotations: { CapacityProvisioned: '0.25vCPU 0.5GB', Logging: 'LoggingEnabled' },
      labels: { 'eks.amazonaws.com/fargate-profile': 'shop' },
    }),
  ]),
  // regions, partitions
  of('china', [
    account('shop/orders', { [ROLE_KEY]: role('orders', 'aws-cn') }),
    withIrsa(web.bare, { ...CN, role: role('orders', 'aws-cn') }),
  ]),
  of('china with its own audience by annotation', [
    account('shop/orders', {
      [ROLE_KEY]: role('orders', 'aws-cn'),
      'eks.amazonaws.com/audience': 'sts.amazonaws.com.cn',
    }),
    withIrsa(web.bare, { role: role('orders', 'aws-cn'), region: 'cn-northwest-1', audience: 'sts.amazonaws.com.cn' }),
  ]),
  of('govcloud', [
    account('kube-system/karpenter', { [ROLE_KEY]: role('KarpenterController-prod', 'aws-us-gov') }),
    withIrsa(karpenter.bare, { role: role('KarpenterController-prod', 'aws-us-gov'), region: 'us-gov-west-1' }),
  ]),
  of('european sovereign cloud', [
    account('shop/orders', { [ROLE_KEY]: role('orders', 'aws-eusc') }),
    withIrsa(web.bare, { role: role('orders', 'aws-eusc'), region: 'eusc-de-east-1' }),
  ]),
  of('iso', [
    account('shop/orders', { [ROLE_KEY]: role('orders', 'aws-iso') }),
    withIrsa(web.bare, { role: role('orders', 'aws-iso'), region: 'us-iso-east-1' }),
  ]),
  of('mexico and israel', [...right(web, { region: 'mx-central-1' }), ...right(loki, { region: 'il-central-1' })]),
  of(
    'region by author: only AWS_REGION, flag of another',
    [webAccount, withIrsa(withEnv(web.bare, 'app', literal({ AWS_REGION: 'us-east-1' })), { role: role('orders') })],
    ['--aws-default-region=eu-west-1'],
  ),
  of('region by flag', right(web, { sts: false }), ['--aws-default-region=eu-west-1']),
  of(
    'region by ConfigMap key',
    [
      webAccount,
      withIrsa(
        withEnv(web.bare, 'app', [
          { name: 'AWS_REGION', valueFrom: { configMapKeyRef: { name: 'cluster', key: 'region' } } },
        ]),
        { role: role('orders') },
      ),
    ],
    ['--aws-default-region=eu-west-1'],
  ),
  of('region by label of the node', [
    webAccount,
    withIrsa(
      withEnv(web.bare, 'app', [
        {
          name: 'AWS_REGION',
          valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.labels['topology.kubernetes.io/region']" } },
        },
      ]),
      { role: role('orders') },
    ),
  ]),
  of('regional STS, region by envFrom of a known ConfigMap', [
    webAccount,
    configMap('shop/aws-env', { AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-1' }),
    withIrsa(
      inContainer(web.bare, 'app', (c) => ({ ...c, envFrom: [{ configMapRef: { name: 'aws-env' } }] })),
      { role: role('orders'), region: '' },
    ),
  ]),
  of('regional STS, envFrom of an unknown ConfigMap', [
    webAccount,
    withIrsa(
      inContainer(web.bare, 'app', (c) => ({ ...c, envFrom: [{ configMapRef: { name: 'aws-env' } }] })),
      { role: role('orders'), region: '' },
    ),
  ]),
  of('regional STS off everywhere', right(loki, { sts: false })),
  of(
    'account without regional STS',
    right(web, { sts: false, region: '' }, { 'eks.amazonaws.com/sts-regional-endpoints': 'false' }),
  ),
  of('account with regional STS', right(web, {}, { 'eks.amazonaws.com/sts-regional-endpoints': 'true' })),
  of('regional STS by flag', right(web), ['--sts-regional-endpoint', '--aws-default-region=eu-west-1']),
  // names, lifetimes, audiences, prefixes
  of("session name by the pod's name", [
    webAccount,
    withIrsa(
      withEnv(web.bare, 'app', [
        { name: 'AWS_ROLE_SESSION_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      ]),
      { role: role('orders') },
    ),
  ]),
  of('custom audience by flag', right(web, { audience: 'amazonaws.com' }), ['--token-audience=amazonaws.com']),
  of(
    'custom audience by annotation',
    right(web, { audience: 'sts.internal.example.com' }, { 'eks.amazonaws.com/audience': 'sts.internal.example.com' }),
  ),
  of(
    'custom prefix and path',
    [
      account('shop/orders', {
        'irsa.example.com/role-arn': role('orders'),
        'irsa.example.com/token-expiration': '7200',
      }),
      withIrsa(web.bare, {
        role: role('orders'),
        expiration: 7200,
        mountPath: '/var/run/secrets/irsa.example.com/serviceaccount',
        sts: false,
        region: '',
      }),
    ],
    ['--annotation-prefix=irsa.example.com', '--token-mount-path=/var/run/secrets/irsa.example.com/serviceaccount'],
  ),
  of('expiration of the account', right(web, { expiration: 3600 }, { 'eks.amazonaws.com/token-expiration': '3600' })),
  of(
    'expiration of exactly the least',
    right(web, { expiration: 600 }, { 'eks.amazonaws.com/token-expiration': '600' }),
  ),
  of('expiration with a sign', right(web, { expiration: 43_200 }, { 'eks.amazonaws.com/token-expiration': '+43200' })),
  of('expiration of the pod', [
    account('shop/orders', { [ROLE_KEY]: role('orders'), 'eks.amazonaws.com/token-expiration': '43200' }),
    withMetadata(withIrsa(web.bare, { role: role('orders'), expiration: 1800 }), {
      annotations: { 'eks.amazonaws.com/token-expiration': '1800' },
    }),
  ]),
  of('expiration by flag', right(web, { expiration: 3600 }), ['--token-expiration=3600']),
  of('role with a path', [
    account('shop/orders', { [ROLE_KEY]: role('teams/shop/orders') }),
    withIrsa(web.bare, { role: role('teams/shop/orders') }),
  ]),
  of(
    'role composed of a short name',
    [
      account('shop/orders', { [ROLE_KEY]: 'teams/shop/orders' }),
      withIrsa(web.bare, { role: role('teams/shop/orders'), sts: false, region: '' }),
    ],
    ['--compose-role-arn', '--aws-account-id=111122223333', '--aws-partition=aws'],
  ),
  of(
    'role of the ConfigMap',
    [
      account('shop/orders'),
      configMap('eks/pod-identity-webhook', {
        config: JSON.stringify({
          'shop/orders': {
            RoleARN: role('orders'),
            Audience: 'sts.amazonaws.com',
            UseRegionalSTS: true,
            TokenExpiration: 86_400,
          },
        }),
      }),
      irsaWeb,
    ],
    ['--watch-config-map'],
  ),
  // containers that need nothing, or have their own
  of('second container skipped', [
    webAccount,
    withMetadata(
      withIrsa(
        withSpec(web.bare, { containers: [...web.bare.spec.containers, { name: 'nginx', image: 'nginx:1.27' }] }),
        { role: role('orders'), except: ['nginx'] },
      ),
      { annotations: { 'eks.amazonaws.com/skip-containers': 'nginx' } },
    ),
  ]),
  of('istio skipped by name', [
    webAccount,
    withMetadata(withLater(irsaWeb, s.istio), {
      annotations: { 'eks.amazonaws.com/skip-containers': 'istio-proxy,istio-init' },
    }),
  ]),
  of('init and sidecar skipped, with blanks', [
    threeAccount,
    withMetadata(withIrsa(threeParts.bare, { ...threeRole, except: ['migrate', 'thumbnailer'] }), {
      annotations: { 'eks.amazonaws.com/skip-containers': 'migrate, thumbnailer' },
    }),
  ]),
  of('skip-containers names one that is not there', [
    webAccount,
    withMetadata(irsaWeb, { annotations: { 'eks.amazonaws.com/skip-containers': 'istio-proxy' } }),
  ]),
  of('a second role by the author, before the others', [
    threeAccount,
    withIrsa(
      withEnv(threeParts.bare, 'thumbnailer', literal({ AWS_ROLE_ARN: role('thumbnails'), LOG_LEVEL: 'info' })),
      threeRole,
    ),
  ]),
  of('two roles by a config file', [
    webAccount,
    withIrsa(
      withSpec(
        inContainer(web.bare, 'app', (c) => ({
          ...c,
          env: literal({ AWS_CONFIG_FILE: '/etc/aws/config', AWS_SDK_LOAD_CONFIG: 'true' }),
          volumeMounts: [{ name: 'aws-config', mountPath: '/etc/aws' }],
        })),
        { volumes: [{ name: 'aws-config', configMap: { name: 'aws-config' } }] },
      ),
      { role: role('orders') },
    ),
  ]),
  of('no IMDS', [
    webAccount,
    withIrsa(
      withEnv(
        web.bare,
        'app',
        literal({ AWS_EC2_METADATA_DISABLED: 'true', AWS_MAX_ATTEMPTS: '5', AWS_RETRY_MODE: 'adaptive' }),
      ),
      { role: role('orders') },
    ),
  ]),
  of('keys of another S3 under other names', [
    webAccount,
    withIrsa(withEnv(web.bare, 'app', literal({ MINIO_ACCESS_KEY_ID: 'x', S3_AWS_ACCESS_KEY_ID: 'y' })), {
      role: role('orders'),
    }),
  ]),
  of('empty keys and profile', [
    webAccount,
    withIrsa(withEnv(web.bare, 'app', literal({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_PROFILE: '' })), {
      role: role('orders'),
    }),
  ]),
  of('envFrom of a Secret without keys', [
    webAccount,
    secret('shop/db', { PGPASSWORD: 'eA==' }),
    withIrsa(
      inContainer(web.bare, 'app', (c) => ({ ...c, envFrom: [{ secretRef: { name: 'db' } }] })),
      { role: role('orders') },
    ),
  ]),
  of('envFrom of an unknown Secret', [
    webAccount,
    withIrsa(
      inContainer(web.bare, 'app', (c) => ({ ...c, envFrom: [{ secretRef: { name: 'db' } }] })),
      { role: role('orders') },
    ),
  ]),
  of('envFrom with a prefix', [
    webAccount,
    secret('shop/legacy', { AWS_ACCESS_KEY_ID: 'eA==', AWS_SECRET_ACCESS_KEY: 'eA==' }),
    withIrsa(
      inContainer(web.bare, 'app', (c) => ({ ...c, envFrom: [{ prefix: 'LEGACY_', secretRef: { name: 'legacy' } }] })),
      { role: role('orders') },
    ),
  ]),
  of('optional keys of a Secret that is not there, with the Secrets listed', [...right(ebsCsi), listOf('Secret', [])]),
  of('another projected token beside', [
    webAccount,
    withSpec(irsaWeb, {
      volumes: [
        ...(irsaWeb.spec.volumes ?? []),
        {
          name: 'vault-token',
          projected: {
            defaultMode: 420,
            sources: [{ serviceAccountToken: { audience: 'vault', expirationSeconds: 900, path: 'token' } }],
          },
        },
      ],
    }),
  ]),
  of('our volume under its second name', [
    webAccount,
    {
      ...inContainer(irsaWeb, 'app', (c) => ({
        ...c,
        volumeMounts: (c.volumeMounts ?? []).map((m) =>
          m.name === 'aws-iam-token' ? { ...m, name: 'aws-iam-token-2' } : m,
        ),
      })),
      spec: {
        ...inContainer(irsaWeb, 'app', (c) => ({
          ...c,
          volumeMounts: (c.volumeMounts ?? []).map((m) =>
            m.name === 'aws-iam-token' ? { ...m, name: 'aws-iam-token-2' } : m,
          ),
        })).spec,
        volumes: [
          {
            name: 'aws-iam-token-2',
            projected: {
              defaultMode: 420,
              sources: [
                { serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' } },
              ],
            },
          },
          { name: 'aws-iam-token', secret: { secretName: 'legacy-token' } },
        ],
      },
    },
  ]),
  of('debug session that is over', [
    webAccount,
    ephemeral(
      irsaWeb,
      { name: 'debugger-8xk2v', image: 'amazon/aws-cli:2.22.0', stdin: true, tty: true, targetContainerName: 'app' },
      { terminated: { exitCode: 0, reason: 'Completed' } },
    ),
  ]),
  of('debug session with the identity', [
    webAccount,
    ephemeral(irsaWeb, {
      name: 'debugger-8xk2v',
      image: 'amazon/aws-cli:2.22.0',
      env: [...literal({ AWS_REGION: 'eu-west-1' }), ...tokenVars(`${TOKEN_PATH}/token`)],
      volumeMounts: [{ name: 'aws-iam-token', mountPath: TOKEN_PATH, readOnly: true }],
    }),
  ]),
  of('debug session in a pod without AWS', [
    account('shop/default'),
    ephemeral(plain('shop/nginx-6b64ff6ff6-5fbtg', 'nginx:1.27'), { name: 'debugger-8xk2v', image: 'busybox:1.37' }),
  ]),
  // who may read the token
  of('one user of all', [webAccount, withIrsa(user(web.bare, { app: { runAsUser: 1000 } }), { role: role('orders') })]),
  of('one user of all, mode 0400', [
    webAccount,
    withIrsa(user(web.bare, { app: { runAsUser: 1000, runAsNonRoot: true } }), { role: role('orders'), mode: 256 }),
  ]),
  of('one user by the pod, mode 0400', [
    threeAccount,
    withIrsa(withSpec(twoUsers, { securityContext: { runAsUser: 1000 } }), { ...threeRole, mode: 256 }),
  ]),
  of('many users, mode 0644', [
    threeAccount,
    withIrsa(
      user(twoUsers, {
        migrate: { runAsUser: 0 },
        uploader: { runAsUser: 101 },
        transcoder: { runAsUser: 1000 },
        thumbnailer: { runAsUser: 2000 },
      }),
      threeRole,
    ),
  ]),
  of('many users, mode 0400, fsGroup', [
    threeAccount,
    withIrsa(
      withSpec(user(twoUsers, { uploader: { runAsUser: 101 }, transcoder: { runAsUser: 1000 } }), {
        securityContext: { fsGroup: 2000 },
      }),
      { ...threeRole, mode: 256 },
    ),
  ]),
  of('many users, mode 0440, group of root', [
    threeAccount,
    withIrsa(
      inEach(withSpec(twoUsers, {}), (c) => ({
        ...c,
        securityContext: { runAsUser: c.name === 'migrate' ? 0 : 1000, runAsGroup: 0 },
      })),
      { ...threeRole, mode: 288 },
    ),
  ]),
  of('many users, mode 0440, supplemental group of root', [
    threeAccount,
    withIrsa(
      withSpec(
        inEach(twoUsers, (c) => ({
          ...c,
          securityContext: { runAsUser: c.name === 'migrate' ? 0 : 1000, runAsGroup: 1000 },
        })),
        { securityContext: { supplementalGroups: [0, 4000] } },
      ),
      { ...threeRole, mode: 288 },
    ),
  ]),
  of('mode 0400 and users that only the images know', [
    webAccount,
    withIrsa(web.bare, { role: role('orders'), mode: 256 }),
  ]),
  of('runAsNonRoot without a number, mode 0644', [
    webAccount,
    withIrsa(user(web.bare, { app: { runAsNonRoot: true } }), { role: role('orders') }),
  ]),
  of('root of all, mode 0600', [
    webAccount,
    withIrsa(user(web.bare, { app: { runAsUser: 0 } }), { role: role('orders'), mode: 384 }),
  ]),
  of('fsGroup with OnRootMismatch and supplemental groups', [
    webAccount,
    withIrsa(
      withSpec(user(web.bare, { app: { runAsUser: 1000, runAsGroup: 3000 } }), {
        securityContext: {
          fsGroup: 2000,
          fsGroupChangePolicy: 'OnRootMismatch',
          supplementalGroups: [4000],
          supplementalGroupsPolicy: 'Strict',
        },
      }),
      { role: role('orders') },
    ),
  ]),
  of('mesh of another user, mode 0644', [
    webAccount,
    withLater(withIrsa(user(web.bare, { app: { runAsUser: 1000 } }), { role: role('orders') }), s.istio),
  ]),
  // pods at the ends of their lives
  of('completed job', [
    account('batch/exporter', { [ROLE_KEY]: role('nightly-export') }),
    withIrsa({ ...nightly.bare, status: { phase: 'Succeeded' } }, { role: role('nightly-export') }),
  ]),
  of('completed job older than the annotation', [
    account(
      'batch/exporter',
      { [ROLE_KEY]: role('nightly-export') },
      { annotated: '2026-06-01T00:00:00Z', manager: 'kubectl-annotate' },
    ),
    { ...nightly.bare, status: { phase: 'Succeeded' } },
  ]),
  of('completed job with the role of before', [
    account(
      'batch/exporter',
      { [ROLE_KEY]: role('nightly-export-v2') },
      { annotated: '2026-06-01T00:00:00Z', manager: 'kubectl-annotate' },
    ),
    withIrsa({ ...nightly.bare, status: { phase: 'Succeeded' } }, { role: role('nightly-export') }),
  ]),
  of('helm hook', [
    webAccount,
    withIrsa(
      stored(
        'shop/orders-migrate-5-abcde',
        {
          serviceAccountName: 'orders',
          containers: [{ name: 'migrate', image: 'registry.example.com/shop/orders:1.42.0' }],
        },
        {
          owner: 'Job',
          phase: 'Succeeded',
          annotations: { 'helm.sh/hook': 'pre-upgrade', 'helm.sh/hook-delete-policy': 'before-hook-creation' },
        },
      ),
      { role: role('orders') },
    ),
  ]),
  of('pending', [
    webAccount,
    withSpec(
      withIrsa(
        stored(
          'shop/orders-7d9c5b8f4-x2x8z',
          { serviceAccountName: 'orders', containers: web.bare.spec.containers },
          { phase: 'Pending' },
        ),
        { role: role('orders') },
      ),
      { nodeName: undefined },
    ),
  ]),
  of('no automount', [webAccount, withSpec(irsaWeb, { automountServiceAccountToken: false })]),
  of('account touched after the pod was made', [
    account('shop/orders', { [ROLE_KEY]: role('orders') }, { annotated: '2026-06-01T00:00:00Z', manager: 'helm' }),
    irsaWeb,
  ]),
  of('account made anew after the pod', [
    account('shop/orders', { [ROLE_KEY]: role('orders') }, { created: '2026-06-01T00:00:00Z' }),
    irsaWeb,
  ]),
  of('pod whose account is not given', [irsaWeb]),
  of('pod without identity whose account is not given', [web.bare]),
  of('account with a role and no pods', [webAccount]),
  of('two namespaces with accounts of the same name', [
    webAccount,
    account('test/orders'),
    irsaWeb,
    stored('test/orders-7d9c5b8f4-x2x8z', {
      serviceAccountName: 'orders',
      containers: [{ name: 'app', image: 'nginx:1.27' }],
    }),
  ]),
  of('a whole cluster', [...crowd, ...right(web)]),
  of('a whole cluster as one List', [pods(...crowd.filter((o) => !('items' in o)), ...right(web))]),
  of('accounts of one namespace, pods of all', [
    listOf('ServiceAccount', [ann(web)]),
    right1(web),
    right1(loki),
    plain('batch/nginx-1-abcde', 'nginx'),
  ]),
  of('pod identity agent', [
    account('kube-system/default'),
    node(
      'kube-system/eks-pod-identity-agent-2k4xz',
      'default',
      [
        {
          name: 'eks-pod-identity-agent',
          image: 'x.amazonaws.com/eks/eks-pod-identity-agent:v0.1.25',
          env: literal({ AWS_REGION: 'eu-west-1' }),
        },
      ],
      {
        initContainers: [
          { name: 'eks-pod-identity-agent-init', image: 'x.amazonaws.com/eks/eks-pod-identity-agent:v0.1.25' },
        ],
      },
    ),
  ]),
  of('ebs-csi-node', [
    account('kube-system/ebs-csi-node-sa'),
    node('kube-system/ebs-csi-node-8hx2k', 'ebs-csi-node-sa', [
      { name: 'ebs-plugin', image: 'public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1.38.1' },
      { name: 'liveness-probe', image: 'public.ecr.aws/x/livenessprobe' },
    ]),
  ]),
  of('efs-csi-node with a role', [
    account('kube-system/efs-csi-node-sa', { [ROLE_KEY]: role('efs') }),
    withIrsa(
      node('kube-system/efs-csi-node-8hx2k', 'efs-csi-node-sa', [
        { name: 'efs-plugin', image: 'amazon/aws-efs-csi-driver:v2.1', securityContext: { privileged: true } },
      ]),
      { role: role('efs') },
    ),
  ]),
  of('datadog agent', [
    account('monitoring/datadog'),
    stored(
      'monitoring/datadog-abcde',
      { serviceAccountName: 'datadog', containers: [{ name: 'agent', image: 'gcr.io/datadoghq/agent:7' }] },
      { owner: 'DaemonSet' },
    ),
  ]),
  of("role by the author, equal to the account's", [
    ann(web),
    withIrsa(withEnv(web.bare, 'app', literal({ AWS_ROLE_ARN: role('orders') })), { role: role('orders') }),
  ]),
  of('include-containers', [
    ann(loki),
    withMetadata(right1(loki, { except: ['loki-sc-rules'] }), {
      annotations: { 'eks.amazonaws.com/include-containers': 'loki' },
    }),
  ]),
  of('session name by annotation', [
    ann(web, { 'eks.amazonaws.com/role-session-name': 'true' }),
    withEnv(right1(web), 'app', [
      { name: 'AWS_ROLE_SESSION_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ]),
  ]),
  of('evicted', [ann(web), { ...right1(web), status: { phase: 'Failed', reason: 'Evicted' } }]),
  of('terminating, with the role of before', [
    account(web.account, { [ROLE_KEY]: role('orders-v2') }, { annotated: '2026-06-01T00:00:00Z' }),
    {
      ...right1(web),
      metadata: { ...right1(web).metadata, deletionTimestamp: '2026-06-01T00:00:10Z', deletionGracePeriodSeconds: 30 },
    },
    {
      ...withIrsa(
        stored(
          'shop/orders-bbbbbbbbb-zzzzz',
          { serviceAccountName: 'orders', containers: web.bare.spec.containers },
          { created: '2026-06-01T00:00:05Z' },
        ),
        { role: role('orders-v2') },
      ),
    },
  ]),
  of('terminating, from before the annotation', [
    ann(web, {}, { annotated: '2026-06-01T00:00:00Z' }),
    { ...web.bare, metadata: { ...web.bare.metadata, deletionTimestamp: '2026-06-01T00:00:10Z' } },
    withIrsa(
      stored(
        'shop/orders-bbbbbbbbb-zzzzz',
        { serviceAccountName: 'orders', containers: web.bare.spec.containers },
        { created: '2026-06-01T00:00:05Z' },
      ),
      { role: role('orders') },
    ),
  ]),
  of('STS legacy by the author', [
    ann(web),
    withIrsa(withEnv(web.bare, 'app', literal({ AWS_STS_REGIONAL_ENDPOINTS: 'legacy' })), {
      role: role('orders'),
      region: '',
    }),
  ]),
  of(
    'by hand, with another audience by flag',
    [account(web.account), byHand(web.bare, 'app', '/var/run/secrets/aws')],
    ['--token-audience=amazonaws.com'],
  ),
  of('by hand, role of a Secret', [
    account(web.account),
    inContainer(byHand(web.bare, 'app', '/var/run/secrets/aws'), 'app', (c) => ({
      ...c,
      env: (c.env ?? []).map((v) =>
        v.name === 'AWS_ROLE_ARN' ? { name: v.name, valueFrom: { secretKeyRef: { name: 'aws', key: 'role' } } } : v,
      ),
    })),
  ]),
  of('by hand, with other sources in the volume', [
    account(web.account),
    withSpec(byHand(web.bare, 'app', '/creds'), {
      volumes: [
        {
          name: 'aws-token',
          projected: {
            defaultMode: 420,
            sources: [
              { configMap: { name: 'ca' } },
              { serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 3600, path: 'token' } },
            ],
          },
        },
      ],
    }),
  ]),
  of("by hand, of the webhook's account that is skipped", [
    ann(web),
    withMetadata(byHand(web.bare, 'app', '/creds'), {
      labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' },
    }),
  ]),
  of('odd role name', [
    account(web.account, { [ROLE_KEY]: role('a/b.c/Orders+x=1,y@z_-.q') }),
    withIrsa(web.bare, { role: role('a/b.c/Orders+x=1,y@z_-.q') }),
  ]),
  of('expiration that is none', [ann(web, { 'eks.amazonaws.com/token-expiration': '1h' }), right1(web)]),
  of('regional that is none', [ann(web, { 'eks.amazonaws.com/sts-regional-endpoints': 'yes' }), right1(web)]),
  of('gitlab build pod', [
    account('ci/gitlab', { [ROLE_KEY]: role('ci') }),
    withIrsa(
      stored(
        'ci/runner-x-project-1-concurrent-0-abcde',
        {
          serviceAccountName: 'gitlab',
          initContainers: [{ name: 'init-permissions', image: 'gitlab/gitlab-runner-helper' }],
          containers: [
            { name: 'build', image: 'amazon/aws-cli' },
            { name: 'helper', image: 'gitlab/gitlab-runner-helper' },
          ],
        },
        { owner: '' },
      ),
      { role: role('ci') },
    ),
  ]),
  of('istio and linkerd pods without AWS in a crowd', [
    ...crowd,
    account('web/front'),
    withLater(
      stored('web/front-6b64ff6ff6-5fbtg', {
        serviceAccountName: 'front',
        containers: [{ name: 'front', image: 'registry.example.com/front:1' }],
      }),
      s.istio,
    ),
    withLater(
      stored('web/back-6b64ff6ff6-5fbtg', { containers: [{ name: 'back', image: 'registry.example.com/back:1' }] }),
      s.linkerd,
    ),
  ]),
  of('opted out in a crowd, without role', [
    ...crowd,
    account('web/front'),
    withMetadata(
      stored('web/front-6b64ff6ff6-5fbtg', {
        serviceAccountName: 'front',
        containers: [{ name: 'front', image: 'registry.example.com/front:1' }],
      }),
      { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } },
    ),
  ]),
  of('kube2iam in a crowd', [
    ...crowd,
    account('web/front'),
    withMetadata(
      stored('web/front-6b64ff6ff6-5fbtg', {
        serviceAccountName: 'front',
        containers: [
          { name: 'front', image: 'registry.example.com/front:1', env: literal({ AWS_REGION: 'eu-west-1' }) },
        ],
      }),
      { annotations: { 'iam.amazonaws.com/role': 'front' } },
    ),
  ]),
  of('migrating from kube2iam', [
    ann(web),
    withMetadata(right1(web), { annotations: { 'iam.amazonaws.com/role': 'orders' } }),
  ]),
  of('static keys of MinIO in a crowd', [
    ...crowd,
    account('web/front'),
    stored('web/front-6b64ff6ff6-5fbtg', {
      serviceAccountName: 'front',
      containers: [
        {
          name: 'front',
          image: 'registry.example.com/front:1',
          env: literal({
            AWS_ACCESS_KEY_ID: 'a',
            AWS_SECRET_ACCESS_KEY: 'b',
            AWS_ENDPOINT_URL_S3: 'http://minio:9000',
          }),
        },
      ],
    }),
  ]),
  of('istio-proxy of an ingress, alone, hostNetwork', [
    account('istio-ingress/gw'),
    stored('istio-ingress/gw-7d9c5b8f4-x2x8z', {
      serviceAccountName: 'gw',
      hostNetwork: true,
      containers: [{ name: 'istio-proxy', image: 'docker.io/istio/proxyv2:1.24.2' }],
    }),
  ]),
  of('vault agent, two pods of one program', [
    ann(web),
    withLater(right1(web), s.vault),
    withLater(
      withIrsa(
        stored('shop/orders-7d9c5b8f4-zzzzz', { serviceAccountName: 'orders', containers: web.bare.spec.containers }),
        { role: role('orders') },
      ),
      s.vault,
    ),
  ]),
  of('one user, init container too, mode 0400, istio of another user behind', [
    ann(web),
    withLater(
      withIrsa(user(web.bare, { app: { runAsUser: 1000 } }), { role: role('orders'), mode: 420 }),
      s.istioNative,
    ),
  ]),
  of('windows, hostProcess', [
    account('legacy/billing', { [ROLE_KEY]: role('billing') }),
    withIrsa(withSpec(windowsWeb.bare, { securityContext: { windowsOptions: { runAsUserName: 'ContainerUser' } } }), {
      role: role('billing'),
      windows: true,
      mode: 256,
    }),
  ]),
  of('pod identity beside an annotated account', [ann(web), withPodIdentity(web.bare)]),
  of('pod identity with later istio native', [
    account(web.account),
    withLater(withPodIdentity(web.bare), s.istioNative),
  ]),
  of('two accounts share a role', [
    ann(web),
    account('shop/orders-worker', { [ROLE_KEY]: role('orders') }),
    right1(web),
    withIrsa(
      stored('shop/orders-worker-7d9c5b8f4-x2x8z', {
        serviceAccountName: 'orders-worker',
        containers: web.bare.spec.containers,
      }),
      { role: role('orders') },
    ),
  ]),
  of('staging copy without AWS beside production', [
    ann(web),
    right1(web),
    account('staging/orders'),
    withEnv(
      stored('staging/other-7d9c5b8f4-x2x8z', {
        serviceAccountName: 'orders',
        containers: [{ name: 'x', image: 'nginx' }],
      }),
      'x',
      [],
    ),
  ]),
  of('accounts of one namespace, and a pod of another that names AWS', [
    listOf('ServiceAccount', [ann(web)]),
    right1(web),
    withEnv(loki.bare, 'loki', literal({ AWS_REGION: 'eu-west-1' })),
  ]),
  of('keys and no role as default, beside an account that waits for its CronJob', [
    ...crowd,
    account('batch/default'),
    stored('batch/import-6b64ff6ff6-5fbtg', {
      containers: [{ name: 'import', image: 'rclone/rclone:1', env: literal({ AWS_ACCESS_KEY_ID: 'minio' }) }],
    }),
  ]),
  of('istio, with a status that somebody has cut', [
    ann(web),
    withLater(right1(web), { ...s.istio, annotations: { 'sidecar.istio.io/status': '{"initContainers":["is' } }),
  ]),
  of('a profile of a file that the author brings', [
    ann(web),
    withEnv(right1(web), 'app', literal({ AWS_PROFILE: 'reports', AWS_CONFIG_FILE: '/etc/aws/config' })),
  ]),
  of('profile and keys by references that may be void', [
    ann(web),
    inContainer(right1(web), 'app', (container) => ({
      ...container,
      envFrom: [{ secretRef: { name: 'aws-credentials', optional: true } }],
      env: [
        { name: 'AWS_PROFILE', valueFrom: { configMapKeyRef: { name: 'aws', key: 'profile', optional: true } } },
        { name: 'AWS_SECRET_ACCESS_KEY', valueFrom: { secretKeyRef: { optional: true } } },
        ...(container.env ?? []),
      ],
    })),
  ]),
  of('mode 0440, and a group of the image that is root’s', [
    ann(web),
    {
      ...right1(web, { mode: 0o440 }),
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'app', user: { linux: { uid: 1000, gid: 1000, supplementalGroups: [0, 1000] } } }],
      },
    },
  ]),
  of('opted out and without role, naming AWS', [
    account(web.account),
    withMetadata(withEnv(web.bare, 'app', literal({ AWS_REGION: 'eu-west-1' })), {
      labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' },
    }),
  ]),
  of('a database of Amazon’s, its registry, and no role, as default', [
    account('shop/default'),
    withSpec(
      withEnv(
        web.bare,
        'app',
        literal({
          DB_HOST: 'orders.abc.eu-west-1.rds.amazonaws.com',
          CACHE_HOST: 'orders.abc.cache.amazonaws.com',
          RUNNER_IMAGE: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/runner:1',
        }),
      ),
      { serviceAccountName: 'default' },
    ),
  ]),
  of('annotations of other clouds and other tools', [
    ann(web, {
      'azure.workload.identity/client-id': 'x',
      'iam.gke.io/gcp-service-account': 'x',
      'example.com/role': 'x',
    }),
    withMetadata(right1(web), {
      annotations: {
        'iam.amazonaws.com/session-name': 'x',
        'vpc.amazonaws.com/security-groups': 'x',
        'cloudwatch.aws.amazon.com/inject-java': 'true',
        'vault.hashicorp.com/role': 'x',
      },
    }),
  ]),
  of('a debug container in a pod that has its token by hand', [
    account(web.account),
    ephemeral(byHand(web.bare, 'app', '/var/run/secrets/aws'), { name: 'debugger-8xk2v', image: 'busybox:1.37' }),
  ]),
  of('a pod that has hardly anything', [
    ...crowd,
    ann(web),
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop' },
      spec: { containers: [{ env: [{}, { name: 'AWS_VPC_X', value: 'y' }], volumeMounts: [{}] }] },
    },
  ]),
];

describe('where everything is right', () => {
  test.each(HEALTHY)('nothing is reported: $name', async ({ objects, flags }) => {
    const { problems } = await diagnoseText(objects.map((each) => JSON.stringify(each)).join('\n'), ...flags);
    expect(problems).toEqual([]);
  });
});
