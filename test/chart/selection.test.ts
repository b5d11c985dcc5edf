// Which entry the API server calls for which pod: the rendered configuration with every entry pointed at a server of the
// test, and pods that are created by a dry run.
import { createServer } from 'node:https';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';
import type { JsonObject } from '../../src/admission/json.ts';
import { eventually } from '../cluster/support/eventually.ts';
import { listening } from '../cluster/support/listening.ts';
import type { Listening } from '../cluster/support/listening.ts';
import { createAuthority } from '../support/certificates.ts';
import type { ChartCluster } from './support/cluster.ts';
import { startChartCluster } from './support/cluster.ts';
import { objectsOf, render } from './support/helm.ts';

const REQUIRED = { 'eks.amazonaws.com/pod-identity-required': 'true' };
const OPTED_OUT = { 'eks.amazonaws.com/skip-pod-identity-webhook': '' };
const OURS = { 'app.kubernetes.io/name': 'pod-identity-webhook' };

let cluster: ChartCluster;
let server: Listening;
let caPem: string;
const called: string[] = [];
let registrations = 0;
let lastRegistration = '';

beforeAll(async () => {
  cluster = await startChartCluster();
  const authority = await createAuthority();
  caPem = authority.caPem;
  const { certPem, keyPem } = await authority.issue({ names: ['127.0.0.1'] });
  const calls = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    response.setHeader('Content-Type', 'application/json');
    void json(request).then((review) => response.end(answerTo(review, request.url ?? '')));
  });
  server = await listening(calls);
  for (const [name, labels] of Object.entries({ shop: {}, bank: REQUIRED, 'pod-identity-webhook': REQUIRED })) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(namespace));
  }
  await eventually({ what: 'the namespace kube-system' }, async () => cluster.kubectl(['get', 'ns', 'kube-system']));
  await cluster.kubectl(['label', 'namespace', 'kube-system', 'eks.amazonaws.com/pod-identity-required=true']);
  for (const namespace of ['shop', 'bank', 'pod-identity-webhook', 'kube-system']) {
    await cluster.kubectl(['create', 'serviceaccount', 'default', '-n', namespace]);
  }
});

afterAll(async () => {
  await server.close();
  await cluster.stop();
});

/** Allows the pod, and remembers who was asked. */
function answerTo(review: unknown, url: string): string {
  const [, registration = '', name = ''] = url.replace(/\?.*/, '').split('/');
  lastRegistration = registration;
  called.push(name);
  const uid = ownString(ownField(review, 'request'), 'uid');
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true },
  });
}

/** Registers the entries of these values; resolves when the API server calls them. */
async function register(values: object): Promise<void> {
  const configuration = objectsOf(render({ values })).find(({ kind }) => kind === 'MutatingWebhookConfiguration');
  if (configuration === undefined) throw new Error('no configuration');
  const { port } = server;
  registrations += 1;
  const webhooks = ownList(configuration, 'webhooks')
    .filter(isObject)
    .map((entry) => ({
      ...entry,
      clientConfig: {
        url: `https://127.0.0.1:${port}/${registrations}/${shortName(entry)}`,
        caBundle: Buffer.from(caPem).toString('base64'),
      },
    }));
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ ...configuration, webhooks }));
  await eventually({ what: `registration ${registrations} to be called` }, async () => {
    await callsFor('shop');
    return lastRegistration === String(registrations) ? true : undefined;
  });
}

function shortName(entry: JsonObject): string {
  return (ownString(entry, 'name') ?? '').split('.')[0] ?? '';
}

/** The entries that are called for a pod, in their order. */
async function callsFor(namespace: string, labels: object = {}, annotations: object = {}): Promise<string[]> {
  called.length = 0;
  const isMirror = Object.keys(annotations).length > 0;
  const { status, body } = await cluster.api.call({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`,
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'probe', labels, annotations },
      // The API server takes a mirror pod only on its node, and without token.
      spec: {
        containers: [{ name: 'main', image: 'example.com/main:1' }],
        ...(isMirror ? { nodeName: 'node', automountServiceAccountToken: false } : {}),
      },
    },
  });
  if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return [...called];
}

describe('the entries, as the API server reads them', () => {
  test('take every pod once at most, by its own label, its namespace’s, and where it is', async () => {
    await register({});
    expect({
      plain: await callsFor('shop'),
      'plain, opted out': await callsFor('shop', OPTED_OUT),
      'plain, of the webhook': await callsFor('shop', OURS),
      required: await callsFor('shop', REQUIRED),
      'required, opted out': await callsFor('shop', { ...REQUIRED, ...OPTED_OUT }),
      'required, of the webhook': await callsFor('shop', { ...REQUIRED, ...OURS }),
      'in a required namespace': await callsFor('bank'),
      'in a required namespace, opted out': await callsFor('bank', OPTED_OUT),
      'in a required namespace, required': await callsFor('bank', REQUIRED),
      'in kube-system, which is labelled': await callsFor('kube-system'),
      'in kube-system, required': await callsFor('kube-system', REQUIRED),
      'in our own namespace, which is labelled': await callsFor('pod-identity-webhook'),
      'in our own namespace, required': await callsFor('pod-identity-webhook', REQUIRED),
    }).toEqual({
      plain: ['fail-open'],
      'plain, opted out': [],
      'plain, of the webhook': [],
      required: ['fail-closed'],
      'required, opted out': ['fail-closed'],
      'required, of the webhook': [],
      'in a required namespace': ['fail-closed-namespace'],
      'in a required namespace, opted out': [],
      'in a required namespace, required': ['fail-closed'],
      'in kube-system, which is labelled': ['fail-open-system'],
      'in kube-system, required': ['fail-closed'],
      'in our own namespace, which is labelled': ['fail-open-system'],
      'in our own namespace, required': ['fail-closed'],
    });
  });

  test('take no mirror pod, required or not', async () => {
    const mirror = { 'kubernetes.io/config.mirror': 'x' };
    expect([await callsFor('shop', {}, mirror), await callsFor('bank', REQUIRED, mirror)]).toEqual([[], []]);
    expect(await callsFor('shop', {}, { 'example.com/other': 'x' })).toEqual(['fail-open']);
  });

  test('take, where the failure policy is Fail, all but the pods of system namespaces', async () => {
    await register({ webhook: { failurePolicy: 'Fail' } });
    expect([await callsFor('shop'), await callsFor('bank'), await callsFor('kube-system')]).toEqual([
      ['fail-closed-unlabelled'],
      ['fail-closed-unlabelled'],
      ['fail-open-system'],
    ]);
    expect(await callsFor('shop', REQUIRED)).toEqual(['fail-closed']);
  });

  test('of a shadow take all pods, by one that fails open', async () => {
    await register({ shadow: true });
    expect([
      await callsFor('shop'),
      await callsFor('shop', { ...REQUIRED, ...OPTED_OUT }),
      await callsFor('bank', OPTED_OUT),
      await callsFor('kube-system'),
    ]).toEqual([['fail-open'], ['fail-open'], ['fail-open'], ['fail-open']]);
  });
});
