// `diagnose pod` where the fault is the webhook's: registered wrongly, not there, or not believed. The registration, the
// program and the pods are real; each pod is stored while the fault is there.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/admission/json.ts';
import { isObject, ownField, ownList } from '../../src/admission/json.ts';
import { createAuthority } from '../support/certificates.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { startControlPlane } from './support/control-plane.ts';
import { diagnose } from './support/diagnose.ts';
import type { Diagnosis } from './support/diagnose.ts';
import { pod, roleFor, serviceAccount } from './support/objects.ts';
import type { PublicIssuer } from './support/public-issuer.ts';
import { startPublicIssuer } from './support/public-issuer.ts';
import type { Webhook } from './support/webhook.ts';
import { createWebhook } from './support/webhook.ts';

const NAMESPACE = 'pod-identity-webhook';
const CONFIGURATION = 'pod-identity-webhook.pod-identity-webhook';

let controlPlane: ControlPlane;
let published: PublicIssuer;
let webhook: Webhook;
/** The entry of the registration, as it should be. */
let registered: JsonObject;
let otherBundle: string;

beforeAll(async () => {
  controlPlane = await startControlPlane({ serviceAccountIssuer: 'https://oidc.example.com/clusters/aws' });
  published = await startPublicIssuer(controlPlane);
  webhook = await createWebhook({ controlPlane });
  await webhook.start();
  await webhook.ready();
  await webhook.register('Ignore', 'mutated');
  const configuration: unknown = JSON.parse(
    await controlPlane.kubectl(['get', 'mutatingwebhookconfiguration', CONFIGURATION, '-o', 'json']),
  );
  [registered = {}] = ownList(configuration, 'webhooks').filter(isObject);
  otherBundle = Buffer.from((await createAuthority()).caPem, 'utf8').toString('base64');
});
afterAll(async () => {
  await published?.close();
  await controlPlane?.stop();
});

let count = 0;
let name: string;
beforeEach(() => {
  count += 1;
  name = `probe-${count}`;
});

async function stored(): Promise<void> {
  await controlPlane.kubectl(
    ['create', '-f', '-'],
    JSON.stringify(pod({ namespace: NAMESPACE, name, account: 'probe' })),
  );
}

async function asked(): Promise<Diagnosis> {
  const { args } = published;
  return diagnose(`${NAMESPACE}/${name}`, { kubeconfig: controlPlane.kubeconfig, args });
}

/** Registers with a change, stores a pod, asks, and registers as before. */
async function where(change: Readonly<Record<string, unknown>>): Promise<Diagnosis> {
  return changed(change, async () => {
    await stored();
    return asked();
  });
}

async function changed(
  change: Readonly<Record<string, unknown>>,
  asking: () => Promise<Diagnosis>,
): Promise<Diagnosis> {
  await apply({ ...registered, ...change });
  try {
    return await asking();
  } finally {
    await apply(registered);
    await webhook.register('Ignore', 'mutated');
  }
}

async function apply(entry: object): Promise<void> {
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: CONFIGURATION },
    webhooks: [entry],
  };
  await controlPlane.kubectl(['apply', '-f', '-'], JSON.stringify(configuration));
  await noticed();
}

/** The API server learns of registrations by a watch, within a second, and says nowhere that it has. */
async function noticed(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1500));
}

const first = ({ problems }: Diagnosis): unknown => problems[0];

describe('diagnose pod', () => {
  test('finds nothing wrong with a pod that the webhook has mutated', async () => {
    await stored();
    const { ids, exit } = await asked();
    expect({ ids, exit }).toEqual({ ids: [], exit: 0 });
  });

  test('finds a certificate that the caBundle does not verify, and shows both', async () => {
    const clientConfig = { url: ownField(registered['clientConfig'], 'url'), caBundle: otherBundle };
    const diagnosis = await where({ clientConfig });
    expect(diagnosis.ids).toEqual(['webhook-down']);
    expect(first(diagnosis)).toEqual(
      expect.objectContaining({
        severity: 'error',
        object: `ServiceAccount ${NAMESPACE}/probe`,
        evidence: expect.stringMatching(
          /a new pod of the account gets no identity now, as a dry run shows; .*the certificate that it serves \(.*\) is not one that its caBundle verifies: its CA is not in the bundle/,
        ),
      }),
    );
  });

  test('says what the API server says where a call that fails is no pass', async () => {
    await stored();
    const clientConfig = { url: 'https://127.0.0.1:1/mutate', caBundle: otherBundle };
    const diagnosis = await changed({ clientConfig, failurePolicy: 'Fail' }, asked);
    expect(diagnosis.ids).toEqual(['webhook-down']);
    expect(first(diagnosis)).toEqual(
      expect.objectContaining({
        severity: 'warning',
        evidence: expect.stringMatching(
          /the API server cannot call ".*": .*127\.0\.0\.1:1: connect: connection refused/,
        ),
      }),
    );
  });

  test.each<[string, string, () => Readonly<Record<string, unknown>>, RegExp]>([
    [
      'webhook-down',
      'an empty caBundle of a Service',
      () => ({ clientConfig: { service: { namespace: NAMESPACE, name: NAMESPACE } } }),
      /its caBundle is empty/,
    ],
    [
      'webhook-down',
      'a Service that does not exist',
      () => ({
        clientConfig: { service: { namespace: NAMESPACE, name: NAMESPACE }, caBundle: otherBundle },
      }),
      /the Service pod-identity-webhook\/pod-identity-webhook that it calls has no ready endpoint/,
    ],
    [
      'webhook-down',
      'rules without pods',
      () => ({ rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }] }),
      /no rule covers CREATE of pods/,
    ],
    [
      'namespace-excluded',
      'a namespaceSelector',
      () => ({ namespaceSelector: { matchLabels: { team: 'payments' } } }),
      /its namespaceSelector wants/,
    ],
    [
      'opted-out-by-label',
      'an objectSelector',
      () => ({ objectSelector: { matchExpressions: [{ key: 'identity', operator: 'Exists' }] } }),
      /its objectSelector wants/,
    ],
    [
      'webhook-down',
      'matchConditions that no pod meets',
      () => ({ matchConditions: [{ name: 'never', expression: 'false' }] }),
      /the webhook was not called, did not answer or left it alone/,
    ],
  ])('finds %s by %s', async (id, _, change, evidence) => {
    const diagnosis = await where(change());
    expect(diagnosis.ids).toEqual([id]);
    expect(first(diagnosis)).toEqual(expect.objectContaining({ evidence: expect.stringMatching(evidence) }));
  });

  // When an annotation was set is in managedFields, which an API server that is built without its OpenAPI does not keep.
  test('finds a pod that is older than the account with the annotation', async () => {
    const account = `late-${count}`;
    const own = ['-n', NAMESPACE];
    await controlPlane.kubectl(['create', 'serviceaccount', account, ...own]);
    await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(pod({ namespace: NAMESPACE, name, account })));
    // Kubernetes counts in seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await controlPlane.kubectl(['delete', 'serviceaccount', account, ...own]);
    const annotated = serviceAccount({ namespace: NAMESPACE, name: account, roleArn: roleFor('late') });
    await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(annotated));
    expect((await asked()).ids).toEqual(['pod-created-before-annotation']);
  });

  test('finds that there is no registration', async () => {
    await controlPlane.kubectl(['delete', 'mutatingwebhookconfiguration', CONFIGURATION]);
    await noticed();
    try {
      await stored();
      expect((await asked()).ids).toEqual(['webhook-down']);
    } finally {
      await webhook.register('Ignore', 'mutated');
    }
  });

  test('tells a webhook that is down from one that was', async () => {
    await webhook.stop();
    await stored();
    const down = await asked();
    await webhook.start();
    await webhook.ready();
    const up = await asked();
    expect([down.ids, up.ids]).toEqual([['webhook-down'], ['pod-not-mutated']]);
    expect(first(up)).toEqual(
      expect.objectContaining({
        evidence: expect.stringContaining('a new pod of the account gets its identity now, as a dry run shows'),
      }),
    );
  });

  test('finds a webhook that would fail the next pod, although this one has its identity', async () => {
    await stored();
    await webhook.stop();
    try {
      const { ids, problems } = await asked();
      expect(ids).toEqual(['webhook-down']);
      expect(problems).toEqual([expect.objectContaining({ severity: 'warning' })]);
    } finally {
      await webhook.start();
      await webhook.ready();
    }
  });
});
