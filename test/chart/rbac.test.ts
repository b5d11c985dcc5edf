// What the chart lets the webhook's account do is what the program does, in each mode, and not more.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';
import type { JsonObject } from '../../src/admission/json.ts';
import { idOf, objectsOf, render, ROOT } from './support/helm.ts';

/** The calls of `serve`, by what makes it make them. */
const CALLS = {
  /** app-accounts.ts: the cache, and a read of what it lacks. */
  always: ['cluster serviceaccounts get,list,watch'],
  /** app-accounts.ts: the same for namespaces. */
  namespacePolicy: ['cluster namespaces get,list,watch'],
  /** app-accounts.ts: by a field selector of one name. */
  roleConfigMap: ['namespace configmaps[pod-identity-webhook] get,list,watch'],
  /** app-audit.ts: pages of all pods, and the Lease of the one that counts. */
  audit: ['cluster pods list', 'namespace leases.coordination.k8s.io[pod-identity-webhook-audit] get,update'],
  /** certificates/: the Secret of the CA, and the caBundle. */
  selfSigned: [
    'cluster mutatingwebhookconfigurations.admissionregistration.k8s.io[pod-identity-webhook.pod-identity-webhook] get,list,watch,patch',
    'namespace secrets[pod-identity-webhook-self-signed] get,list,watch,update',
  ],
};

/** Rights of the webhook's account, as the bindings give them. */
function rightsIn(values: object): string[] {
  const objects = objectsOf(render({ values })).filter((object) => !isHook(object));
  const bindings = objects.filter(({ kind }) => kind === 'ClusterRoleBinding' || kind === 'RoleBinding');
  return bindings
    .flatMap((binding) => {
      expect(ownList(binding, 'subjects')).toEqual([
        { kind: 'ServiceAccount', name: 'pod-identity-webhook', namespace: 'pod-identity-webhook' },
      ]);
      const role = ownField(binding, 'roleRef');
      const scope = binding['kind'] === 'ClusterRoleBinding' ? 'cluster' : 'namespace';
      const found = objects.find(
        (object) =>
          object['kind'] === ownString(role, 'kind') && idOf(object).endsWith(`/${ownString(role, 'name') ?? ''}`),
      );
      return ownList(found, 'rules').flatMap((rule) => rightsOf(scope, rule));
    })
    .toSorted();
}

function rightsOf(scope: string, rule: unknown): string[] {
  const names = ownList(rule, 'resourceNames');
  return ownList(rule, 'apiGroups').flatMap((group) =>
    ownList(rule, 'resources').map(
      (resource) =>
        `${scope} ${String(resource)}${group === '' ? '' : `.${String(group)}`}` +
        `${names.length === 0 ? '' : `[${names.join(',')}]`} ${ownList(rule, 'verbs').join(',')}`,
    ),
  );
}

function isHook(object: JsonObject): boolean {
  const annotations = isObject(object['metadata']) ? object['metadata']['annotations'] : undefined;
  return isObject(annotations) && annotations['helm.sh/hook'] !== undefined;
}

describe('the rights of the webhook', () => {
  test.each<[what: string, values: object, calls: readonly string[]]>([
    ['by default', {}, [...CALLS.always, ...CALLS.selfSigned]],
    ['with cert-manager', { tls: { mode: 'cert-manager' } }, CALLS.always],
    [
      'with a certificate of one’s own',
      { tls: { mode: 'existing-secret', existingSecret: { openshiftServiceCa: true } } },
      CALLS.always,
    ],
    ['as a shadow', { shadow: true, tls: { mode: 'cert-manager' } }, CALLS.always],
    [
      'with every source',
      { tls: { mode: 'cert-manager' }, roleConfigMap: { enabled: true }, namespacePolicy: true },
      [...CALLS.always, ...CALLS.namespacePolicy, ...CALLS.roleConfigMap],
    ],
    [
      'with everything',
      { roleConfigMap: { enabled: true }, namespacePolicy: true, audit: { interval: '10m' } },
      Object.values(CALLS).flat(),
    ],
    ['where somebody else grants them', { rbac: { create: false } }, []],
  ])('%s are what it calls', (_what, values, calls) => {
    expect(rightsIn(values)).toEqual([...calls].toSorted());
  });

  test('never make a token, whose audience and account the caller chooses, nor know a wildcard', () => {
    const rights = rightsIn({ roleConfigMap: { enabled: true }, namespacePolicy: true }).join('\n');
    expect(rights).not.toMatch(/token|\*|create|delete|escalate|bind|impersonate/);
  });
});

describe('the program', () => {
  // Commands run with the rights of whoever calls them, so their paths do not count here.
  const rooms = ['', 'identity', 'kube', 'certificates', 'server', 'observe', 'admission'];

  test('knows no other collection of the API than those that the rights are for', () => {
    const paths = rooms.flatMap((room) => {
      const directory = join(ROOT, 'src', room);
      const files = readdirSync(directory).filter((file) => file.endsWith('.ts'));
      return files.flatMap((file) =>
        [
          ...readFileSync(join(directory, file), 'utf8').matchAll(
            /(?<=['`])\/apis?\/[\w./${}-]*\/[\w./${}-]*(?=['`?])/g,
          ),
        ].map(([path]) => path.replace(/\$\{[^}]*\}/g, '…')),
      );
    });
    expect([...new Set(paths)].toSorted()).toEqual([
      '/api/v1/namespaces',
      '/api/v1/namespaces/…/configmaps',
      '/api/v1/namespaces/…/secrets',
      '/api/v1/pods',
      '/api/v1/serviceaccounts',
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    ]);
  });
});
