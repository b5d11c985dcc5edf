// The plain manifests are the chart with its defaults, for those who do without helm.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isObject } from '../../src/admission/json.ts';
import type { JsonObject } from '../../src/admission/json.ts';
import { requiredProgram } from '../cluster/support/programs.ts';
import { idOf, objectsOf, render, ROOT } from './support/helm.ts';
import { plainManifests, writtenManifests } from './support/plain-manifests.ts';

const HELM_LABELS = ['helm.sh/chart', 'app.kubernetes.io/managed-by'];

describe('deploy', () => {
  test('holds what the chart renders by default, file by file', () => {
    const wanted = plainManifests();
    expect(writtenManifests(wanted)).toEqual(wanted);
  });

  test('builds to the objects of the chart, and the namespace', () => {
    expect(byId(built('deploy'))).toEqual(byId([...objectsOf(render({})).filter(isNoHook), namespace]));
  });

  test('builds with cert-manager to the objects of the chart in that mode, and the namespace', () => {
    const rendered = objectsOf(render({ values: { tls: { mode: 'cert-manager' } } })).filter(isNoHook);
    expect(byId(built('deploy/cert-manager'))).toEqual(byId([...rendered, namespace]));
  });
});

const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: 'pod-identity-webhook',
    labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
  },
};

function built(directory: string): JsonObject[] {
  const args = ['kustomize', join(ROOT, directory)];
  return objectsOf(execFileSync(requiredProgram('kubectl'), args, { encoding: 'utf8' }));
}

/** helm test is helm's. */
function isNoHook(object: JsonObject): boolean {
  const annotations = isObject(object['metadata']) ? object['metadata']['annotations'] : undefined;
  return !isObject(annotations) || annotations['helm.sh/hook'] === undefined;
}

function byId(objects: readonly JsonObject[]): Record<string, JsonObject> {
  return Object.fromEntries(objects.map((object) => [idOf(object), withoutHelmLabels(object)]));
}

function withoutHelmLabels(object: JsonObject): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const labels = isObject(metadata['labels']) ? Object.entries(metadata['labels']) : [];
  const kept = Object.fromEntries(labels.filter(([key]) => !HELM_LABELS.includes(key)));
  return { ...object, metadata: { ...metadata, labels: kept } };
}
