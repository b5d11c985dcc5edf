// The AdmissionReview of a pod, and the call that carries it, as kube-apiserver makes both.
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { ownField, ownString } from '../admission/json.ts';
import type { JsonObject } from '../admission/json.ts';

const POD_KIND = { group: '', version: 'v1', kind: 'Pod' };
const POD_RESOURCE = { group: '', version: 'v1', resource: 'pods' };

/** What the API server sends when kubectl creates the pod. */
export function reviewOfPod(pod: JsonObject, uid: string): JsonObject {
  const metadata = ownField(pod, 'metadata');
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid,
      kind: POD_KIND,
      resource: POD_RESOURCE,
      requestKind: POD_KIND,
      requestResource: POD_RESOURCE,
      name: ownString(metadata, 'name') ?? '',
      namespace: ownString(metadata, 'namespace') ?? 'default',
      operation: 'CREATE',
      userInfo: { username: 'kubernetes-admin', groups: ['system:authenticated'] },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}

export interface Call {
  /** Of the server, without a path. */
  readonly url: string;
  readonly caPem: string;
  readonly review: JsonObject;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const TIMEOUT_MS = 5_000;

/** Rejects where there is no answer within five seconds. */
export async function callWebhook({ url, caPem, review }: Call): Promise<Answer> {
  const body = JSON.stringify(review);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const call = request(new URL(`/mutate?timeout=${TIMEOUT_MS / 1000}s`, url), {
    method: 'POST',
    ca: caPem,
    agent: false,
    headers: {
      'User-Agent': 'kube-apiserver-admission',
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      Accept: 'application/json, */*',
      'Accept-Encoding': 'gzip',
    },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  call.on('error', reject);
  call.on('response', (response) => {
    text(response).then((received) => resolve({ status: response.statusCode ?? 0, body: received }), reject);
  });
  call.end(body);
  return promise;
}
