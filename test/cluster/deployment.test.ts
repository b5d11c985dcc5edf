// The pods that kube-controller-manager creates for a Deployment, whole.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ownField, ownList } from '../../src/admission/json.ts';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { eventually } from './support/eventually.ts';
import { programPath } from './support/programs.ts';
import { comparableReplica } from './support/stored.ts';
import { startWebhook } from './support/webhook.ts';

const story: unknown = parse(readFileSync(join(import.meta.dirname, 'deployments/web.yaml'), 'utf8'));
// setup-envtest brings no kube-controller-manager, and it takes Go to build one.
const missing = programPath('kube-controller-manager') === undefined;

(missing ? describe.skip : describe)(`a Deployment${missing ? ' (kube-controller-manager is missing)' : ''}`, () => {
  let controlPlane: ControlPlane;

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    await startWebhook({ controlPlane, failurePolicy: 'Fail' });
    await controlPlane.kubectl(['apply', '-f', join(import.meta.dirname, 'manifests/shop.yaml')]);
    await controlPlane.startControllerManager();
  });

  afterAll(async () => controlPlane.stop());

  test('has the role in each pod that is stored for it', async () => {
    const { kubectl } = controlPlane;
    await kubectl(['create', '-f', '-'], JSON.stringify(ownField(story, 'deployment')));
    const pods = await eventually({ what: 'two pods of the Deployment' }, async () => {
      const list: unknown = JSON.parse(await kubectl(['get', 'pods', '-n', 'shop', '-l', 'app=web', '-o', 'json']));
      const items = ownList(list, 'items');
      return items.length === 2 ? items : undefined;
    });
    const stored = ownField(story, 'stored');
    expect(pods.map((pod) => comparableReplica(pod))).toEqual([stored, stored]);
  });
});
