// Where an identity comes from, with all sources switched on at once: which one counts, what a namespace forbids, and
// what the API server stores for both ways to credentials. Each of sources/*.yaml is compared whole.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import type { StoredIdentity } from './support/identities.ts';
import { agentIdentity, identityOf, noIdentity, roleIdentity, withoutSpread } from './support/identities.ts';
import { createKubeletVolume, credentialsFileOf } from './support/kubelet-volume.ts';
import { pod, roleFor, serviceAccount } from './support/objects.ts';
import { storedPod } from './support/stored.ts';
import type { Webhook } from './support/webhook.ts';
import { createWebhook, logLines } from './support/webhook.ts';

interface Story {
  readonly about: string;
  readonly pod: unknown;
  /** What kubectl prints, line by line. */
  readonly warnings: readonly unknown[];
  readonly stored: unknown;
}

const variables = [
  { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' },
  { name: 'AWS_DEFAULT_REGION', value: 'eu-central-1' },
  { name: 'AWS_REGION', value: 'eu-central-1' },
];
const role = (name: string): StoredIdentity => roleIdentity(roleFor(name), variables);
const agent = agentIdentity(variables);

const cases: [account: string, comes: string, identity: StoredIdentity][] = [
  ['shop/by-file', 'from the file, whatever the other sources say', agent],
  ['shop/by-annotation', 'from the annotation, although the ConfigMap has its key', role('annotation')],
  ['shop/by-exact-key', 'from its own key of the ConfigMap, although a glob matches too', role('exact-key')],
  ['shop/by-longer-glob', 'from the glob with more literal characters', role('longer-glob')],
  ['shop/by-shorter-glob', 'from a glob, although the namespace has a role', role('shorter-glob')],
  ['shop/namespace', 'from the namespace, where no other source names it', role('namespace')],
  ['shop/default', 'from nowhere: the namespace does not name the account "default"', noIdentity()],
  ['named/default', 'from the namespace, which names the account "default"', role('namespace')],
  ['named/batch-nightly', 'from the namespace, which names it by a glob', role('namespace')],
  ['named/other', 'from nowhere: the namespace names others', noIdentity()],
  ['guarded/team', 'from the annotation: the namespace allows the role', role('team/app')],
  ['guarded/by-file', 'from the file: it names no role that could be forbidden', agent],
];

const directory = join(import.meta.dirname, 'sources');
const stories = readdirSync(directory).map((file): [about: string, story: Story] => {
  const story: unknown = parse(readFileSync(join(directory, file), 'utf8'));
  const about = ownString(story, 'about') ?? file;
  const warnings = ownList(story, 'warnings');
  return [about, { about, pod: ownField(story, 'pod'), warnings, stored: ownField(story, 'stored') }];
});

let controlPlane: ControlPlane;
let webhook: Webhook;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  const volume = await createKubeletVolume({
    directory: join(controlPlane.workspace.directory, 'credentials'),
    name: 'identities.json',
    content: credentialsFileOf(['shop/by-file', 'guarded/by-file']),
  });
  webhook = await createWebhook({
    controlPlane,
    flags: [
      '--watch-config-map',
      `--watch-container-credentials-config=${volume.file}`,
      '--namespace-policy',
      '--aws-default-region=eu-central-1',
      '--sts-regional-endpoint',
    ],
    rights: ['may-read-config-map', 'may-read-namespaces'],
  });
  await controlPlane.kubectl(['apply', '-f', join(import.meta.dirname, 'manifests/sources.yaml')]);
  await webhook.start();
  await webhook.ready();
  await webhook.register('Fail', 'mutated');
});

afterAll(async () => controlPlane.stop());

/** The warnings that kubectl prints on creating it. */
async function createdWith(manifest: unknown): Promise<string[]> {
  // With the flag, kubectl creates the object just the same, prints its warnings and then fails.
  const creating = controlPlane.kubectl(['create', '-f', '-', '--warnings-as-errors'], JSON.stringify(manifest));
  const said = await creating.then(
    () => '',
    (error: unknown) => ownString(error, 'message') ?? String(error),
  );
  return said.split('\n').filter((line) => line !== '' && !/^error: \d+ warnings? received$/.test(line));
}

test('an identity comes from the first source that has one', async () => {
  const pods = cases.map(([account]) => {
    const [namespace = '', name = ''] = account.split('/');
    return pod({ namespace, name: `of-${name}`, account: name });
  });
  expect(await createdWith({ apiVersion: 'v1', kind: 'List', items: pods })).toEqual([]);
  const list: unknown = JSON.parse(await controlPlane.kubectl(['get', 'pods', '-A', '-o', 'json']));
  const stored = new Map(
    ownList(list, 'items').map((each) => [
      `${ownString(ownField(each, 'metadata'), 'namespace')}/${ownString(ownField(each, 'spec'), 'serviceAccountName')}`,
      identityOf(each),
    ]),
  );
  expect(cases.map(([account, comes]) => [account, comes, stored.get(account)])).toEqual(cases);
});

test.each([
  ['admin', 'admin'],
  ['by-exact-key', 'exact-key'],
])('a namespace forbids the role of its account %s, and kubectl prints it', async (account, forbidden) => {
  const name = `forbidden-${account}`;
  expect(await createdWith(pod({ namespace: 'guarded', name, account }))).toEqual([
    `Warning: no identity: namespace guarded does not allow role "${roleFor(forbidden)}" for guarded/${account}`,
  ]);
  const stored: unknown = JSON.parse(await controlPlane.kubectl(['get', 'pod', name, '-n', 'guarded', '-o', 'json']));
  expect(identityOf(stored)).toEqual(noIdentity());
});

// The namespace is some milliseconds older than its pods, whether the webhook's watch has told of it by then or not.
test('a namespace forbids roles from its first moment on', async () => {
  const { api, kubectl } = controlPlane;
  const namespaces = Array.from({ length: 10 }, (_each, index) => `new-${String(index).padStart(2, '0')}`);
  const create = async (path: string, body: object): Promise<void> => {
    expect((await api.call({ method: 'POST', path, body })).status).toBe(201);
  };
  for (const name of namespaces) {
    const annotations = { 'eks.amazonaws.com/allowed-roles': roleFor('allowed') };
    const path = `/api/v1/namespaces/${name}`;
    await create('/api/v1/namespaces', { metadata: { name, annotations } });
    for (const account of ['allowed', 'forbidden']) {
      await create(
        `${path}/serviceaccounts`,
        serviceAccount({ namespace: name, name: account, roleArn: roleFor(account) }),
      );
      await create(`${path}/pods`, pod({ namespace: name, name: account, account }));
    }
  }
  const list: unknown = JSON.parse(await kubectl(['get', 'pods', '-A', '-o', 'json']));
  const stored = ownList(list, 'items')
    .map((each) => ({ name: ownField(ownField(each, 'metadata'), 'name'), identity: identityOf(each) }))
    .filter(({ name }) => name === 'allowed' || name === 'forbidden');
  expect(stored).toEqual(
    namespaces.flatMap(() => [
      { name: 'allowed', identity: role('allowed') },
      { name: 'forbidden', identity: noIdentity() },
    ]),
  );
});

describe('stores, whole,', () => {
  test.each(stories)('%s', async (_about, story) => {
    const name = ownString(ownField(story.pod, 'metadata'), 'name') ?? '';
    expect(await createdWith(story.pod)).toEqual(story.warnings);
    expect(withoutSpread(await storedPod(controlPlane.kubectl, name))).toEqual(story.stored);
  });
});

test('all of that takes these rights, and no other', async () => {
  const rulesIn = async (namespace: string): Promise<unknown> => {
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
    const answer: unknown = JSON.parse(
      await controlPlane.kubectl(
        ['create', '--raw', path, '-f', '-', `--kubeconfig=${webhook.kubeconfig}`],
        JSON.stringify(review),
      ),
    );
    const own = ownList(ownField(answer, 'status'), 'resourceRules');
    // The others every authenticated client has: to ask about itself (ClusterRole system:basic-user).
    return new Set(own.filter((rule) => ownList(rule, 'verbs')[0] !== 'create'));
  };
  const reading = { verbs: ['get', 'list', 'watch'], apiGroups: [''] };
  const everywhere = [
    { ...reading, resources: ['serviceaccounts'] },
    { ...reading, resources: ['namespaces'] },
  ];
  expect(await rulesIn('shop')).toEqual(new Set(everywhere));
  expect(await rulesIn('pod-identity-webhook')).toEqual(
    new Set([...everywhere, { ...reading, resources: ['configmaps'], resourceNames: ['pod-identity-webhook'] }]),
  );
  expect(logLines(webhook).filter(({ level }) => level !== 'info')).toEqual([]);
});
