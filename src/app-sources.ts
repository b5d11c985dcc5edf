// Where identities come from, put together: ServiceAccounts of a cluster or of manifests, and what the flags add to them.
import { dirname } from 'node:path';
import { readFile } from 'node:fs/promises';
import type { IdentityOf } from './admission/identity.ts';
import type { Surroundings } from './admission/settings.ts';
import type { AppParts } from './app-parts.ts';
import { accountsFromCluster, accountsFromManifests } from './app-accounts.ts';
import { setTimer } from './app-clock.ts';
import { httpRequest } from './app-http.ts';
import { createReloader } from './certificates/reload.ts';
import { watchDirectory } from './certificates/watch-directory.ts';
import type { ContainerCredentialsSource } from './identity/container-credentials.ts';
import { createContainerCredentials } from './identity/container-credentials.ts';
import { dumpOf } from './identity/dump.ts';
import type { InstanceMetadata } from './identity/instance-metadata.ts';
import { createInstanceMetadata } from './identity/instance-metadata.ts';
import { createResolver } from './identity/resolve.ts';
import type { Condition } from './server/admin.ts';
import type { CacheAccess } from './server/debug.ts';

export interface Sources {
  readonly identityOf: IdentityOf;
  /** The same for pods that are stored: what it does not find is no review's loss, and not counted. */
  readonly identityOfStored: IdentityOf;
  readonly surroundings: () => Surroundings;
  /** For the debugging handlers. */
  readonly cache: CacheAccess;
  conditions(): readonly Condition[];
  close(): Promise<void>;
}

/** Rejects where there is no cluster, or the directory of manifests cannot be read. */
export async function createSources(parts: AppParts): Promise<Sources> {
  const { config, now } = parts;
  const accounts = await (config.standalone === undefined ? accountsFromCluster(parts) : accountsFromManifests(parts));
  const metadata = needsMetadata(parts) ? metadataOf(parts) : undefined;
  const credentials = containerCredentialsOf(parts);
  const surroundings = (): Surroundings => surroundingsFrom(parts, metadata);
  const options = {
    lookup: accounts.lookup,
    settings: config.settings,
    surroundings,
    now,
    ...(credentials === undefined ? {} : { hasContainerCredentials: credentials.has }),
    ...(accounts.configMap === undefined ? {} : { configMapEntryOf: accounts.configMap.entryOf }),
    ...(accounts.namespaceOf === undefined ? {} : { namespaceOf: accounts.namespaceOf }),
  };
  return {
    identityOf: createResolver({ ...options, missing: () => parts.recorder.accountMissing() }),
    identityOfStored: createResolver(options),
    surroundings,
    cache: {
      dump: () =>
        dumpOf({
          accounts: accounts.entries(),
          configMapEntries: accounts.configMap?.entries() ?? [],
          settings: config.settings,
          surroundings: surroundings(),
        }),
      relist: accounts.relist,
    },
    conditions: () => [...accounts.conditions(), ...credentialsConditions(credentials)],
    async close() {
      metadata?.close();
      credentials?.close();
      await accounts.close();
    },
  };
}

/** A flag beats the instance metadata; the partition is that of the region where nobody names it. */
function surroundingsFrom({ config }: AppParts, metadata: InstanceMetadata | undefined): Surroundings {
  const found = metadata?.current();
  return {
    ...(found === undefined ? {} : { accountId: found.accountId, partition: found.partition }),
    ...(config.settings.regionFromSurroundings && found !== undefined ? { region: found.region } : {}),
    ...config.surroundings,
  };
}

function needsMetadata({ config: { settings, surroundings } }: AppParts): boolean {
  const { region, accountId, partition } = surroundings;
  const needsRegion = settings.regionFromSurroundings && region === undefined;
  return needsRegion || (settings.composeRoleArn && (accountId === undefined || partition === undefined));
}

function metadataOf({ config, sleep, log, recorder }: AppParts): InstanceMetadata {
  return createInstanceMetadata({ endpoint: config.metadataEndpoint, request: httpRequest, sleep, log, recorder });
}

function containerCredentialsOf({ config, now, log, recorder }: AppParts): ContainerCredentialsSource | undefined {
  const file = config.containerCredentialsFile;
  if (file === undefined) return undefined;
  return createContainerCredentials({
    file,
    readFile: (path) => readFile(path, 'utf8'),
    reload: (look) => createReloader({ directories: [dirname(file)], look, watchDirectory, setTimer }),
    now,
    log,
    recorder,
  });
}

function credentialsConditions(credentials: ContainerCredentialsSource | undefined): readonly Condition[] {
  if (credentials === undefined) return [];
  const message = credentials.problems().join('; ');
  return [{ name: 'container-credentials', ok: message === '', message }];
}
