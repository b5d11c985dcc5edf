// `audit`: stored pods that lack the identity which they would get today, or have one that is no longer their account's,
// and accounts with mistyped annotations; of a cluster, or of what kubectl printed of one.
import type { AccountKey, IdentityOf } from '../admission/identity.ts';
import { auditPod } from '../admission/audit.ts';
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownString } from '../admission/json.ts';
import { accountProblems } from '../diagnosis/account.ts';
import { createKubeClient } from '../kube/client.ts';
import { loadKubeConfig } from '../kube/kubeconfig.ts';
import { contentsOf } from '../kube/manifest-contents.ts';
import type { ManifestObject } from '../kube/manifest-documents.ts';
import { accountKeyFrom, objectsOf } from '../kube/manifest-documents.ts';
import { readCluster } from './audit-cluster.ts';
import { ownerOf } from './audit-owner.ts';
import type { AuditFound, FoundAccount, FoundPod } from './audit-report.ts';
import { auditJson, auditText } from './audit-report.ts';
import { readInputs } from './inputs.ts';
import type { CommandIo, ExitCode } from './io.ts';
import { orWrongUse, refuseWrongUse } from './issuer-options.ts';
import { withTypedLists } from './listed-manifests.ts';
import { formProblems } from './object-form.ts';
import { wrong } from './option-files.ts';
import type { Told } from './told.ts';
import { configMapIn } from './told.ts';
import { identitiesFrom } from './verdict.ts';

export interface AuditOptions extends Told {
  /** Paths of what kubectl printed; a cluster is read where there are none. */
  readonly files: readonly string[];
  readonly kubeconfig: string | undefined;
  readonly kubeApi: string | undefined;
  /** All of them where undefined. */
  readonly namespace: string | undefined;
  readonly output: 'text' | 'json';
}

/** Rejects with ConfigError where what it needs cannot be read. */
export async function runAudit(options: AuditOptions, io: CommandIo): Promise<ExitCode> {
  const audit = createAudit(options);
  if (options.files.length > 0) await auditFiles(options, audit, io);
  else await orWrongUse(auditCluster(options, audit), 'the cluster');
  const { found, undecided } = audit.result();
  for (const [reason, count] of undecided) {
    io.stderr(`${count} pod${count === 1 ? '' : 's'} not judged: ${MEANINGS[reason] ?? reason}\n`);
  }
  io.stdout(options.output === 'json' ? auditJson(found) : auditText(found));
  return found.pods.length + found.accounts.length > 0 ? 1 : 0;
}

const MEANINGS: Readonly<Record<string, string>> = {
  'service-account-not-in-input': 'their ServiceAccounts are not among the manifests',
  'account-id-unknown': 'give --aws-account-id, and --aws-partition or --aws-default-region',
};

type Audit = ReturnType<typeof createAudit>;

/** Collects what is found while accounts and pods are read. */
function createAudit({ settings, surroundings }: AuditOptions) {
  const pods: FoundPod[] = [];
  const accounts: FoundAccount[] = [];
  const undecided = new Map<string, number>();
  const checked = { pods: 0, accounts: 0 };
  let hasSeen = false;

  function account(object: JsonObject): void {
    hasSeen = true;
    checked.accounts += 1;
    const { namespace, name } = keyIn(object);
    const problems = accountProblems(object, { settings, regions: [], roles: [] });
    accounts.push(...problems.map(({ evidence, fix }) => ({ namespace, serviceAccount: name, evidence, fix })));
  }

  async function pod(object: JsonObject, identityOf: IdentityOf): Promise<void> {
    hasSeen = true;
    const audited = await auditPod(object, { identityOf, settings, surroundings: () => surroundings }, Infinity);
    if (audited.kind === 'ended') return;
    checked.pods += 1;
    if (audited.kind === 'right') return;
    if (audited.kind === 'unknown') {
      undecided.set(audited.reason, (undecided.get(audited.reason) ?? 0) + 1);
      return;
    }
    const { kind: fault, evidence, roleArn = null } = audited;
    const { namespace, name } = keyIn(object);
    const serviceAccount = audited.account.name;
    pods.push({ fault, namespace, pod: name, serviceAccount, roleArn, evidence, owner: ownerOf(object, fault) });
  }

  const result = (): { readonly found: AuditFound; readonly undecided: ReadonlyMap<string, number> } => ({
    found: { pods, accounts, checked },
    undecided,
  });
  return { account, pod, result, hasSeen: () => hasSeen };
}

async function auditFiles(options: AuditOptions, audit: Audit, io: CommandIo): Promise<void> {
  const read = await readInputs(options.files, io);
  const { inputs, kinds } = withTypedLists(read.inputs);
  const configMap = configMapIn(inputs, options);
  refuseWrongUse([...read.problems, ...formProblems(inputs), ...configMap.problems]);
  const all = inputs.flatMap(({ documents }) => documents.flatMap(({ value }) => objectsOf(value)));
  const identityOf = identitiesFrom(contentsOf(all, options.settings.annotationPrefix), {
    ...options,
    entries: configMap.entries,
  });
  const isWanted = (object: JsonObject): boolean =>
    options.namespace === undefined || keyIn(object).namespace === options.namespace;
  for (const manifest of all.filter(({ object }) => isWanted(object))) {
    if (accountKeyFrom(manifest) !== undefined) audit.account(manifest.object);
    if (manifest.apiVersion === 'v1' && manifest.kind === 'Pod') await audit.pod(manifest.object, identityOf);
  }
  if (audit.hasSeen()) return;
  const within = options.namespace === undefined ? '' : `, of namespace ${JSON.stringify(options.namespace)}`;
  const nothing = `no pods and no ServiceAccounts in the manifests${within}: nothing was checked`;
  // An empty pipe must not look like a clean cluster, and no more may a name with a slip. A list of a kind that is empty says that there is none; kubectl's own lists have no kind.
  if (!isEmptyList(all, kinds)) throw wrong(`${nothing}; ${HOW_TO_LIST}`);
  io.stderr(`${nothing}\n`);
}

const HOW_TO_LIST = 'give what kubectl get pods,serviceaccounts -A -o yaml prints';

function isEmptyList(all: readonly ManifestObject[], kinds: ReadonlySet<string>): boolean {
  const judged = ['Pod', 'ServiceAccount'];
  return judged.some((kind) => kinds.has(kind)) && !all.some(({ kind }) => judged.includes(kind));
}

async function auditCluster(options: AuditOptions, audit: Audit): Promise<void> {
  const { kubeconfig, kubeApi, namespace } = options;
  const client = createKubeClient({ config: loadKubeConfig({ kubeconfig, server: kubeApi }) });
  const { signal } = new AbortController();
  try {
    const cluster = await readCluster({ client, told: options, namespace, signal, read: audit.account });
    const identityOf = listed(identitiesFrom(cluster, { ...options, entries: cluster.entries }));
    for await (const pod of cluster.pods()) await audit.pod(pod, identityOf);
    if (audit.hasSeen()) return;
    // The API server lists a namespace that is not there as an empty one.
    if (namespace === undefined) throw wrong('it has no pods and no ServiceAccounts: nothing was checked');
    const lacks = `namespace ${JSON.stringify(namespace)} has no pods and no ServiceAccount, and every namespace has one`;
    throw wrong(`${lacks}: correct --namespace`);
  } finally {
    client.close();
  }
}

/** Of a list that is complete, an account that is not in it is not there. */
function listed(identityOf: IdentityOf): IdentityOf {
  return async (key, options) => {
    const answer = await identityOf(key, options);
    const isMissing = answer.kind === 'none' && answer.reason === 'service-account-not-in-input';
    return isMissing ? { ...answer, reason: 'service-account-not-found' } : answer;
  };
}

function keyIn(object: JsonObject): AccountKey {
  const metadata = ownField(object, 'metadata');
  const namespace = ownString(metadata, 'namespace') ?? '';
  return { namespace: namespace === '' ? 'default' : namespace, name: ownString(metadata, 'name') ?? '' };
}
