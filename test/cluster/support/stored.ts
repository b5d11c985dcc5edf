// What the API server has stored, made comparable: nothing is left out but what differs from run to run.
import { isObject, ownField, ownList, ownString } from '../../../src/admission/json.ts';
import type { Kubectl } from './kubectl.ts';

const changing = ['uid', 'creationTimestamp', 'resourceVersion', 'managedFields'];

/** The pod as kubectl reads it back, without what differs from run to run. */
export async function storedPod(kubectl: Kubectl, name: string): Promise<unknown> {
  return comparable(JSON.parse(await kubectl(['get', 'pod', name, '-n', 'shop', '-o', 'json'])));
}

/** Drops metadata's uid, creationTimestamp, resourceVersion and managedFields, and the random end of kube-api-access-…. */
export function comparable(object: unknown): unknown {
  const metadata = ownField(object, 'metadata');
  if (!isObject(object) || !isObject(metadata))
    throw new Error(`Not an object of Kubernetes: ${JSON.stringify(object)}`);
  const kept = Object.fromEntries(Object.entries(metadata).filter(([key]) => !changing.includes(key)));
  const text = JSON.stringify({ ...object, metadata: kept });
  return JSON.parse(text.replaceAll(/"kube-api-access-[a-z0-9]{5}"/g, '"kube-api-access-xxxxx"'));
}

/** The pod of a ReplicaSet, besides that without its random name, its template's hash and its owner's uid. */
export function comparableReplica(pod: unknown): unknown {
  const metadata = ownField(pod, 'metadata');
  const hash = ownString(ownField(metadata, 'labels'), 'pod-template-hash') ?? '';
  const ending = (ownString(metadata, 'name') ?? '').split('-').at(-1) ?? '';
  const owner = ownString(ownList(metadata, 'ownerReferences')[0], 'uid') ?? '';
  if (hash === '' || ending === '' || owner === '') throw new Error(`Not of a ReplicaSet: ${JSON.stringify(pod)}`);
  const text = JSON.stringify(comparable(pod))
    .replaceAll(`-${hash}-${ending}"`, '-hash-xxxxx"')
    .replaceAll(`-${hash}`, '-hash')
    .replaceAll(`"${hash}"`, '"hash"')
    .replaceAll(owner, 'owner');
  return JSON.parse(text);
}
