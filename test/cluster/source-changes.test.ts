// Sources that change while pods are being created: each pod has what the source said before or after, never nothing,
// and soon only what it says now.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { eventually } from './support/eventually.ts';
import type { StoredIdentity } from './support/identities.ts';
import { agentExpirationsOf, agentIdentity, identityOf, noIdentity, roleIdentity } from './support/identities.ts';
import type { KubeletVolume } from './support/kubelet-volume.ts';
import { createKubeletVolume, credentialsFileOf } from './support/kubelet-volume.ts';
import { pod, roleFor, serviceAccount } from './support/objects.ts';
import { report } from './support/report.ts';
import type { SteadyPod } from './support/steady-pods.ts';
import { createPodsSteadily } from './support/steady-pods.ts';
import { logLines, startWebhook } from './support/webhook.ts';
import type { Webhook } from './support/webhook.ts';

const namespace = 'changing';
/** How long a change may take to count. */
const graceMs = 2_000;
const inFile = credentialsFileOf([`${namespace}/by-file`]);
const inNoFile = credentialsFileOf([]);

let controlPlane: ControlPlane;
let webhook: Webhook;
let volume: KubeletVolume;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  const directory = join(controlPlane.workspace.directory, 'credentials');
  volume = await createKubeletVolume({ directory, name: 'identities.json', content: inNoFile });
  webhook = await startWebhook({
    controlPlane,
    failurePolicy: 'Fail',
    flags: ['--watch-config-map', `--watch-container-credentials-config=${volume.file}`],
    rights: ['may-read-config-map'],
  });
  const { kubectl } = controlPlane;
  await kubectl(['create', 'namespace', namespace]);
  const accounts = [
    serviceAccount({ namespace, name: 'by-config-map' }),
    serviceAccount({ namespace, name: 'by-file', roleArn: roleFor('annotation') }),
  ];
  await kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: accounts }));
  await afterLine('ConfigMap read', async () => apply(configNaming('first')));
});

afterAll(async () => controlPlane.stop());

function configNaming(role: string): string {
  return JSON.stringify({ [`${namespace}/by-config-map`]: { RoleARN: roleFor(role) } });
}

async function apply(config: string): Promise<void> {
  const metadata = { name: 'pod-identity-webhook', namespace: 'pod-identity-webhook' };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { config } };
  await controlPlane.kubectl(['apply', '-f', '-'], JSON.stringify(configMap));
}

/** Makes the change and waits until the webhook has written one more of these lines. */
async function afterLine(message: string, change: () => Promise<unknown>): Promise<void> {
  const lines = (): number => logLines(webhook).filter(({ msg }) => msg === message).length;
  const before = lines();
  await change();
  await eventually({ what: `the line "${message}"` }, async () => (lines() > before ? true : undefined));
}

async function identityOfNewPod(name: string, account: string): Promise<StoredIdentity> {
  const { kubectl } = controlPlane;
  await kubectl(['create', '-f', '-'], JSON.stringify(pod({ namespace, name, account })));
  return identityOf(JSON.parse(await kubectl(['get', 'pod', name, '-n', namespace, '-o', 'json'])));
}

interface Change {
  readonly beganAt: number;
  readonly doneAt: number;
}

async function timed(change: () => Promise<unknown>): Promise<Change> {
  const beganAt = performance.now();
  await change();
  return { beganAt, doneAt: performance.now() };
}

/** Those of the states that may have been in force when the pod was decided on; each change leads to the next state. */
function possible<State>(
  { beganAt, acceptedAt }: SteadyPod,
  changes: readonly Change[],
  states: readonly State[],
): State[] {
  return states.filter((_state, index) => {
    const since = changes[index - 1]?.beganAt ?? -Infinity;
    const until = (changes[index]?.doneAt ?? Infinity) + graceMs;
    return acceptedAt >= since && beganAt <= until;
  });
}

test('leaves no pod without the identity of before or after, and after 2 s only that of after', async () => {
  const enough = new AbortController();
  const accounts = ['by-config-map', 'by-file'];
  const creating = createPodsSteadily({
    api: controlPlane.api,
    namespace,
    accounts,
    everyMs: 100,
    until: enough.signal,
  });
  const states: Record<string, readonly StoredIdentity[]> = {
    'by-config-map': ['first', 'second', 'third'].map((name) => roleIdentity(roleFor(name))),
    'by-file': [roleIdentity(roleFor('annotation')), agentIdentity(), roleIdentity(roleFor('annotation'))],
  };
  const changes: Record<string, Change[]> = { 'by-config-map': [], 'by-file': [] };
  await sleep(1_000);
  for (const [role, content] of [
    ['second', inFile],
    ['third', inNoFile],
  ] as const) {
    changes['by-config-map']?.push(await timed(async () => apply(configNaming(role))));
    changes['by-file']?.push(await timed(async () => volume.swap(content)));
    await sleep(graceMs + 1_200);
  }
  enough.abort();
  const pods = await creating;

  const list: unknown = JSON.parse(await controlPlane.kubectl(['get', 'pods', '-n', namespace, '-o', 'json']));
  const stored = new Map(ownList(list, 'items').map((each) => [ownString(ownField(each, 'metadata'), 'name'), each]));
  const seen = pods.map((each) => {
    const identity = identityOf(stored.get(each.name));
    const may = possible(each, changes[each.account] ?? [], states[each.account] ?? []);
    return { ...each, identity, may, known: may.some((state) => isDeepStrictEqual(state, identity)) };
  });
  expect(seen.filter(({ known }) => !known)).toEqual([]);
  for (const account of accounts) {
    const own = seen.filter((each) => each.account === account);
    // Only pods of which one thing alone could become show anything: of each state there have to be some.
    const certain = (states[account] ?? []).map(
      (state) => own.filter(({ may }) => may.length === 1 && may[0] === state).length > 0,
    );
    expect([account, certain]).toEqual([account, [true, true, true]]);
    const late = lags(own, account).join(' and ');
    report(`${account}: ${own.length} pods; the last that had what was before was sent ${late} ms after the change`);
  }
  const expirations = seen.flatMap(({ name }) => agentExpirationsOf(stored.get(name)));
  expect(new Set(expirations).size).toBeGreaterThan(1);

  /** From each change to the last pod that was sent after it and still has what was before. */
  function lags(own: readonly (typeof seen)[number][], account: string): string[] {
    return (changes[account] ?? []).map(({ doneAt, beganAt }, index) => {
      const before = (states[account] ?? [])[index];
      const next = changes[account]?.[index + 1]?.beganAt ?? Infinity;
      const late = own.filter(
        (each) => each.beganAt > beganAt && each.acceptedAt < next && isDeepStrictEqual(each.identity, before),
      );
      return Math.max(0, ...late.map((each) => each.beganAt - doneAt)).toFixed(0);
    });
  }
});

test('keeps what a ConfigMap said before it was malformed, and forgets it when it is deleted', async () => {
  await afterLine('ConfigMap read', async () => apply(configNaming('good')));
  await afterLine('ConfigMap kept as it was last readable', async () => apply(`${configNaming('bad')}}`));
  expect(await identityOfNewPod('malformed', 'by-config-map')).toEqual(roleIdentity(roleFor('good')));
  await afterLine('ConfigMap read', async () => apply(configNaming('better')));
  expect(await identityOfNewPod('mended', 'by-config-map')).toEqual(roleIdentity(roleFor('better')));
  await afterLine('ConfigMap read', async () =>
    controlPlane.kubectl(['delete', 'configmap', 'pod-identity-webhook', '-n', 'pod-identity-webhook']),
  );
  expect(await identityOfNewPod('deleted', 'by-config-map')).toEqual(noIdentity());
});

test('keeps what the file said before it was malformed, and forgets it when the file is empty', async () => {
  await afterLine('container-credentials file read', async () => volume.swap(inFile));
  await afterLine('container-credentials file cannot be used; the last good one stays', async () =>
    volume.swap(inNoFile.slice(0, -1)),
  );
  expect(await identityOfNewPod('unreadable', 'by-file')).toEqual(agentIdentity());
  await afterLine('container-credentials file read', async () => volume.swap(''));
  expect(await identityOfNewPod('emptied', 'by-file')).toEqual(roleIdentity(roleFor('annotation')));
});
