// Reviews as a cluster sends them: a pod of two containers, defaulted and with managed fields, 8 kB of JSON each.

/** Accounts of the bench: `app-0` to `app-999` in namespace `shop`, each with a role of its own. */
export const NAMESPACE = 'shop';
const ACCOUNT_ID = '111122223333';

export function accountName(index: number): string {
  return `app-${index}`;
}

export function roleArnOf(index: number): string {
  return `arn:aws:iam::${ACCOUNT_ID}:role/shop/${accountName(index)}`;
}

/** The body of the review of a new pod of account `index`. */
export function reviewBody(index: number): Buffer {
  const uid = `705ab4f5-6393-11e8-b7cc-${String(index).padStart(12, '0')}`;
  return Buffer.from(
    JSON.stringify({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: {
        uid,
        kind: { group: '', version: 'v1', kind: 'Pod' },
        resource: { group: '', version: 'v1', resource: 'pods' },
        requestKind: { group: '', version: 'v1', kind: 'Pod' },
        requestResource: { group: '', version: 'v1', resource: 'pods' },
        namespace: NAMESPACE,
        operation: 'CREATE',
        userInfo: {
          username: 'system:serviceaccount:kube-system:replicaset-controller',
          uid: '5c3c5c1b-7f5c-4a3a-9f4a-9d5e0b1f4c11',
          groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
        },
        object: podOf(index),
        oldObject: null,
        dryRun: false,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      },
    }),
  );
}

function podOf(index: number): object {
  const name = accountName(index);
  const hash = '6d4cf56db6';
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      generateName: `${name}-${hash}-`,
      namespace: NAMESPACE,
      labels: {
        'app.kubernetes.io/name': name,
        'app.kubernetes.io/part-of': 'shop',
        'app.kubernetes.io/version': '1.42.0',
        'pod-template-hash': hash,
      },
      annotations: {
        'checksum/config': '3f5f4a7f0c9c4c2f6e0c4ad1f0a4d1b35e3ad62a1a5f1f7d3f6f9d8c1c2b3a4d',
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': '9102',
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${name}-${hash}`,
          uid: 'c0ffee00-1111-4222-8333-444455556666',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: [
        {
          manager: 'kube-controller-manager',
          operation: 'Update',
          apiVersion: 'v1',
          time: '2026-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:metadata': managedMetadata, 'f:spec': { 'f:containers': managedContainers } },
        },
      ],
    },
    spec: {
      volumes: [
        { name: 'config', configMap: { name: `${name}-config`, defaultMode: 420 } },
        { name: 'scratch', emptyDir: {} },
        apiAccessVolume,
      ],
      containers: [container('server', 8080), container('sidecar', 9102)],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: name,
      serviceAccount: name,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      schedulerName: 'default-scheduler',
      tolerations: ['not-ready', 'unreachable'].map((key) => ({
        key: `node.kubernetes.io/${key}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      })),
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
        },
      ],
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: {},
  };
}

function container(name: string, port: number): object {
  const probe = { httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10 };
  return {
    name,
    image: `registry.example.com/shop/${name}:1.42.0`,
    args: ['--config=/etc/shop/config.yaml', `--listen=:${port}`, '--log-format=json'],
    ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
    env: [
      ...Array.from({ length: 10 }, (_, index) => ({
        name: `SETTING_${index}`,
        value: `the value of setting ${index}`,
      })),
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: `${name}-database`, key: 'password' } } },
    ],
    resources: { limits: { memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
    volumeMounts: [
      { name: 'config', readOnly: true, mountPath: '/etc/shop' },
      { name: 'scratch', mountPath: '/tmp' },
      { name: 'kube-api-access-x7k2p', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
    livenessProbe: { ...probe, failureThreshold: 3, successThreshold: 1 },
    readinessProbe: { ...probe, failureThreshold: 1, successThreshold: 1 },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  };
}

const apiAccessVolume = {
  name: 'kube-api-access-x7k2p',
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
    defaultMode: 420,
  },
};

const managedMetadata = {
  'f:annotations': { '.': {}, 'f:checksum/config': {}, 'f:prometheus.io/port': {}, 'f:prometheus.io/scrape': {} },
  'f:generateName': {},
  'f:labels': { '.': {}, 'f:app.kubernetes.io/name': {}, 'f:app.kubernetes.io/part-of': {}, 'f:pod-template-hash': {} },
  'f:ownerReferences': { '.': {}, 'k:{"uid":"c0ffee00-1111-4222-8333-444455556666"}': {} },
};

const managedContainers = Object.fromEntries(
  ['server', 'sidecar'].map((name) => [
    `k:{"name":"${name}"}`,
    {
      '.': {},
      'f:args': {},
      'f:env': Object.fromEntries(
        Array.from({ length: 10 }, (_, index) => [
          `k:{"name":"SETTING_${index}"}`,
          { '.': {}, 'f:name': {}, 'f:value': {} },
        ]),
      ),
      'f:image': {},
      'f:imagePullPolicy': {},
      'f:livenessProbe': { '.': {}, 'f:failureThreshold': {}, 'f:httpGet': { '.': {}, 'f:path': {}, 'f:port': {} } },
      'f:name': {},
      'f:resources': { '.': {}, 'f:limits': { '.': {}, 'f:memory': {} }, 'f:requests': { '.': {}, 'f:cpu': {} } },
      'f:securityContext': { '.': {}, 'f:allowPrivilegeEscalation': {}, 'f:readOnlyRootFilesystem': {} },
      'f:terminationMessagePath': {},
      'f:volumeMounts': { '.': {}, 'k:{"mountPath":"/etc/shop"}': { '.': {}, 'f:mountPath': {}, 'f:name': {} } },
    },
  ]),
);
