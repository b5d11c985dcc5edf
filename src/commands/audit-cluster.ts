// What an audit reads of a cluster: its accounts at once, trimmed, and then its pods page by page.
import { accountFrom } from '../admission/annotations.ts';
import type { Account } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownString } from '../admission/json.ts';
import type { NamespacePolicy } from '../admission/namespace-policy.ts';
import { namespacePolicyFrom } from '../admission/namespace-policy.ts';
import type { ConfigMapEntry } from '../identity/config-map-entries.ts';
import { CONFIG_MAP, parseEntries } from '../identity/config-map-entries.ts';
import type { KubeClient } from '../kube/client.ts';
import { pagesOf } from '../kube/list.ts';
import { createNamedObject } from '../kube/named-object.ts';
import type { Told } from './told.ts';

export interface ClusterAudit {
  readonly accounts: ReadonlyMap<string, Account>;
  readonly namespaces: ReadonlyMap<string, NamespacePolicy>;
  readonly entries: readonly ConfigMapEntry[];
  pods(): AsyncGenerator<JsonObject, void>;
}

export interface ClusterAuditOptions {
  readonly client: Pick<KubeClient, 'get' | 'write' | 'stream'>;
  readonly told: Told;
  /** All of them where undefined. */
  readonly namespace: string | undefined;
  readonly signal: AbortSignal;
  /** Told of each account as it is read. */
  readonly read: (account: JsonObject) => void;
}

/** Rejects with KubeError, and with what makes the ConfigMap of roles unreadable. */
export async function readCluster(options: ClusterAuditOptions): Promise<ClusterAudit> {
  const { client, told, namespace, signal, read } = options;
  const prefix = told.settings.annotationPrefix;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const accounts = new Map<string, Account>();
  for await (const account of objectsOf(options, { path: `/api/v1${scope}/serviceaccounts`, metadataOnly: true })) {
    const metadata = ownField(account, 'metadata');
    const key = { namespace: ownString(metadata, 'namespace') ?? '', name: ownString(metadata, 'name') ?? '' };
    accounts.set(keyOf(key), accountFrom(ownField(metadata, 'annotations'), prefix));
    read(account);
  }
  const namespaces = new Map<string, NamespacePolicy>();
  if (told.namespacePolicy) {
    for await (const one of objectsOf(options, { path: '/api/v1/namespaces', metadataOnly: true })) {
      const metadata = ownField(one, 'metadata');
      const policy = namespacePolicyFrom(ownField(metadata, 'annotations'), prefix);
      namespaces.set(ownString(metadata, 'name') ?? '', policy);
    }
  }
  const entries = await entriesIn(client, told.configMapNamespace, signal);
  return { accounts, namespaces, entries, pods: () => objectsOf(options, { path: `/api/v1${scope}/pods` }) };
}

async function* objectsOf(
  { client, signal }: ClusterAuditOptions,
  resource: { readonly path: string; readonly metadataOnly?: boolean },
): AsyncGenerator<JsonObject, void> {
  const name = resource.path.slice(resource.path.lastIndexOf('/') + 1);
  for await (const { items } of pagesOf(client, { ...resource, name }, signal)) {
    for (const item of items) if (isObject(item)) yield item;
  }
}

async function entriesIn(
  client: ClusterAuditOptions['client'],
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly ConfigMapEntry[]> {
  if (namespace === undefined) return [];
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
  const found = await createNamedObject({ client, collection, name: CONFIG_MAP }).read(signal);
  return parseEntries(ownString(ownField(found, 'data'), 'config') ?? '{}').entries;
}
