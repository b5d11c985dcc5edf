// Where ServiceAccounts come from, and what else the API server is asked for: a cluster, or a directory of manifests
// that stands for one.
import { accountFrom } from './admission/annotations.ts';
import type { Account, AccountKey, AccountLookup, LookupOptions } from './admission/identity.ts';
import { ownField, ownString } from './admission/json.ts';
import type { NamespaceLookup } from './admission/namespace-policy.ts';
import { namespacePolicyFrom } from './admission/namespace-policy.ts';
import type { AppParts } from './app-parts.ts';
import type { ConfigMapEntry } from './identity/config-map-entries.ts';
import { CONFIG_MAP } from './identity/config-map-entries.ts';
import type { ConfigMapSource } from './identity/config-map.ts';
import { createConfigMapSource } from './identity/config-map.ts';
import { createNamespaces } from './identity/namespaces.ts';
import { createServiceAccounts } from './identity/service-accounts.ts';
import type { KubeClient } from './kube/client.ts';
import { createKubeClient } from './kube/client.ts';
import { loadKubeConfig } from './kube/kubeconfig.ts';
import type { Contents } from './kube/manifest-contents.ts';
import { createManifestSource } from './kube/manifests.ts';
import { createReader } from './kube/read.ts';
import type { Reflector } from './kube/reflector.ts';
import { createReflector } from './kube/reflector.ts';
import type { Condition } from './server/admin.ts';
import { version } from './version.ts';

export interface Accounts {
  lookup(key: AccountKey, options: LookupOptions): Promise<AccountLookup>;
  /** What is known of accounts, without asking anybody. */
  entries(): Iterable<readonly [key: string, account: Account]>;
  /** Where `--watch-config-map` is on. */
  readonly configMap?: Pick<ConfigMapSource, 'entries'> & {
    entryOf(key: AccountKey): ConfigMapEntry | 'unread' | undefined;
  };
  /** Where `--namespace-policy` is on. */
  readonly namespaceOf?: (namespace: string, options: LookupOptions) => Promise<NamespaceLookup>;
  /** Reads everything anew; the old state is used meanwhile. */
  relist(): void;
  conditions(): readonly Condition[];
  close(): Promise<void>;
}

const SERVICE_ACCOUNTS = { name: 'serviceaccounts', path: '/api/v1/serviceaccounts', metadataOnly: true };
const NAMESPACES = { name: 'namespaces', path: '/api/v1/namespaces', metadataOnly: true };

/** Throws KubeError where there is no cluster to talk to. */
export function accountsFromCluster(parts: AppParts): Accounts {
  const { config } = parts;
  const { annotationPrefix } = config.settings;
  const client = createKubeClient({
    config: loadKubeConfig({ kubeconfig: config.kubeconfig, server: config.kubeApi }),
    userAgent: `pod-identity-webhook/${version}`,
  });
  const trim = (object: unknown) => accountFrom(annotationsOf(object), annotationPrefix);
  const reflector = createReflector({ ...parts, client, resource: SERVICE_ACCOUNTS, trim });
  const read = createReader({ client, resource: SERVICE_ACCOUNTS, trim });
  const accounts = createServiceAccounts({ ...parts, cache: reflector, read, maxLookupMs: config.maxLookupMs });
  const namespaces = config.namespacePolicy ? namespacesOf(parts, client) : undefined;
  const configMap = config.watchConfigMap ? configMapOf(parts, client) : undefined;
  const reflectors = [
    reflector,
    ...(namespaces ? [namespaces.reflector] : []),
    ...(configMap ? [configMap.reflector] : []),
  ];
  return {
    lookup: accounts.lookup,
    entries: () => reflector.entries(),
    ...(configMap === undefined ? {} : { configMap: configMap.source }),
    ...(namespaces === undefined ? {} : { namespaceOf: namespaces.namespaceOf }),
    relist: () => reflectors.forEach((each) => each.relist()),
    conditions: () => [
      listed('service-accounts', reflector),
      ...(namespaces === undefined ? [] : [listed('namespaces', namespaces.reflector)]),
      // One that may not be read must not hold back everything else.
      ...(configMap === undefined ? [] : [listed('config-map', { synced: configMap.isSettled })]),
    ],
    async close() {
      await Promise.all(reflectors.map((each) => each.close()));
      client.close();
    },
  };
}

/** Rejects with ConfigError where the directory cannot be read. */
export async function accountsFromManifests(parts: AppParts): Promise<Accounts> {
  const { config, log, recorder } = parts;
  const { standalone: directory = '', settings, namespace, watchConfigMap, namespacePolicy } = config;
  const object = `${namespace}/${CONFIG_MAP}`;
  const configMap = watchConfigMap ? createConfigMapSource({ ...parts, object }) : undefined;
  const { annotationPrefix } = settings;
  const onChange = ({ configMaps }: Contents): void => configMap?.apply(configMaps.get(object));
  const source = createManifestSource({ directory, annotationPrefix, onChange, log, recorder });
  await source.ready();
  const namespaceOf = async (name: string): Promise<NamespaceLookup> => ({
    kind: 'found',
    policy: source.contents().namespaces.get(name) ?? {},
  });
  return {
    lookup: source.lookup,
    entries: () => source.contents().accounts,
    ...(configMap === undefined ? {} : { configMap }),
    ...(namespacePolicy ? { namespaceOf } : {}),
    // The directory is read again by itself.
    relist: () => {},
    conditions: () => [],
    close: source.close,
  };
}

function configMapOf(parts: AppParts, client: KubeClient) {
  const { namespace } = parts.config;
  const source = createConfigMapSource({ ...parts, object: `${namespace}/${CONFIG_MAP}` });
  const reflector: Reflector<string | undefined> = createReflector({
    ...parts,
    client,
    resource: {
      name: 'configmaps',
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      fieldSelector: `metadata.name=${CONFIG_MAP}`,
    },
    trim: (object) => ownString(ownField(object, 'data'), 'config') ?? '',
    onChange: () => source.apply(reflector.get(`${namespace}/${CONFIG_MAP}`)),
  });
  const isSettled = (): boolean => reflector.synced() || reflector.forbidden();
  const entryOf = (key: AccountKey): ConfigMapEntry | 'unread' | undefined =>
    isSettled() ? source.entryOf(key) : 'unread';
  return { source: { entries: source.entries, entryOf }, reflector, isSettled };
}

function namespacesOf(parts: AppParts, client: KubeClient) {
  const trim = (object: unknown) => namespacePolicyFrom(annotationsOf(object), parts.config.settings.annotationPrefix);
  const reflector = createReflector({ ...parts, client, resource: NAMESPACES, trim });
  const read = createReader({ client, resource: NAMESPACES, trim });
  const namespaceOf = createNamespaces({
    ...parts,
    cache: reflector,
    read: async (name, signal) => read({ namespace: '', name }, signal),
    maxLookupMs: parts.config.maxLookupMs,
  });
  return { reflector, namespaceOf };
}

function listed(name: string, reflector: Pick<Reflector<unknown>, 'synced'>): Condition {
  const ok = reflector.synced();
  return { name, ok, message: ok ? '' : 'not listed from the API server yet; see the log for why' };
}

function annotationsOf(object: unknown): unknown {
  return ownField(ownField(object, 'metadata'), 'annotations');
}
