// Values that cannot be meant: both helms refuse each of them, with a sentence that says where and what to do.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { isObject } from '../../src/admission/json.ts';
import { CHART, tryToRender } from './support/helm.ts';
import { alertNames } from './support/alerts.ts';

const PEM = Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64');
const KEY = Buffer.from('-----BEGIN PRIVATE KEY-----').toString('base64');
const OWN = { mode: 'existing-secret', existingSecret: { name: 'own' } };

/** By the schema: where, and what is allowed. */
const bySchema: readonly [values: object, said: string][] = [
  [{ replicas: 2 }, "- at '': additional properties 'replicas' not allowed"],
  [{ tls: { secret: 'x' } }, "- at '/tls': additional properties 'secret' not allowed"],
  [{ webhook: { failurepolicy: 'Fail' } }, "- at '/webhook': additional properties 'failurepolicy' not allowed"],
  [{ livenessProbe: { path: '/' } }, "- at '/livenessProbe': additional properties 'path' not allowed"],
  [{ replicaCount: 0 }, "- at '/replicaCount': minimum: got 0, want 1"],
  [{ replicaCount: '2' }, "- at '/replicaCount': got string, want integer"],
  [
    { image: { digest: 'sha256:abc' } },
    "- at '/image/digest': 'sha256:abc' does not match pattern '^$|^sha256:[0-9a-f]{64}$'",
  ],
  [
    { image: { pullPolicy: 'always' } },
    "- at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
  ],
  [
    { tls: { mode: 'helm' } },
    "- at '/tls/mode': value must be one of 'self-signed', 'cert-manager', 'existing-secret'",
  ],
  [{ tls: { minVersion: '1.1' } }, "- at '/tls/minVersion': value must be one of '1.2', '1.3'"],
  [{ tls: { minVersion: 1.3 } }, "- at '/tls/minVersion': value must be one of '1.2', '1.3'"],
  [
    { tls: { selfSigned: { leafLifetime: '7d' } } },
    "- at '/tls/selfSigned/leafLifetime': '7d' does not match pattern '^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$|^0$'",
  ],
  [{ webhook: { failurePolicy: 'fail' } }, "- at '/webhook/failurePolicy': value must be one of 'Ignore', 'Fail'"],
  [{ webhook: { timeoutSeconds: 31 } }, "- at '/webhook/timeoutSeconds': maximum: got 31, want 30"],
  [{ webhook: { matchPolicy: 'exact' } }, "- at '/webhook/matchPolicy': value must be one of 'Equivalent', 'Exact'"],
  [
    { webhook: { reinvocationPolicy: 'Always' } },
    "- at '/webhook/reinvocationPolicy': value must be one of 'IfNeeded', 'Never'",
  ],
  [{ webhook: { sideEffects: 'Some' } }, "- at '/webhook/sideEffects': value must be one of 'None', 'NoneOnDryRun'"],
  [
    { webhook: { admissionReviewVersions: ['v2'] } },
    "- at '/webhook/admissionReviewVersions/0': value must be one of 'v1', 'v1beta1'",
  ],
  [
    { webhook: { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } } },
    "- at '/webhook/namespaceSelector/matchExpressions/0/operator': value must be one of 'In', 'NotIn', 'Exists', 'DoesNotExist'",
  ],
  [
    { webhook: { matchConditions: [{ name: 'x' }] } },
    "- at '/webhook/matchConditions/0': missing property 'expression'",
  ],
  [{ token: { expirationSeconds: 599 } }, "- at '/token/expirationSeconds': minimum: got 599, want 600"],
  [{ aws: { accountId: 111_122_223_333 } }, "- at '/aws/accountId': got number, want string"],
  [{ aws: { accountId: '1234' } }, "- at '/aws/accountId': '1234' does not match pattern '^$|^[0-9]{12}$'"],
  [
    { aws: { stsRegionalEndpoint: 'regional' } },
    "- at '/aws/stsRegionalEndpoint': value must be one of true, false, 'auto'",
  ],
  [
    { logging: { level: 'verbose' } },
    "- at '/logging/level': value must be one of 'trace', 'debug', 'info', 'warn', 'error'",
  ],
  [{ logging: { format: 'klog' } }, "- at '/logging/format': value must be one of 'json', 'text'"],
  [{ podLabels: { a: 1 } }, "- at '/podLabels/a': got number, want string"],
  [{ nodeSelector: ['linux'] }, "- at '/nodeSelector': got array, want object"],
  [
    { dnsPolicy: 'Cluster' },
    "- at '/dnsPolicy': value must be one of '', 'ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'",
  ],
  [
    { service: { type: 'ExternalName' } },
    "- at '/service/type': value must be one of 'ClusterIP', 'NodePort', 'LoadBalancer'",
  ],
  [
    { roleConfigMap: { enabled: true, entries: { 'shop/cart': {} } } },
    "- at '/roleConfigMap/entries/shop~1cart': missing property 'RoleARN'",
  ],
  [
    { roleConfigMap: { enabled: true, entries: { cart: { RoleARN: 'arn:aws:iam::111122223333:role/cart' } } } },
    "- at '/roleConfigMap/entries': additional properties 'cart' not allowed",
  ],
  [
    { containerCredentials: { identities: [{ namespace: 'a' }] } },
    "- at '/containerCredentials/identities/0': missing property 'serviceAccount'",
  ],
  [
    { topologySpreadConstraints: [{ topologyKey: 'a', maxSkew: 1, whenUnsatisfiable: 'Ignore' }] },
    "- at '/topologySpreadConstraints/0/whenUnsatisfiable': value must be one of 'ScheduleAnyway', 'DoNotSchedule'",
  ],
];

/** By the templates: values that do not fit together. */
const byTemplates: readonly [values: object, said: string][] = [
  [
    { webhook: { configurationName: 'pod-identity-webhook' } },
    'webhook.configurationName: "pod-identity-webhook" is the name of EKS\'s own configuration, which must not be touched; leave it empty, or choose another name',
  ],
  [
    { tls: { mode: 'existing-secret' } },
    'tls.mode: "existing-secret" needs tls.existingSecret.name, or tls.existingSecret.openshiftServiceCa=true',
  ],
  [
    { tls: OWN },
    "tls.existingSecret.caBundle: the API server needs the CA of the certificate; set it to the CA's PEM in base64, or have it injected by cert-manager.io/inject-ca-from-secret in webhook.annotations",
  ],
  [
    { tls: { ...OWN, existingSecret: { name: 'own', caBundle: 'YWJj' } } },
    "tls.existingSecret.caBundle: is no certificate; set it to the CA's PEM in base64, as base64 -w0 ca.crt prints it",
  ],
  [
    { tls: { ...OWN, existingSecret: { name: 'own', caBundle: KEY } } },
    "tls.existingSecret.caBundle: is a private key; set it to the CA's certificate (PEM) in base64, and replace that key",
  ],
  [
    { tls: { mode: 'existing-secret', existingSecret: { openshiftServiceCa: true, caBundle: PEM } } },
    'tls.existingSecret.caBundle: the CA is injected by an annotation already; leave one of the two out',
  ],
  [
    { tls: { existingSecret: { name: 'own' } } },
    'tls.mode: "self-signed" does not use tls.existingSecret; set tls.mode=existing-secret, or leave tls.existingSecret alone',
  ],
  [
    { tls: { certManager: { issuerRef: { name: 'ca' } } } },
    'tls.mode: "self-signed" does not use tls.certManager.issuerRef; set tls.mode=cert-manager, or leave it empty',
  ],
  [
    { tls: { mode: 'cert-manager', selfSigned: { secretName: 'x' } } },
    'tls.mode: "cert-manager" does not use tls.selfSigned.secretName; set tls.mode=self-signed, or leave it empty',
  ],
  [{ tls: { clientCa: { names: ['a'] } } }, 'tls.clientCa.names: works only together with tls.clientCa.configMapName'],
  [
    { tls: { cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] } },
    'tls.cipherSuites: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" is a suite of TLS 1.2; set tls.minVersion="1.2", or leave it out',
  ],
  [
    { serviceAccount: { create: false } },
    'serviceAccount.create: false needs serviceAccount.name, the ServiceAccount to use',
  ],
  [{ server: { port: 9999 } }, 'server.port: 9999 is server.metricsPort, too; set two different ports'],
  [{ service: { metricsPort: 443 } }, 'service.port: 443 is service.metricsPort, too; set two different ports'],
  [
    { server: { shutdownDelaySeconds: 40 } },
    'terminationGracePeriodSeconds: 45 is too short for server.shutdownDelaySeconds=40 and what is in flight then; set at least 50',
  ],
  [
    { podDisruptionBudget: { minAvailable: 1, maxUnavailable: 1 } },
    'podDisruptionBudget: minAvailable and maxUnavailable exclude each other; set one of them to null',
  ],
  [
    { hostNetwork: true, dnsPolicy: 'ClusterFirst' },
    'dnsPolicy: "ClusterFirst" does not resolve the cluster\'s names with hostNetwork=true; leave it empty, or set ClusterFirstWithHostNet',
  ],
  [
    { hostNetwork: true, hostUsers: false },
    'hostUsers: false is not possible with hostNetwork=true; leave one of the two out',
  ],
  [
    { hostNetwork: true, server: { port: 443 } },
    "server.port: 443 is reserved for root in the node's network, and hostNetwork=true puts the webhook there; set a port from 1024 on",
  ],
  [
    { hostNetwork: true, server: { metricsPort: 99 } },
    "server.metricsPort: 99 is reserved for root in the node's network, and hostNetwork=true puts the webhook there; set a port from 1024 on",
  ],
  [
    { podLabels: { 'app.kubernetes.io/name': 'x' } },
    'podLabels: "app.kubernetes.io/name" is the chart\'s own, by which Service and webhook configuration know the pods; use another key, or nameOverride',
  ],
  [
    { commonLabels: { 'app.kubernetes.io/component': 'x' } },
    'commonLabels: "app.kubernetes.io/component" is the chart\'s own, by which Service and webhook configuration know the pods; use another key, or nameOverride',
  ],
  [
    { metrics: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } },
    'metrics: serviceMonitor and podMonitor would scrape every pod twice; enable one of them',
  ],
  [
    { metrics: { prometheusRule: { enabled: true, disabled: ['Slow'] } } },
    `metrics.prometheusRule.disabled: "Slow" is no alert of this chart; want some of ${alertNames().join(', ')}`,
  ],
  [
    { containerCredentials: { identities: [{ namespace: 'a', serviceAccount: 'b' }], configMapName: 'c' } },
    'containerCredentials: identities and configMapName exclude each other; leave one of them empty',
  ],
  [
    { roleConfigMap: { entries: { 'a/b': { RoleARN: 'arn:aws:iam::111122223333:role/a' } } } },
    'roleConfigMap.entries: are not read; set roleConfigMap.enabled=true',
  ],
  [{ aws: { accountId: '111122223333' } }, 'aws.accountId, aws.partition: are not used; set aws.composeRoleArn=true'],
  [
    { shadow: true, webhook: { failurePolicy: 'Fail' } },
    'webhook.failurePolicy: a shadow never refuses a pod; set shadow=false, or leave failurePolicy at Ignore',
  ],
];

describe.each(['helm3', 'helm4'] as const)('%s', (helm) => {
  test.each(bySchema)('refuses %j by the schema', (values, said) => {
    const { status, stdout, stderr } = tryToRender({ helm, values });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.trim()).toBe(
      `Error: values don't meet the specifications of the schema(s) in the following chart(s):\npod-identity-webhook:\n${said}`,
    );
  });

  test.each(byTemplates)('refuses %j with what to set', (values, said) => {
    const { status, stdout, stderr } = tryToRender({ helm, values });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    const [sentence] = stderr.split('\n');
    expect(sentence?.replace(/^Error: execution error at \(\S+\): /, '')).toBe(said);
  });
});

test('helm lets values of an umbrella chart through', () => {
  expect(tryToRender({ values: { global: { anything: { of: 'theirs' } } } }).status).toBe(0);
});

describe('values.schema.json', () => {
  const schema: unknown = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8'));
  const values: unknown = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'));

  test('knows the keys of values.yaml and no others', () => {
    // `enabled` is for an umbrella chart's condition, which writes it among the values; the chart itself has no use for it.
    const keys = keysOfSchema(schema, '').filter((key) => key !== 'enabled');
    expect(keys).toEqual(keysOfValues(values, schema, ''));
  });
});

/** Keys of the objects that are closed; what is free in Kubernetes has none. */
function keysOfSchema(schema: unknown, path: string): string[] {
  const properties = isObject(schema) ? schema['properties'] : undefined;
  if (!isObject(properties)) return [];
  return Object.entries(properties)
    .flatMap(([key, below]) => [`${path}${key}`, ...keysOfSchema(below, `${path}${key}.`)])
    .filter((key) => !FREE.some((free) => key.startsWith(free)))
    .toSorted();
}

function keysOfValues(value: unknown, schema: unknown, path: string): string[] {
  const properties = isObject(schema) ? schema['properties'] : undefined;
  if (!isObject(value) || !isObject(properties)) return [];
  return Object.entries(value)
    .flatMap(([key, below]) => [`${path}${key}`, ...keysOfValues(below, properties[key], `${path}${key}.`)])
    .filter((key) => !FREE.some((free) => key.startsWith(free)))
    .toSorted();
}

/** Objects whose keys are Kubernetes' or another's, though the schema names them. */
const FREE = ['strategy.', 'resources.', 'tls.certManager.issuerRef.'];
