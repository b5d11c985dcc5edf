// Where ServiceAccounts come from: a cluster, or a directory of manifests that stands for one.
import { accountFrom } from './admission/annotations.ts';
import type { AccountKey, AccountLookup, LookupOptions } from './admission/identity.ts';
import { ownField } from './admission/json.ts';
import type { Config } from './config.ts';
import { createServiceAccounts } from './identity/service-accounts.ts';
import { createKubeClient } from './kube/client.ts';
import { loadKubeConfig } from './kube/kubeconfig.ts';
import { createManifestSource } from './kube/manifests.ts';
import { createReader } from './kube/read.ts';
import { createReflector } from './kube/reflector.ts';
import type { Log } from './observe/log.ts';
import type { Recorder } from './observe/recorder.ts';
import type { Condition } from './server/admin.ts';
import { version } from './version.ts';

export interface AccountsOptions {
  readonly config: Config;
  readonly log: Log;
  readonly recorder: Recorder;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

export interface Accounts {
  lookup(key: AccountKey, options: LookupOptions): Promise<AccountLookup>;
  conditions(): readonly Condition[];
  close(): Promise<void>;
}

const SERVICE_ACCOUNTS = { name: 'serviceaccounts', path: '/api/v1/serviceaccounts', metadataOnly: true };

/** Throws KubeError where there is no cluster to talk to. */
export function accountsFromCluster(options: AccountsOptions): Accounts {
  const { config, log, recorder, now, sleep, random } = options;
  const { annotationPrefix } = config.settings;
  const trim = (object: unknown) =>
    accountFrom(ownField(ownField(object, 'metadata'), 'annotations'), annotationPrefix);
  const client = createKubeClient({
    config: loadKubeConfig({ kubeconfig: config.kubeconfig, server: config.kubeApi }),
    userAgent: `pod-identity-webhook/${version}`,
  });
  const reflector = createReflector({ client, resource: SERVICE_ACCOUNTS, trim, now, sleep, random, log, recorder });
  const accounts = createServiceAccounts({
    cache: reflector,
    read: createReader({ client, resource: SERVICE_ACCOUNTS, trim }),
    now,
    sleep,
    log,
    recorder,
    maxLookupMs: config.maxLookupMs,
  });
  return {
    lookup: accounts.lookup,
    conditions: () => [
      {
        name: 'service-accounts',
        ok: reflector.synced(),
        message: reflector.synced() ? '' : 'the ServiceAccounts of the cluster were not listed yet; see the log',
      },
    ],
    async close() {
      await reflector.close();
      client.close();
    },
  };
}

/** Rejects with ConfigError where the directory cannot be read. */
export async function accountsFromManifests({ config, log, recorder }: AccountsOptions): Promise<Accounts> {
  const { standalone: directory = '', settings } = config;
  const source = createManifestSource({ directory, annotationPrefix: settings.annotationPrefix, log, recorder });
  await source.ready();
  return { lookup: source.lookup, conditions: () => [], close: source.close };
}
