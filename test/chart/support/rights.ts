// The table of rights in docs/security.md, made from what the chart renders: each right with the mode that adds it. The
// reasons are written here, and a right without a reason is an error.
import { isObject, ownField, ownList, ownString } from '../../../src/admission/json.ts';
import type { JsonObject } from '../../../src/admission/json.ts';
import { NAME, objectsOf, render } from './helm.ts';
import { shapes } from './shapes.ts';

interface Right {
  readonly account: string;
  readonly scope: string;
  readonly resource: string;
  readonly names: string;
  readonly verbs: string;
}

const CHECK = `${NAME}-check`;
const OTHERWISE = { tls: { mode: 'cert-manager' }, tests: { enabled: false } };
const MODES: readonly (readonly [when: string, values: object])[] = [
  ['always', OTHERWISE],
  ['`tls.mode=self-signed`, the default', { ...OTHERWISE, tls: { mode: 'self-signed' } }],
  ['`roleConfigMap.enabled`', { ...OTHERWISE, roleConfigMap: { enabled: true } }],
  ['`namespacePolicy`', { ...OTHERWISE, namespacePolicy: true }],
  ['`audit.interval`', { ...OTHERWISE, audit: { interval: '10m' } }],
  ['`helm test`, while it runs; an account of its own', { ...OTHERWISE, tests: { enabled: true } }],
];

/** By account and resource. */
const REASONS: Readonly<Record<string, string>> = {
  [`${NAME} serviceaccounts`]:
    'Which role an account names. Metadata only; `get` for one that the cache does not have yet.',
  [`${NAME} mutatingwebhookconfigurations`]: 'To keep the caBundle; the policy below refuses every other change.',
  [`${NAME} secrets`]:
    'To keep the key of its CA. Never `create`, which no name can bound: the Secret is rendered empty.',
  [`${NAME} configmaps`]: 'Roles that are named in this ConfigMap.',
  [`${NAME} namespaces`]: 'Default role and allowed roles in annotations of namespaces. Metadata only.',
  [`${NAME} pods`]: 'To count the pods that missed their identity. Page by page; nothing of them is kept.',
  [`${NAME} leases`]: 'So that one replica counts at a time. Never `create`: the Lease is rendered without a holder.',
  [`${CHECK} mutatingwebhookconfigurations`]: 'To see whether the API server calls the webhook, and by which CA.',
  [`${CHECK} pods`]: 'To see what becomes of a pod: a dry run, nothing is stored.',
};

export function rightsTable(): string {
  const known = new Set<string>();
  const rows = MODES.flatMap(([when, values]) => {
    const added = rightsIn(values).filter((right) => !known.has(JSON.stringify(right)));
    for (const right of added) known.add(JSON.stringify(right));
    return added.map((right) => rowOf(right, when));
  });
  // Names differ from shape to shape; what may be done with which kind of object does not.
  const kinds = new Set([...known].map((right) => kindOf(JSON.parse(right))));
  const missing = shapes.flatMap(({ values }) => rightsIn(values).map(kindOf)).filter((kind) => !kinds.has(kind));
  if (missing.length > 0) throw new Error(`No mode of the table adds ${missing.join('; ')}: add it to MODES.`);
  return ['| Verbs | Objects | In | Why | When |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function kindOf(right: unknown): string {
  return ['verbs', 'resource', 'scope'].map((key) => ownString(right, key)).join(' ');
}

function rowOf({ account, scope, resource, names, verbs }: Right, when: string): string {
  const why = REASONS[`${account} ${resource.split('.')[0] ?? ''}`];
  if (why === undefined) throw new Error(`${account} may ${verbs} ${resource}, and REASONS does not say why.`);
  const objects = names === '' ? `all \`${resource}\`` : `\`${resource}\` called \`${names}\``;
  return `| ${verbs} | ${verbs === 'create' ? `\`${resource}\`` : objects} | ${scope} | ${why} | ${when} |`;
}

/** What the bindings give to whom. Throws where a role is bound to nobody, so that none is overlooked. */
function rightsIn(values: object): readonly Right[] {
  const objects = objectsOf(render({ values }));
  const roles = objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
  const bindings = objects.filter(({ kind }) => kind === 'ClusterRoleBinding' || kind === 'RoleBinding');
  return roles.flatMap((role) => {
    const bound = bindings.filter(
      (binding) =>
        nameOf(ownField(binding, 'roleRef')) === nameOf(role['metadata']) && roleKindOf(binding) === role['kind'],
    );
    if (bound.length === 0)
      throw new Error(`Nobody is bound to the ${String(role['kind'])} ${nameOf(role['metadata'])}.`);
    return bound.flatMap((binding) =>
      ownList(binding, 'subjects').flatMap((subject) =>
        ownList(role, 'rules').flatMap((rule) => rightsOf(rule, binding, nameOf(subject))),
      ),
    );
  });
}

function rightsOf(rule: unknown, binding: JsonObject, account: string): readonly Right[] {
  const scope = binding['kind'] === 'ClusterRoleBinding' ? 'the cluster' : 'its namespace';
  const of = (key: string): string => ownList(rule, key).join(', ');
  // A rule of another kind (nonResourceURLs) would have no row.
  if (!isObject(rule) || rule['nonResourceURLs'] !== undefined) throw new Error(`No row for ${JSON.stringify(rule)}.`);
  return ownList(rule, 'resources').flatMap((resource) =>
    ownList(rule, 'apiGroups').map((group) => ({
      account,
      scope,
      resource: group === '' ? String(resource) : `${String(resource)}.${String(group)}`,
      names: of('resourceNames'),
      verbs: of('verbs'),
    })),
  );
}

function roleKindOf(binding: JsonObject): string | undefined {
  return ownString(binding['roleRef'], 'kind');
}

function nameOf(thing: unknown): string {
  return ownString(thing, 'name') ?? '';
}
