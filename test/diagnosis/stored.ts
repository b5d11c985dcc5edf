// Manifests as real clusters store them, with all that controllers, the API server and the kubelet leave on them, and what
// webhooks for identity make of a pod.

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}
export interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  readonly subPath?: string;
}
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly object[];
  readonly volumeMounts?: readonly Mount[];
  readonly securityContext?: object;
  readonly restartPolicy?: string;
  readonly [field: string]: unknown;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
}
export interface Volume {
  readonly name: string;
  readonly [source: string]: unknown;
}
export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly ephemeralContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly [field: string]: unknown;
}
export interface Pod {
  readonly apiVersion: 'v1';
  readonly kind: 'Pod';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly spec: PodSpec;
  readonly status?: object;
}

export const ACCOUNT_ID = '111122223333';
export const TOKEN_PATH = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
export const ROLE_KEY = 'eks.amazonaws.com/role-arn';

export function role(name: string, partition = 'aws'): string {
  return `arn:${partition}:iam::${ACCOUNT_ID}:role/${name}`;
}

// ---- ServiceAccounts and their surroundings

export interface AccountOptions {
  readonly created?: string;
  /** When the annotations were last written, and by whom. */
  readonly annotated?: string;
  readonly manager?: string;
  readonly operation?: 'Update' | 'Apply';
}

export function account(
  key: string,
  annotations: Readonly<Record<string, string>> = {},
  {
    created = '2026-01-10T07:00:00Z',
    annotated = created,
    manager = 'helm',
    operation = 'Update',
  }: AccountOptions = {},
): object {
  const [namespace = '', name = ''] = key.split('/');
  const fields = Object.fromEntries(Object.keys(annotations).map((annotation) => [`f:${annotation}`, {}]));
  const managed = (fieldsV1: object, time: string, by: string): object => ({
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1,
    manager: by,
    operation,
    time,
  });
  const ofAnnotations = { 'f:metadata': { 'f:annotations': { '.': {}, ...fields } } };
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name,
      namespace,
      annotations,
      creationTimestamp: created,
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      resourceVersion: '4711',
      uid: '0e0b3f0e-94c9-4a0f-8a51-37f2c3f7a1aa',
      managedFields: [
        ...(created === annotated
          ? []
          : [managed({ 'f:metadata': { 'f:labels': { '.': {} } } }, created, 'kubectl-create')]),
        ...(Object.keys(annotations).length === 0 ? [] : [managed(ofAnnotations, annotated, manager)]),
      ],
    },
  };
}

export function namespaceObject(name: string, labels: Readonly<Record<string, string>> = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { 'kubernetes.io/metadata.name': name, ...labels },
      creationTimestamp: '2025-12-01T00:00:00Z',
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

export function listOf(kind: string, items: readonly object[]): object {
  return {
    apiVersion: kind.startsWith('Mutating') ? 'admissionregistration.k8s.io/v1' : 'v1',
    kind: `${kind}List`,
    metadata: {},
    items,
  };
}

const PODS_RULE = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: '*' };

/** As EKS registers its own. */
export function eksWebhook(changes: object = {}): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'pod-identity-webhook', creationTimestamp: '2025-12-01T00:00:00Z' },
    webhooks: [
      {
        name: 'iam-for-pods.amazonaws.com',
        clientConfig: { url: 'https://127.0.0.1:23443/mutate', caBundle: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==' },
        admissionReviewVersions: ['v1beta1'],
        failurePolicy: 'Ignore',
        matchPolicy: 'Equivalent',
        reinvocationPolicy: 'IfNeeded',
        objectSelector: {
          matchExpressions: [{ key: 'eks.amazonaws.com/skip-pod-identity-webhook', operator: 'DoesNotExist' }],
        },
        namespaceSelector: {},
        rules: [PODS_RULE],
        sideEffects: 'None',
        timeoutSeconds: 10,
        ...changes,
      },
    ],
  };
}

/** As a chart registers it, behind a Service. */
export function ownWebhook(changes: object = {}): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'pod-identity-webhook.irsa', creationTimestamp: '2025-12-01T00:00:00Z' },
    webhooks: [
      {
        name: 'pod-identity-webhook.amazonaws.com',
        clientConfig: {
          service: { name: 'pod-identity-webhook', namespace: 'irsa', path: '/mutate', port: 443 },
          caBundle: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==',
        },
        admissionReviewVersions: ['v1', 'v1beta1'],
        failurePolicy: 'Ignore',
        namespaceSelector: {},
        objectSelector: {},
        rules: [PODS_RULE],
        sideEffects: 'None',
        timeoutSeconds: 5,
        ...changes,
      },
    ],
  };
}

/** Of a program that has nothing to do with AWS. */
export function otherWebhook(name: string): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: `inject.${name}.example.com`,
        clientConfig: { service: { name, namespace: name, path: '/inject', port: 443 }, caBundle: 'LS0tLS1C' },
        admissionReviewVersions: ['v1'],
        failurePolicy: 'Fail',
        rules: [PODS_RULE],
        sideEffects: 'None',
      },
    ],
  };
}

// ---- Pods

export interface PodOptions {
  readonly owner?: string | undefined;
  readonly created?: string;
  readonly phase?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly metadata?: object;
}

const API_ACCESS = 'kube-api-access-x7k2p';

/** What the API server, the scheduler and the kubelet make of a pod that a controller creates. */
export function stored(key: string, spec: PodSpec, options: PodOptions = {}): Pod {
  const [namespace = '', name = ''] = key.split('/');
  const { owner = 'ReplicaSet', created = '2026-05-04T08:00:00Z', phase = 'Running', annotations, labels } = options;
  const ownerName = name.replace(/-[a-z0-9]{5}$/, '');
  const isWindows = JSON.stringify(spec).includes('"windows"');
  const mountApi = (container: Container): Container => ({
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    resources: {},
    ...container,
    volumeMounts: [
      ...(container.volumeMounts ?? []),
      { name: API_ACCESS, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
    ],
  });
  const names = [...spec.containers, ...(spec.initContainers ?? [])];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      ...(annotations === undefined ? {} : { annotations }),
      labels: { 'app.kubernetes.io/name': ownerName, 'pod-template-hash': '6b64ff6ff6', ...labels },
      creationTimestamp: created,
      generateName: `${ownerName}-`,
      ...(owner === ''
        ? {}
        : {
            ownerReferences: [
              {
                apiVersion: 'apps/v1',
                blockOwnerDeletion: true,
                controller: true,
                kind: owner,
                name: ownerName,
                uid: 'e0c0d755',
              },
            ],
          }),
      resourceVersion: '41082',
      uid: '9f9bd5b3-c8b9-4325-a7e1-4037886ac233',
      managedFields: [
        {
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': {} },
          manager: 'kube-controller-manager',
          operation: 'Update',
          time: created,
        },
        {
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:status': {} },
          manager: 'kubelet',
          operation: 'Update',
          subresource: 'status',
          time: created,
        },
      ],
      ...options.metadata,
    },
    spec: {
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      nodeName: 'ip-10-0-3-17.eu-west-1.compute.internal',
      preemptionPolicy: 'PreemptLowerPriority',
      priority: 0,
      restartPolicy: owner === 'Job' ? 'Never' : 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
      tolerations: [
        { effect: 'NoExecute', key: 'node.kubernetes.io/not-ready', operator: 'Exists', tolerationSeconds: 300 },
      ],
      ...spec,
      serviceAccount: spec.serviceAccountName ?? 'default',
      serviceAccountName: spec.serviceAccountName ?? 'default',
      containers: spec.containers.map(mountApi),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(mountApi) }),
      volumes: [
        ...(spec.volumes ?? []),
        {
          name: API_ACCESS,
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
              {
                downwardAPI: {
                  items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
                },
              },
            ],
          },
        },
      ],
      ...(isWindows ? { dnsPolicy: 'ClusterFirst' } : {}),
    },
    status: {
      phase,
      qosClass: 'Burstable',
      startTime: created,
      containerStatuses: names.map(({ name: container, image }) => ({
        name: container,
        image,
        ready: phase === 'Running',
        restartCount: 0,
        state:
          phase === 'Succeeded'
            ? { terminated: { exitCode: 0, reason: 'Completed' } }
            : { running: { startedAt: created } },
      })),
    },
  };
}

// ---- What a webhook adds

export interface Irsa {
  readonly role: string;
  readonly region?: string | undefined;
  readonly sts?: boolean;
  readonly audience?: string;
  readonly expiration?: number;
  readonly mountPath?: string;
  readonly mode?: number;
  readonly windows?: boolean;
  /** Containers that got nothing. */
  readonly except?: readonly string[];
}

/** The pod after a webhook for IRSA: EKS's gives region and regional STS, one of one's own what its flags say. */
export function withIrsa(pod: Pod, irsa: Irsa): Pod {
  const { region = 'eu-west-1', sts = true, audience = 'sts.amazonaws.com', expiration = 86_400 } = irsa;
  const { mountPath = TOKEN_PATH, mode = 420, except = [] } = irsa;
  const file = irsa.windows === true ? `C:${mountPath.replaceAll('/', '\\')}\\token` : `${mountPath}/token`;
  const identified = (container: Container): Container => {
    if (except.includes(container.name)) return container;
    const env = container.env ?? [];
    const has = (name: string): boolean => env.some((variable) => variable.name === name);
    const hasRegion = has('AWS_REGION') || has('AWS_DEFAULT_REGION') || region === '';
    return {
      ...container,
      env: [
        ...env,
        ...(sts && !has('AWS_STS_REGIONAL_ENDPOINTS')
          ? [{ name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' }]
          : []),
        ...(hasRegion
          ? []
          : [
              { name: 'AWS_DEFAULT_REGION', value: region },
              { name: 'AWS_REGION', value: region },
            ]),
        ...(has('AWS_ROLE_ARN') ? [] : [{ name: 'AWS_ROLE_ARN', value: irsa.role }]),
        ...(has('AWS_WEB_IDENTITY_TOKEN_FILE') ? [] : [{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: file }]),
      ],
      volumeMounts: [...(container.volumeMounts ?? []), { name: 'aws-iam-token', mountPath, readOnly: true }],
    };
  };
  const volume = {
    name: 'aws-iam-token',
    projected: {
      defaultMode: mode,
      sources: [{ serviceAccountToken: { audience, expirationSeconds: expiration, path: 'token' } }],
    },
  };
  return inEach({ ...pod, spec: { ...pod.spec, volumes: [volume, ...(pod.spec.volumes ?? [])] } }, identified);
}

/** The pod after EKS's association of its account. */
export function withPodIdentity(
  pod: Pod,
  { windows = false, audience = 'pods.eks.amazonaws.com', mode = 420 } = {},
): Pod {
  const mountPath = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount';
  const file = `${mountPath}/eks-pod-identity-token`;
  const identified = (container: Container): Container => ({
    ...container,
    env: [
      ...(container.env ?? []),
      { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' },
      { name: 'AWS_DEFAULT_REGION', value: 'eu-west-1' },
      { name: 'AWS_REGION', value: 'eu-west-1' },
      { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' },
      {
        name: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
        value: windows ? `C:${file.replaceAll('/', '\\')}` : file,
      },
    ],
    volumeMounts: [...(container.volumeMounts ?? []), { name: 'eks-pod-identity-token', mountPath, readOnly: true }],
  });
  const volume = {
    name: 'eks-pod-identity-token',
    projected: {
      defaultMode: mode,
      sources: [
        {
          serviceAccountToken: {
            audience,
            expirationSeconds: 85_732,
            path: 'eks-pod-identity-token',
          },
        },
      ],
    },
  };
  const labelled = {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, 'eks.amazonaws.com/pod-identity': 'enabled' } },
  };
  return inEach({ ...labelled, spec: { ...pod.spec, volumes: [volume, ...(pod.spec.volumes ?? [])] } }, identified);
}

// ---- Changes

export function inEach(pod: Pod, change: (container: Container) => Container): Pod {
  const { initContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: pod.spec.containers.map(change),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(change) }),
    },
  };
}

/** Without the later of two variables of one name. */
export function withVariablesOnce(pod: Pod): Pod {
  return inEach(pod, (container) => {
    const env = container.env ?? [];
    return { ...container, env: env.filter(({ name }, at) => env.findIndex((each) => each.name === name) === at) };
  });
}

export function inContainer(pod: Pod, name: string, change: (container: Container) => Container): Pod {
  return inEach(pod, (container) => (container.name === name ? change(container) : container));
}

export function withEnv(pod: Pod, name: string, env: readonly Variable[]): Pod {
  return inContainer(pod, name, (container) => ({ ...container, env: [...env, ...(container.env ?? [])] }));
}

export function withoutEnv(pod: Pod, name: string, names: readonly string[]): Pod {
  return inContainer(pod, name, (container) => ({
    ...container,
    env: (container.env ?? []).filter((variable) => !names.includes(variable.name)),
  }));
}

export function withMetadata(
  pod: Pod,
  metadata: { annotations?: Record<string, string>; labels?: Record<string, string> },
): Pod {
  const { annotations, labels } = pod.metadata;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      annotations: { ...annotations, ...metadata.annotations },
      labels: { ...labels, ...metadata.labels },
    },
  };
}

export function withSpec(pod: Pod, spec: Partial<PodSpec>): Pod {
  return { ...pod, spec: { ...pod.spec, ...spec } };
}

/** Containers that another webhook adds after ours. */
export function withLater(
  pod: Pod,
  later: {
    containers?: readonly Container[];
    initContainers?: readonly Container[];
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
  },
): Pod {
  return withMetadata(
    withSpec(pod, {
      containers: [...pod.spec.containers, ...(later.containers ?? [])],
      ...(later.initContainers === undefined
        ? {}
        : { initContainers: [...later.initContainers, ...(pod.spec.initContainers ?? [])] }),
    }),
    { annotations: later.annotations ?? {}, labels: later.labels ?? {} },
  );
}

// ---- Short ones

export const literal = (vars: Record<string, string>): Variable[] =>
  Object.entries(vars).map(([name, value]) => ({ name, value }));
export const user = (pod: Pod, users: Record<string, object>): Pod =>
  inEach(pod, (c: Container) => ({ ...c, securityContext: users[c.name] ?? {} }));
/** With a debug container, as `kubectl debug` adds one. */
export const ephemeral = (pod: Pod, container: Container, state: object = { running: {} }): Pod => ({
  ...withSpec(pod, { ephemeralContainers: [{ terminationMessagePath: '/dev/termination-log', ...container }] }),
  status: { ...pod.status, ephemeralContainerStatuses: [{ name: container.name, state }] },
});
export const tokenVars = (file: string, arn = role('orders')): Variable[] =>
  literal({ AWS_ROLE_ARN: arn, AWS_WEB_IDENTITY_TOKEN_FILE: file });
export const byHand = (pod: Pod, main: string, mountPath: string, extra: object = {}): Pod =>
  inContainer(
    withSpec(pod, {
      volumes: [
        ...(pod.spec.volumes ?? []),
        {
          name: 'aws-token',
          projected: {
            defaultMode: 420,
            sources: [
              {
                serviceAccountToken: {
                  audience: 'sts.amazonaws.com',
                  expirationSeconds: 3600,
                  path: 'token',
                  ...extra,
                },
              },
            ],
          },
        },
      ],
    }),
    main,
    (c) => ({
      ...c,
      env: [...(c.env ?? []), ...tokenVars(`${mountPath}/token`), { name: 'AWS_REGION', value: 'eu-west-1' }],
      volumeMounts: [...(c.volumeMounts ?? []), { name: 'aws-token', mountPath, readOnly: true }],
    }),
  );
export const secret = (key: string, data: Record<string, string>): object => {
  const [ns = '', name = ''] = key.split('/');
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: ns }, data };
};
export const configMap = (key: string, data: Record<string, string>): object => ({
  ...secret(key, data),
  kind: 'ConfigMap',
});
export const plain = (key: string, image: string, extra: object = {}, options: PodOptions = {}): Pod =>
  stored(key, { containers: [{ name: key.split('/')[1]?.split('-')[0] ?? 'main', image, ...extra }] }, options);
