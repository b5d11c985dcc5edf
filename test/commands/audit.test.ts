// `audit` on what kubectl prints of a cluster, and on an API server that answers as one.
import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import { auditOptionsFrom } from '../../src/audit-from-flags.ts';
import { ownerOf } from '../../src/commands/audit-owner.ts';
import { runAudit } from '../../src/commands/audit.ts';
import type { Outcome } from '../support/golden.ts';
import { runCommand } from '../support/run-command.ts';

const role = 'arn:aws:iam::111122223333:role/app';
const token = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';

const owner = (kind: string, name: string): object => ({ ownerReferences: [{ kind, name, controller: true }] });

function account(name: string, annotations: object, namespace = 'shop'): object {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name, annotations } };
}

function pod(name: string, metadata: object = {}, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name, ...metadata },
    spec: { serviceAccountName: 'web', containers: [{ name: 'app' }], ...spec },
  };
}

const injected = (roleArn: string): object => ({
  containers: [
    {
      name: 'app',
      env: [
        { name: 'AWS_ROLE_ARN', value: roleArn },
        { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: token },
      ],
      volumeMounts: [{ name: 'aws-iam-token', mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount' }],
    },
  ],
  volumes: [
    {
      name: 'aws-iam-token',
      projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'sts.amazonaws.com' } }] },
    },
  ],
});

const ofDeployment = { labels: { 'pod-template-hash': '5d8f' }, ...owner('ReplicaSet', 'web-5d8f') };
const web = account('web', { 'eks.amazonaws.com/role-arn': role });

async function audit(files: Readonly<Record<string, readonly object[]>>, ...args: readonly string[]): Promise<Outcome> {
  const list = (items: readonly object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  return runCommand(async ({ flags, io }) => runAudit(await auditOptionsFrom(flags, io.readFile), io), {
    args: ['audit', ...Object.keys(files).map((file) => `--filename=${file}`), ...args],
    files: Object.fromEntries(Object.entries(files).map(([name, items]) => [name, list(items)])),
  });
}

describe('audit of files', () => {
  it('finds nothing where all is right', async () => {
    expect(await audit({ cluster: [web, pod('a', ofDeployment, injected(role))] })).toEqual({
      out: '1 pod: 0 missed, 0 stale; 1 account: 0 mistyped\n',
      err: '',
      exit: 0,
    });
  });

  it('tells pods by their owner, with the command that creates them again', async () => {
    const old = 'arn:aws:iam::111122223333:role/old';
    const { out, err, exit } = await audit({
      cluster: [
        web,
        account('typo', { 'eks.amazon.com/role-arn': role }),
        pod('web-5d8f-a', ofDeployment),
        pod('web-5d8f-b', ofDeployment),
        pod('old-0', owner('StatefulSet', 'old'), injected(old)),
        pod('job-a', owner('Job', 'job')),
        pod('job-b', owner('Job', 'job')),
        pod('bare'),
        pod('bare-old', {}, injected(old)),
        { ...pod('done'), status: { phase: 'Succeeded' } },
      ],
    });
    const lacks = 'it lacks volume aws-iam-token, AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, mount aws-iam-token';
    expect([out, err, exit]).toEqual([
      `missed  Deployment/web in shop, 2 pods of account web: ${lacks}
        kubectl rollout restart deployment/web -n shop
stale   StatefulSet/old in shop, 1 pod of account web: container app has role "${old}", its account "${role}"
        kubectl rollout restart statefulset/old -n shop
missed  Job/job in shop, 2 pods of account web: ${lacks}
        kubectl delete pod job-a -n shop
        kubectl delete pod job-b -n shop
missed  Pod/bare in shop, 1 pod of account web: ${lacks}
        kubectl get pod bare -n shop -o yaml | kubectl replace --force -f -
stale   Pod/bare-old in shop, 1 pod of account web: container app has role "${old}", its account "${role}"
        kubectl delete pod bare-old -n shop, and create it from its manifest again
account ServiceAccount/typo in shop: annotation eks.amazon.com/role-arn is read by nobody; eks.amazonaws.com/role-arn is meant
        kubectl annotate serviceaccount typo -n shop eks.amazon.com/role-arn- eks.amazonaws.com/role-arn=${role}
        # then create its pods again
7 pods: 5 missed, 2 stale; 2 accounts: 1 mistyped
`,
      '',
      1,
    ]);
  });

  it('shows role ARNs whole, however alike they begin', async () => {
    const [old, now] = ['checkin', 'checkout'].map((name) => `arn:aws:iam::111122223333:role/team/payments/${name}`);
    const annotated = account('web', { 'eks.amazonaws.com/role-arn': now });
    const { out } = await audit({ cluster: [annotated, pod('a', ofDeployment, injected(old ?? ''))] });
    expect(out.split('\n')[0]).toBe(
      `stale   Deployment/web in shop, 1 pod of account web: container app has role "${old}", its account "${now}"`,
    );
  });

  it('is one JSON document', async () => {
    const { out, exit } = await audit({ cluster: [web, pod('a', ofDeployment)] }, '-o', 'json');
    expect([JSON.parse(out), exit]).toEqual([
      {
        pods: [
          {
            fault: 'missed',
            namespace: 'shop',
            pod: 'a',
            serviceAccount: 'web',
            roleArn: role,
            evidence: 'it lacks volume aws-iam-token, AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, mount aws-iam-token',
            owner: 'Deployment/web',
            restart: 'kubectl rollout restart deployment/web -n shop',
          },
        ],
        accounts: [],
        checked: { pods: 1, accounts: 1 },
      },
      1,
    ]);
  });

  it('lets nobody write to the terminal', async () => {
    const { out } = await audit({ cluster: [web, pod('a', owner('Deployment', '\u001B[2J'))] });
    expect([out.includes('\u001B'), out.includes("'deployment/\uFFFD[2J'")]).toEqual([false, true]);
  });

  it('looks at one namespace where it is asked to', async () => {
    const files = { accounts: [web, account('typo', { 'eks.amazon.com/role-arn': role }, 'other')], pods: [pod('a')] };
    expect([
      (await audit(files, '-n', 'other')).out.split('\n').at(-2),
      (await audit(files, '-A')).out.split('\n').at(-2),
    ]).toEqual([
      '0 pods: 0 missed, 0 stale; 1 account: 1 mistyped',
      '1 pod: 1 missed, 0 stale; 2 accounts: 1 mistyped',
    ]);
  });

  it('refuses to have checked nothing, lest an empty pipe or a slip look like a clean cluster', async () => {
    const files = { empty: [], cluster: [web, pod('a')] };
    const listed = { pods: [{ apiVersion: 'v1', kind: 'PodList', items: [pod('a')] }] };
    const give = 'nothing was checked; give what kubectl get pods,serviceaccounts -A -o yaml prints\n';
    expect([
      await audit({ empty: [] }),
      await audit(files, '--namespace=shpo'),
      await audit(listed, '--namespace=shpo'),
    ]).toEqual([
      { out: '', err: `no pods and no ServiceAccounts in the manifests: ${give}`, exit: 2 },
      { out: '', err: `no pods and no ServiceAccounts in the manifests, of namespace "shpo": ${give}`, exit: 2 },
      { out: '', err: `no pods and no ServiceAccounts in the manifests, of namespace "shpo": ${give}`, exit: 2 },
    ]);
  });

  it('takes nothing for an answer where a list of a kind says so, and where all pods have ended', async () => {
    const none = { pods: [{ apiVersion: 'v1', kind: 'PodList', items: [] }] };
    const out = '0 pods: 0 missed, 0 stale; 0 accounts: 0 mistyped\n';
    expect([await audit(none), await audit({ pods: [{ ...pod('a'), status: { phase: 'Failed' } }] })]).toEqual([
      { out, err: 'no pods and no ServiceAccounts in the manifests: nothing was checked\n', exit: 0 },
      { out, err: '', exit: 0 },
    ]);
  });

  it('reads the lists of the API server, whose items name no kind', async () => {
    const { apiVersion: _version, kind: _kind, ...item } = { apiVersion: '', kind: '', ...pod('a') };
    const { out, exit } = await audit({ all: [web, { apiVersion: 'v1', kind: 'PodList', items: [item] }] });
    expect([out.split('\n').at(-2), exit]).toEqual(['1 pod: 1 missed, 0 stale; 1 account: 0 mistyped', 1]);
  });

  it('refuses what is no object of its kind', async () => {
    const of = (kind: string, object: object): object => ({ apiVersion: 'v1', kind, ...object });
    const metadata = { name: 'a' };
    const junk = [
      of('Pod', { metadata: 5, spec: {} }),
      of('Pod', { metadata: {}, spec: {} }),
      of('Pod', { metadata, spec: [] }),
      of('Pod', { metadata: { generateName: 'a-' } }),
      of('Pod', { metadata, spec: { containers: {} } }),
      of('ServiceAccount', {}),
      of('ConfigMap', {}),
    ];
    const { err, exit } = await audit({ junk });
    expect([err.split('\n'), exit]).toEqual([
      [
        'junk:1: this is no Pod: its metadata is a number; correct it',
        'junk:1: this is no Pod: its list of containers is missing; correct it',
        'junk:1: this is no Pod: its spec is a list; correct it',
        'junk:1: this is no Pod: its spec is missing; correct it',
        'junk:1: this is no Pod: its list of containers is an object; correct it',
        'junk:1: this is no ServiceAccount: its metadata is missing; correct it',
        '',
      ],
      2,
    ]);
  });

  it('judges as the server with the same flags would', async () => {
    const entry = JSON.stringify({ 'shop/*': { RoleARN: role } });
    const configMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'roles', name: 'pod-identity-webhook' },
      data: { config: entry },
    };
    const files = { cluster: [configMap, account('web', {}), pod('a')] };
    const withFlags = await audit(files, '--watch-config-map', '--config-map-namespace=roles');
    expect([(await audit(files)).exit, withFlags.exit]).toEqual([0, 1]);
  });

  it('says which pods it cannot judge, and finds no fault in them', async () => {
    expect(await audit({ pods: [pod('a', {}, injected(role)), pod('b')] })).toEqual({
      out: '2 pods: 0 missed, 0 stale; 0 accounts: 0 mistyped\n',
      err: '2 pods not judged: their ServiceAccounts are not among the manifests\n',
      exit: 0,
    });
  });

  it.each([
    [['--namespace=a', '--all-namespaces'], '--namespace="a": leave it or --all-namespaces out\n'],
    [['--namespace=a b'], '--namespace="a b": want the name of one namespace\n'],
    [['--filename=missing'], 'missing: there is no such file; correct the path\n'],
    [
      ['--kubeconfig=/nowhere/kubeconfig'],
      `the cluster: --kubeconfig="/nowhere/kubeconfig" cannot be read: ENOENT: no such file or directory, open '/nowhere/kubeconfig'; give the path of a kubeconfig\n`,
    ],
  ])('refuses %j', async (args, err) => {
    expect(await audit({}, ...args)).toEqual({ out: '', err, exit: 2 });
  });
});

describe('audit of a cluster', () => {
  const closers: (() => void)[] = [];
  afterEach(() => closers.splice(0).forEach((close) => close()));

  async function cluster(pages: Readonly<Record<string, unknown>>): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((incoming, outgoing) => {
      asked.push(incoming.url ?? '');
      const page = pages[incoming.url ?? ''];
      const status = page === undefined ? 403 : 200;
      const refusal = { kind: 'Status', message: 'forbidden', reason: 'Forbidden' };
      outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(page ?? refusal));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      server.close();
      server.closeAllConnections();
    });
    const address = server.address();
    return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, asked };
  }

  const listOf = (items: readonly object[], next = ''): object => ({
    metadata: { resourceVersion: '1', continue: next },
    items,
  });

  it('reads accounts once and pods page by page; a missing account has no role', async () => {
    const { url, asked } = await cluster({
      '/api/v1/serviceaccounts?limit=500': listOf([web]),
      '/api/v1/namespaces?limit=500': listOf([{ metadata: { name: 'shop' } }]),
      '/api/v1/pods?limit=500': listOf([pod('a')], 'more'),
      '/api/v1/pods?limit=500&continue=more': listOf([pod('b', {}, { serviceAccountName: 'gone', ...injected(role) })]),
    });
    const { out, err, exit } = await audit({}, `--kube-api=${url}`, '--namespace-policy');
    const lacks = 'it lacks volume aws-iam-token, AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, mount aws-iam-token';
    expect([out, err, exit]).toEqual([
      `missed  Pod/a in shop, 1 pod of account web: ${lacks}
        kubectl get pod a -n shop -o yaml | kubectl replace --force -f -
stale   Pod/b in shop, 1 pod of account gone: it has role "${role}", and its account has none: service-account-not-found
        kubectl delete pod b -n shop, and create it from its manifest again
2 pods: 1 missed, 1 stale; 1 account: 0 mistyped
`,
      '',
      1,
    ]);
    expect(asked.length).toBe(4);
  });

  it('asks for one namespace only, and for the ConfigMap of roles', async () => {
    const { url, asked } = await cluster({
      '/api/v1/namespaces/shop/serviceaccounts?limit=500': listOf([account('web', {})]),
      '/api/v1/namespaces/eks/configmaps/pod-identity-webhook': {
        kind: 'ConfigMap',
        data: { config: JSON.stringify({ 'shop/web': { RoleARN: role } }) },
      },
      '/api/v1/namespaces/shop/pods?limit=500': listOf([pod('a')]),
    });
    const { out, exit } = await audit({}, `--kube-api=${url}`, '-n', 'shop', '--watch-config-map');
    expect([out.split('\n').at(-2), exit, asked.length]).toEqual([
      '1 pod: 1 missed, 0 stale; 1 account: 0 mistyped',
      1,
      3,
    ]);
  });

  it('refuses a namespace that is not there, which the API server lists as an empty one', async () => {
    const { url } = await cluster({
      '/api/v1/namespaces/typo/serviceaccounts?limit=500': listOf([]),
      '/api/v1/namespaces/typo/pods?limit=500': listOf([]),
      '/api/v1/serviceaccounts?limit=500': listOf([]),
      '/api/v1/pods?limit=500': listOf([]),
    });
    expect([await audit({}, `--kube-api=${url}`, '-n', 'typo'), await audit({}, `--kube-api=${url}`)]).toEqual([
      {
        out: '',
        err: 'the cluster: namespace "typo" has no pods and no ServiceAccount, and every namespace has one: correct --namespace\n',
        exit: 2,
      },
      { out: '', err: 'the cluster: it has no pods and no ServiceAccounts: nothing was checked\n', exit: 2 },
    ]);
  });

  it('says in a sentence what it may not read', async () => {
    const { url } = await cluster({});
    expect(await audit({}, `--kube-api=${url}`)).toEqual({
      out: '',
      err: 'the cluster: the API server answered 403 to /api/v1/serviceaccounts: forbidden\n',
      exit: 2,
    });
  });
});

describe('ownerOf', () => {
  it.each([
    [
      'of a DaemonSet',
      owner('DaemonSet', 'agent'),
      'DaemonSet/agent',
      'kubectl rollout restart daemonset/agent -n default',
    ],
    [
      'of a ReplicaSet alone',
      owner('ReplicaSet', 'web-5d8f'),
      'ReplicaSet/web-5d8f',
      'kubectl delete pod p -n default',
    ],
    [
      'with an owner that does not control it',
      { ownerReferences: [{ kind: 'Thing', name: 'a' }] },
      'Pod/p',
      'kubectl get pod p -n default -o yaml | kubectl replace --force -f -',
    ],
    ['of something else', owner('Thing', 'a'), 'Thing/a', 'kubectl delete pod p -n default'],
    [
      'whose owner is called as a command',
      owner('Deployment', '$(reboot)'),
      'Deployment/$(reboot)',
      "kubectl rollout restart 'deployment/$(reboot)' -n default",
    ],
  ])('of a pod %s', (_, metadata, name, restart) => {
    expect(ownerOf({ metadata: { name: 'p', ...metadata } }, 'missed')).toEqual({ name, restart });
  });
});
