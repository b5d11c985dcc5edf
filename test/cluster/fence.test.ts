// What the webhook's account can do to its own MutatingWebhookConfiguration, which RBAC lets it patch: deploy/ as it is
// applied, and a real token of that account.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startControlPlane, kubeconfigOf } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { eventually } from './support/eventually.ts';
import { createKubectl } from './support/kubectl.ts';
import type { Kubectl } from './support/kubectl.ts';

const root = join(import.meta.dirname, '..', '..');
const name = 'pod-identity-webhook';
const configuration = `${name}.${name}`;
const caBundle = Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64');

let controlPlane: ControlPlane;
let asWebhook: Kubectl;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  const { kubectl, workspace, url, caPem } = controlPlane;
  await kubectl(['apply', '-k', join(root, 'deploy')]);
  await kubectl(['annotate', 'mutatingwebhookconfigurations', configuration, 'example.com/of=somebody-else']);
  const token = (await kubectl(['create', 'token', name, '-n', name])).trim();
  const kubeconfig = join(workspace.directory, 'account.kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf({ url, caPem, user: { token } }));
  asWebhook = createKubectl({ kubeconfig, home: workspace.directory });
  // The API server takes a policy up a moment after it was stored.
  await eventually({ what: 'the policy to be in force' }, async () =>
    (await outcomeOf([{ op: 'replace', path: '/webhooks/0/timeoutSeconds', value: 1 }], ['--dry-run=server'])) === ''
      ? undefined
      : true,
  );
});

afterAll(async () => controlPlane.stop());

type Operation = Readonly<Record<string, unknown>>;

/** What kubectl says where the patch is refused; nothing where it is stored. */
async function outcomeOf(patch: readonly Operation[], options: readonly string[] = []): Promise<string> {
  const args = ['patch', 'mutatingwebhookconfigurations', configuration, '--type=json', '-p', JSON.stringify(patch)];
  return asWebhook([...args, ...options]).then(
    () => '',
    (error: unknown) => String(error),
  );
}

async function stored(): Promise<unknown> {
  return JSON.parse(await controlPlane.kubectl(['get', 'mutatingwebhookconfigurations', configuration, '-o', 'json']));
}

const ENTRY = "The webhook's account may change nothing of an entry but clientConfig.caBundle.";
const ENTRIES = "The webhook's account may not add, remove, rename or reorder entries.";
const METADATA = "The webhook's account may not change the metadata of its MutatingWebhookConfiguration.";
const ANNOTATIONS = "The webhook's account may change no annotation but pod-identity-webhook/ca-generation.";

const everything = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] };
const foreign = {
  name: 'foreign.example.com',
  clientConfig: { url: 'https://example.com/' },
  rules: [everything],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
};

const refused: readonly [what: string, patch: readonly Operation[], message: string][] = [
  ['replaces the rules', [{ op: 'replace', path: '/webhooks/0/rules', value: [everything] }], ENTRY],
  ['adds a rule', [{ op: 'add', path: '/webhooks/1/rules/-', value: everything }], ENTRY],
  ['changes the operations', [{ op: 'replace', path: '/webhooks/0/rules/0/operations', value: ['UPDATE'] }], ENTRY],
  ['points at a URL', [{ op: 'replace', path: '/webhooks/0/clientConfig', value: foreign.clientConfig }], ENTRY],
  [
    'points at another Service',
    [{ op: 'replace', path: '/webhooks/0/clientConfig/service/name', value: 'other' }],
    ENTRY,
  ],
  [
    'points at another namespace',
    [{ op: 'replace', path: '/webhooks/3/clientConfig/service/namespace', value: 'default' }],
    ENTRY,
  ],
  ['changes the path', [{ op: 'replace', path: '/webhooks/0/clientConfig/service/path', value: '/x' }], ENTRY],
  ['changes the port', [{ op: 'replace', path: '/webhooks/0/clientConfig/service/port', value: 8443 }], ENTRY],
  ['fails open', [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }], ENTRY],
  ['fails closed', [{ op: 'replace', path: '/webhooks/2/failurePolicy', value: 'Fail' }], ENTRY],
  ['changes the match policy', [{ op: 'replace', path: '/webhooks/2/matchPolicy', value: 'Exact' }], ENTRY],
  ['takes all namespaces', [{ op: 'replace', path: '/webhooks/1/namespaceSelector', value: {} }], ENTRY],
  ['drops the namespace selector', [{ op: 'remove', path: '/webhooks/1/namespaceSelector' }], ENTRY],
  ['takes all pods', [{ op: 'replace', path: '/webhooks/0/objectSelector', value: {} }], ENTRY],
  ['drops the conditions', [{ op: 'remove', path: '/webhooks/0/matchConditions' }], ENTRY],
  ['weakens a condition', [{ op: 'replace', path: '/webhooks/0/matchConditions/0/expression', value: 'false' }], ENTRY],
  ['changes the timeout', [{ op: 'replace', path: '/webhooks/0/timeoutSeconds', value: 30 }], ENTRY],
  ['changes the side effects', [{ op: 'replace', path: '/webhooks/0/sideEffects', value: 'NoneOnDryRun' }], ENTRY],
  ['asks never again', [{ op: 'replace', path: '/webhooks/0/reinvocationPolicy', value: 'Never' }], ENTRY],
  ['drops a version', [{ op: 'remove', path: '/webhooks/0/admissionReviewVersions/0' }], ENTRY],
  ['renames an entry', [{ op: 'replace', path: '/webhooks/0/name', value: 'other.example.com' }], ENTRIES],
  ['adds an entry', [{ op: 'add', path: '/webhooks/-', value: foreign }], ENTRIES],
  ['removes an entry', [{ op: 'remove', path: '/webhooks/3' }], ENTRIES],
  ['removes all entries', [{ op: 'remove', path: '/webhooks' }], ENTRIES],
  ['reorders entries', [{ op: 'move', from: '/webhooks/0', path: '/webhooks/3' }], ENTRIES],
  ['adds a label', [{ op: 'add', path: '/metadata/labels/new', value: 'x' }], METADATA],
  ['changes a label', [{ op: 'replace', path: '/metadata/labels/app.kubernetes.io~1name', value: 'x' }], METADATA],
  ['removes all labels', [{ op: 'remove', path: '/metadata/labels' }], METADATA],
  ['adds a finalizer', [{ op: 'add', path: '/metadata/finalizers', value: ['example.com/stay'] }], METADATA],
  [
    'adds an owner',
    [
      {
        op: 'add',
        path: '/metadata/ownerReferences',
        value: [{ apiVersion: 'v1', kind: 'Namespace', name: 'default', uid: '00000000-0000-0000-0000-000000000000' }],
      },
    ],
    METADATA,
  ],
  [
    'adds an annotation',
    [{ op: 'add', path: '/metadata/annotations/cert-manager.io~1inject', value: 'x' }],
    ANNOTATIONS,
  ],
  [
    'changes an annotation',
    [{ op: 'replace', path: '/metadata/annotations/example.com~1of', value: 'me' }],
    ANNOTATIONS,
  ],
  ['removes an annotation', [{ op: 'remove', path: '/metadata/annotations/example.com~1of' }], ANNOTATIONS],
  [
    'hides a URL behind a right change',
    [
      { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: caBundle },
      { op: 'replace', path: '/webhooks/3/clientConfig', value: { ...foreign.clientConfig, caBundle } },
    ],
    ENTRY,
  ],
];

describe('the account of the webhook', () => {
  test.each(refused)('is refused a patch that %s', async (_what, patch, message) => {
    const before = await stored();
    expect(await outcomeOf(patch)).toBe(
      `Error: The mutatingwebhookconfigurations "${configuration}" is invalid: : ValidatingAdmissionPolicy '${configuration}' ` +
        `with binding '${configuration}' denied request: ${message}`,
    );
    expect(await stored()).toEqual(before);
  });

  test('may set the caBundle of every entry and the generation, and change both again', async () => {
    for (const generation of ['1', '2']) {
      const bundle = Buffer.from(`-----BEGIN CERTIFICATE-----${generation}`).toString('base64');
      const bundles = [0, 1, 2, 3].map((index) => ({
        op: 'add',
        path: `/webhooks/${index}/clientConfig/caBundle`,
        value: bundle,
      }));
      const annotation = {
        op: 'add',
        path: '/metadata/annotations/pod-identity-webhook~1ca-generation',
        value: generation,
      };
      expect(await outcomeOf([...bundles, annotation])).toBe('');
      const got = await controlPlane.kubectl([
        'get',
        'mutatingwebhookconfigurations',
        configuration,
        `-o=jsonpath={.metadata.annotations.pod-identity-webhook/ca-generation} {.webhooks[*].clientConfig.caBundle}`,
      ]);
      expect(got).toBe(`${generation} ${[bundle, bundle, bundle, bundle].join(' ')}`);
    }
  });

  test('may neither delete it nor touch another one', async () => {
    const refusal = async (args: readonly string[]): Promise<string> =>
      asWebhook(args).then(
        () => '',
        (error: unknown) => String(error),
      );
    const forbidden = (verb: string, object: string): string =>
      `Error: Error from server (Forbidden): mutatingwebhookconfigurations.admissionregistration.k8s.io "${object}" is forbidden: ` +
      `User "system:serviceaccount:${name}:${name}" cannot ${verb} resource "mutatingwebhookconfigurations" in API group ` +
      `"admissionregistration.k8s.io" at the cluster scope`;
    expect(await refusal(['delete', 'mutatingwebhookconfigurations', configuration])).toBe(
      forbidden('delete', configuration),
    );
    expect(await refusal(['get', 'mutatingwebhookconfigurations', name])).toBe(forbidden('get', name));
  });

  test('is held by the policy alone where somebody grants it more', async () => {
    const { kubectl } = controlPlane;
    const resource = '--resource=mutatingwebhookconfigurations';
    await kubectl(['create', 'clusterrole', 'more', '--verb=create,delete,get,patch,update', resource]);
    await kubectl(['create', 'clusterrolebinding', 'more', '--clusterrole=more', `--serviceaccount=${name}:${name}`]);
    const message = `denied request: The webhook's account may only update the MutatingWebhookConfiguration ${configuration}.`;
    const manifest = JSON.stringify({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'other' },
      webhooks: [foreign],
    });
    await kubectl(['create', '-f', '-'], manifest.replace('"other"', '"others"'));
    await eventually({ what: 'the rights to be in force' }, async () =>
      asWebhook(['get', 'mutatingwebhookconfigurations', 'others']),
    );
    await expect(asWebhook(['create', '-f', '-'], manifest)).rejects.toThrow(message);
    await expect(asWebhook(['delete', 'mutatingwebhookconfigurations', configuration])).rejects.toThrow(message);
    await expect(asWebhook(['label', 'mutatingwebhookconfigurations', 'others', 'a=b'])).rejects.toThrow(message);
  });

  test('leaves the administrator free', async () => {
    const { kubectl } = controlPlane;
    await kubectl(['label', 'mutatingwebhookconfigurations', configuration, 'of=the-administrator']);
    const deleted = await kubectl(['delete', 'mutatingwebhookconfigurations', configuration]);
    expect(deleted.trim()).toBe(`mutatingwebhookconfiguration.admissionregistration.k8s.io "${configuration}" deleted`);
  });
});
