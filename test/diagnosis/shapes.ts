// Programs of real clusters as their charts make them, and what meshes and the like add to a pod.
import type { Container, Irsa, Pod, PodOptions, PodSpec, Variable } from './stored.ts';
import {
  account,
  eksWebhook,
  listOf,
  literal,
  namespaceObject,
  otherWebhook,
  plain,
  role,
  ROLE_KEY,
  stored,
  withIrsa,
} from './stored.ts';

export interface Shape {
  /** `NAMESPACE/NAME` of the ServiceAccount. */
  readonly account: string;
  readonly roleName: string;
  /** Name of its main container. */
  readonly main: string;
  readonly bare: Pod;
}

function shape(key: string, accountName: string, roleName: string, spec: PodSpec, options: PodOptions = {}): Shape {
  const [namespace = ''] = key.split('/');
  const bare = stored(key, { ...spec, serviceAccountName: accountName }, options);
  return { account: `${namespace}/${accountName}`, roleName, main: spec.containers[0]?.name ?? '', bare };
}

const nonRoot = { runAsNonRoot: true, runAsUser: 65_534, runAsGroup: 65_534 };
const hardened = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true };

export const web = shape('shop/orders-7d9c5b8f4-x2x8z', 'orders', 'orders', {
  containers: [
    { name: 'app', image: 'registry.example.com/shop/orders:1.42.0', env: [{ name: 'BUCKET', value: 'orders-prod' }] },
  ],
});

export const externalDns = shape('external-dns/external-dns-6b64ff6ff6-5fbtg', 'external-dns', 'external-dns', {
  containers: [
    {
      name: 'external-dns',
      image: 'registry.k8s.io/external-dns/external-dns:v0.15.0',
      args: ['--source=service', '--source=ingress', '--provider=aws', '--registry=txt', '--policy=upsert-only'],
      securityContext: { ...hardened, ...nonRoot },
    },
  ],
  securityContext: { fsGroup: 65_534, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
});

export const loadBalancer = shape(
  'kube-system/aws-load-balancer-controller-65b4f64d6c-h2vh4',
  'aws-load-balancer-controller',
  'alb-controller',
  {
    containers: [
      {
        name: 'aws-load-balancer-controller',
        image: 'public.ecr.aws/eks/aws-load-balancer-controller:v2.11.0',
        args: ['--cluster-name=prod', '--ingress-class=alb', '--aws-region=eu-west-1', '--aws-vpc-id=vpc-1'],
        securityContext: { ...hardened, runAsNonRoot: true },
        volumeMounts: [{ name: 'cert', mountPath: '/tmp/k8s-webhook-server/serving-certs', readOnly: true }],
      },
    ],
    volumes: [{ name: 'cert', secret: { defaultMode: 420, secretName: 'aws-load-balancer-tls' } }],
    securityContext: { fsGroup: 65_534 },
  },
);

export const karpenter = shape('kube-system/karpenter-5f4b7d9c6b-2xqzv', 'karpenter', 'KarpenterController-prod', {
  containers: [
    {
      name: 'controller',
      image: 'public.ecr.aws/karpenter/controller:1.2.1',
      env: [
        { name: 'KUBERNETES_MIN_VERSION', value: '1.19.0-0' },
        { name: 'SYSTEM_NAMESPACE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } } },
        {
          name: 'MEMORY_LIMIT',
          valueFrom: { resourceFieldRef: { containerName: 'controller', divisor: '0', resource: 'limits.memory' } },
        },
        { name: 'CLUSTER_NAME', value: 'prod' },
        { name: 'INTERRUPTION_QUEUE', value: 'prod' },
      ],
      securityContext: { ...hardened, runAsNonRoot: true, runAsUser: 65_532, runAsGroup: 65_532 },
    },
  ],
  securityContext: { fsGroup: 65_532 },
});

export const autoscaler = shape(
  'kube-system/cluster-autoscaler-aws-cluster-autoscaler-5545d4b97-9ztpm',
  'cluster-autoscaler',
  'cluster-autoscaler',
  {
    containers: [
      {
        name: 'aws-cluster-autoscaler',
        image: 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.31.0',
        command: ['./cluster-autoscaler', '--cloud-provider=aws', '--namespace=kube-system'],
        env: [
          { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } } },
          { name: 'AWS_REGION', value: 'eu-west-1' },
        ],
      },
    ],
  },
);

const csiSidecar = (name: string): Container => ({
  name,
  image: `public.ecr.aws/eks-distro/kubernetes-csi/external-${name}:v5.1.0`,
  args: ['--csi-address=$(ADDRESS)', '--v=2'],
  env: [{ name: 'ADDRESS', value: '/var/lib/csi/sockets/pluginproxy/csi.sock' }],
  volumeMounts: [{ name: 'socket-dir', mountPath: '/var/lib/csi/sockets/pluginproxy/' }],
  securityContext: hardened,
});
const optionalKey = (name: string, key: string): Variable => ({
  name,
  valueFrom: { secretKeyRef: { key, name: 'aws-secret', optional: true } },
});

/** Its chart names keys of a Secret that need not be there. */
export const ebsCsi = shape('kube-system/ebs-csi-controller-7f8d6b9c5d-lq7fp', 'ebs-csi-controller-sa', 'ebs-csi', {
  containers: [
    {
      name: 'ebs-plugin',
      image: 'public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver:v1.38.1',
      args: ['controller', '--endpoint=$(CSI_ENDPOINT)'],
      env: [
        { name: 'CSI_ENDPOINT', value: 'unix:///var/lib/csi/sockets/pluginproxy/csi.sock' },
        { name: 'CSI_NODE_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } },
        optionalKey('AWS_ACCESS_KEY_ID', 'key_id'),
        optionalKey('AWS_SECRET_ACCESS_KEY', 'access_key'),
        {
          name: 'AWS_EC2_ENDPOINT',
          valueFrom: { configMapKeyRef: { key: 'endpoint', name: 'aws-meta', optional: true } },
        },
      ],
      volumeMounts: [{ name: 'socket-dir', mountPath: '/var/lib/csi/sockets/pluginproxy/' }],
      securityContext: hardened,
    },
    ...['provisioner', 'attacher', 'snapshotter', 'resizer', 'liveness-probe'].map(csiSidecar),
  ],
  volumes: [{ name: 'socket-dir', emptyDir: {} }],
  securityContext: { fsGroup: 1000, runAsGroup: 1000, runAsNonRoot: true, runAsUser: 1000 },
});

export const fluentBit = shape(
  'logging/fluent-bit-8hx2k',
  'fluent-bit',
  'fluent-bit',
  {
    containers: [
      {
        name: 'fluent-bit',
        image: 'public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32.4',
        env: [
          {
            name: 'AWS_REGION',
            valueFrom: { configMapKeyRef: { key: 'logs.region', name: 'fluent-bit-cluster-info' } },
          },
          {
            name: 'CLUSTER_NAME',
            valueFrom: { configMapKeyRef: { key: 'cluster.name', name: 'fluent-bit-cluster-info' } },
          },
        ],
        volumeMounts: [
          { name: 'varlog', mountPath: '/var/log', readOnly: true },
          { name: 'config', mountPath: '/fluent-bit/etc/' },
        ],
      },
    ],
    hostNetwork: true,
    dnsPolicy: 'ClusterFirstWithHostNet',
    volumes: [
      { name: 'varlog', hostPath: { path: '/var/log', type: '' } },
      { name: 'config', configMap: { defaultMode: 420, name: 'fluent-bit-config' } },
    ],
  },
  { owner: 'DaemonSet' },
);

export const spark = shape(
  'data/etl-4f2a1b-driver',
  'spark',
  'spark-etl',
  {
    containers: [
      {
        name: 'spark-kubernetes-driver',
        image: 'registry.example.com/data/spark:3.5.1',
        args: ['driver', '--properties-file', '/opt/spark/conf/spark.properties'],
        env: [
          { name: 'SPARK_USER', value: 'root' },
          {
            name: 'SPARK_DRIVER_BIND_ADDRESS',
            valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } },
          },
        ],
      },
    ],
    securityContext: { runAsUser: 185 },
    volumes: [{ name: 'spark-conf-volume-driver', configMap: { defaultMode: 420, name: 'spark-drv-conf-map' } }],
  },
  { owner: '', labels: { 'spark-role': 'driver', 'spark-app-selector': 'spark-4f2a1b' } },
);

export const runner = shape(
  'ci/build-runner-xk9sl-runner-7bq5d',
  'ci-runner',
  'ci-runner',
  {
    initContainers: [
      {
        name: 'init-dind-externals',
        image: 'ghcr.io/actions/actions-runner:2.321.0',
        command: ['cp', '-r', '/home/runner/externals/.', '/home/runner/tmpDir/'],
      },
    ],
    containers: [
      {
        name: 'runner',
        image: 'ghcr.io/actions/actions-runner:2.321.0',
        command: ['/home/runner/run.sh'],
        env: [{ name: 'DOCKER_HOST', value: 'unix:///var/run/docker.sock' }],
      },
      { name: 'dind', image: 'docker:27-dind', securityContext: { privileged: true } },
    ],
  },
  { owner: 'EphemeralRunner' },
);

export const loki = shape(
  'monitoring/loki-write-0',
  'loki',
  'loki-storage',
  {
    containers: [
      {
        name: 'loki',
        image: 'docker.io/grafana/loki:3.3.2',
        args: ['-config.file=/etc/loki/config/config.yaml', '-target=write'],
        securityContext: hardened,
        volumeMounts: [{ name: 'data', mountPath: '/var/loki' }],
      },
      {
        name: 'loki-sc-rules',
        image: 'docker.io/kiwigrid/k8s-sidecar:1.28.0',
        env: [{ name: 'METHOD', value: 'WATCH' }],
      },
    ],
    securityContext: {
      fsGroup: 10_001,
      runAsGroup: 10_001,
      runAsNonRoot: true,
      runAsUser: 10_001,
      fsGroupChangePolicy: 'OnRootMismatch',
    },
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-loki-write-0' } }],
  },
  { owner: 'StatefulSet' },
);

export const nightly = shape(
  'batch/nightly-export-29123040-7v5kq',
  'exporter',
  'nightly-export',
  {
    initContainers: [{ name: 'fetch-schema', image: 'registry.example.com/batch/tools:7', command: ['/fetch'] }],
    containers: [
      { name: 'export', image: 'public.ecr.aws/aws-cli/aws-cli:2.22.0', args: ['s3', 'sync', '/out', 's3://exports'] },
    ],
  },
  { owner: 'Job', labels: { 'batch.kubernetes.io/job-name': 'nightly-export-29123040' } },
);

export const workflow = shape(
  'argo/report-jx4kd-process-118',
  'workflow',
  'argo-artifacts',
  {
    initContainers: [{ name: 'init', image: 'quay.io/argoproj/argoexec:v3.6.2', command: ['argoexec', 'init'] }],
    containers: [
      { name: 'wait', image: 'quay.io/argoproj/argoexec:v3.6.2', command: ['argoexec', 'wait'] },
      { name: 'main', image: 'registry.example.com/report:12', command: ['python', 'report.py'] },
    ],
  },
  { owner: 'Workflow' },
);

export const windowsWeb = shape('legacy/billing-5b5d7f9c8-m2hkw', 'billing', 'billing', {
  containers: [{ name: 'billing', image: 'registry.example.com/legacy/billing:9-ltsc2022' }],
  nodeSelector: { 'kubernetes.io/os': 'windows' },
  os: { name: 'windows' },
});

/** An application with a sidecar of its own, and a native one. */
export const threeParts = shape('media/transcoder-6c7d8e9f5-9wq4r', 'transcoder', 'media-transcoder', {
  initContainers: [
    { name: 'migrate', image: 'registry.example.com/media/transcoder:3', command: ['/migrate'] },
    { name: 'uploader', image: 'registry.example.com/media/uploader:3', restartPolicy: 'Always' },
  ],
  containers: [
    { name: 'transcoder', image: 'registry.example.com/media/transcoder:3' },
    { name: 'thumbnailer', image: 'registry.example.com/media/thumbnailer:3' },
  ],
});

export const SHAPES = {
  web,
  externalDns,
  loadBalancer,
  karpenter,
  autoscaler,
  ebsCsi,
  fluentBit,
  spark,
  runner,
  loki,
  nightly,
  workflow,
  threeParts,
} satisfies Readonly<Record<string, Shape>>;

/** The shape as the webhook makes it, with its account. */
export function right(
  of: Shape,
  irsa: Partial<Irsa> = {},
  annotations: Readonly<Record<string, string>> = {},
): object[] {
  return [
    account(of.account, { [ROLE_KEY]: irsa.role ?? role(of.roleName), ...annotations }),
    withIrsa(of.bare, { role: role(of.roleName), ...irsa }),
  ];
}

// ---- What meshes and injectors leave

const istioProxy: Container = {
  name: 'istio-proxy',
  image: 'docker.io/istio/proxyv2:1.24.2',
  args: ['proxy', 'sidecar', '--domain', '$(POD_NAMESPACE).svc.cluster.local'],
  env: [
    { name: 'PILOT_CERT_PROVIDER', value: 'istiod' },
    { name: 'ISTIO_META_CLUSTER_ID', value: 'Kubernetes' },
  ],
  securityContext: { ...hardened, runAsUser: 1337, runAsGroup: 1337, runAsNonRoot: true },
};
const istioStatus = (init: readonly string[], containers: readonly string[]): Record<string, string> => ({
  'sidecar.istio.io/status': JSON.stringify({
    initContainers: init,
    containers,
    volumes: ['workload-socket', 'istio-envoy', 'istio-token'],
    imagePullSecrets: null,
    revision: 'default',
  }),
});
export const istio = {
  containers: [istioProxy],
  initContainers: [
    { name: 'istio-init', image: 'docker.io/istio/proxyv2:1.24.2', args: ['istio-iptables', '-p', '15001'] },
  ],
  annotations: istioStatus(['istio-init'], ['istio-proxy']),
  labels: { 'security.istio.io/tlsMode': 'istio', 'service.istio.io/canonical-name': 'orders' },
};
export const istioNative = {
  initContainers: [...istio.initContainers, { ...istioProxy, restartPolicy: 'Always' }],
  annotations: istioStatus(['istio-init', 'istio-proxy'], []),
};
/** A mesh made of istio that names its containers by itself. */
export const renamedIstio = {
  containers: [{ ...istioProxy, name: 'mesh-proxy', image: 'registry.example.com/mesh/envoy:5' }],
  initContainers: [{ name: 'mesh-redirect', image: 'registry.example.com/mesh/redirect:5' }],
  annotations: istioStatus(['mesh-redirect'], ['mesh-proxy']),
};
const linkerdProxy: Container = {
  name: 'linkerd-proxy',
  image: 'cr.l5d.io/linkerd/proxy:edge-25.1.1',
  env: [{ name: 'LINKERD2_PROXY_LOG', value: 'warn' }],
  securityContext: { ...hardened, runAsUser: 2102 },
};
export const linkerd = {
  containers: [linkerdProxy],
  initContainers: [
    { name: 'linkerd-init', image: 'cr.l5d.io/linkerd/proxy-init:v2.4.1', securityContext: { runAsUser: 65_534 } },
  ],
  annotations: {
    'linkerd.io/created-by': 'linkerd/proxy-injector edge-25.1.1',
    'linkerd.io/proxy-version': 'edge-25.1.1',
    'linkerd.io/inject': 'enabled',
  },
  labels: { 'linkerd.io/control-plane-ns': 'linkerd', 'linkerd.io/proxy-deployment': 'orders' },
};
export const linkerdNative = {
  initContainers: [
    { name: 'linkerd-network-validator', image: 'cr.l5d.io/linkerd/proxy:edge-25.1.1' },
    { ...linkerdProxy, restartPolicy: 'Always' },
  ],
  annotations: linkerd.annotations,
  labels: linkerd.labels,
};
export const vault = {
  containers: [
    {
      name: 'vault-agent',
      image: 'hashicorp/vault:1.18.1',
      securityContext: { runAsUser: 100, runAsGroup: 1000, runAsNonRoot: true },
    },
  ],
  initContainers: [
    {
      name: 'vault-agent-init',
      image: 'hashicorp/vault:1.18.1',
      securityContext: { runAsUser: 100, runAsGroup: 1000 },
    },
  ],
  annotations: {
    'vault.hashicorp.com/agent-inject': 'true',
    'vault.hashicorp.com/agent-inject-status': 'injected',
    'vault.hashicorp.com/role': 'orders',
  },
};
export const consul = {
  containers: [{ name: 'consul-dataplane', image: 'hashicorp/consul-dataplane:1.6.0' }],
  initContainers: [{ name: 'consul-connect-inject-init', image: 'hashicorp/consul-k8s-control-plane:1.6.0' }],
  annotations: {
    'consul.hashicorp.com/connect-inject': 'true',
    'consul.hashicorp.com/connect-inject-status': 'injected',
  },
};
export const kuma = {
  containers: [{ name: 'kuma-sidecar', image: 'docker.io/kumahq/kuma-dp:2.9.2' }],
  initContainers: [{ name: 'kuma-init', image: 'docker.io/kumahq/kuma-init:2.9.2' }],
  annotations: { 'kuma.io/sidecar-injected': 'true', 'kuma.io/mesh': 'default' },
};
export const otel = {
  initContainers: [
    {
      name: 'opentelemetry-auto-instrumentation-java',
      image: 'ghcr.io/open-telemetry/opentelemetry-operator/autoinstrumentation-java:1.33.5',
    },
  ],
  annotations: { 'instrumentation.opentelemetry.io/inject-java': 'true' },
};
export const datadog = {
  initContainers: [
    { name: 'datadog-lib-java-init', image: 'gcr.io/datadoghq/dd-lib-java-init:v1' },
    { name: 'datadog-init-apm-inject', image: 'gcr.io/datadoghq/apm-inject:0' },
  ],
  annotations: { 'admission.datadoghq.com/java-lib.version': 'v1' },
  labels: { 'admission.datadoghq.com/enabled': 'true' },
};

export const node = (key: string, sa: string, containers: Container[], more: object = {}): Pod =>
  stored(
    key,
    { serviceAccountName: sa, hostNetwork: true, priorityClassName: 'system-node-critical', containers, ...more },
    { owner: 'DaemonSet' },
  );
/** A cluster in which everything is right. */
export const crowd: readonly object[] = [
  account('shop/default'),
  account('shop/redis'),
  account('shop/postgres'),
  account('kube-system/coredns'),
  account('kube-system/aws-node'),
  account('kube-system/default'),
  account('kube-system/metrics-server'),
  account('batch/backup', { [ROLE_KEY]: role('backup') }),
  plain('shop/nginx-6b64ff6ff6-5fbtg', 'nginx:1.27'),
  stored(
    'shop/redis-master-0',
    { serviceAccountName: 'redis', containers: [{ name: 'redis', image: 'docker.io/bitnami/redis:7.4' }] },
    { owner: 'StatefulSet' },
  ),
  stored(
    'shop/postgres-0',
    {
      serviceAccountName: 'postgres',
      containers: [{ name: 'postgres', image: 'postgres:17', envFrom: [{ secretRef: { name: 'pg' } }] }],
    },
    { owner: 'StatefulSet' },
  ),
  stored('kube-system/coredns-6b64ff6ff6-5fbtg', {
    serviceAccountName: 'coredns',
    priorityClassName: 'system-cluster-critical',
    containers: [{ name: 'coredns', image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/coredns:v1.11.4' }],
  }),
  stored('kube-system/metrics-server-6b64ff6ff6-5fbtg', {
    serviceAccountName: 'metrics-server',
    priorityClassName: 'system-cluster-critical',
    containers: [{ name: 'metrics-server', image: 'registry.k8s.io/metrics-server/metrics-server:v0.7.2' }],
  }),
  node('kube-system/aws-node-8hx2k', 'aws-node', [
    {
      name: 'aws-node',
      image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.19.2',
      env: literal({ AWS_VPC_ENI_MTU: '9001' }),
    },
  ]),
  node('kube-system/eks-pod-identity-agent-2k4xz', 'default', [
    {
      name: 'eks-pod-identity-agent',
      image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/eks-pod-identity-agent:v0.1.25',
      env: literal({ AWS_REGION: 'eu-west-1' }),
      args: ['--port', '80', '--cluster-name', 'prod'],
    },
  ]),
  ...right(externalDns),
  ...right(loki),
  ...right(nightly),
  ...['shop', 'kube-system', 'batch', 'external-dns', 'monitoring'].map((n) => namespaceObject(n)),
  listOf('MutatingWebhookConfiguration', [eksWebhook(), otherWebhook('istio')]),
];
