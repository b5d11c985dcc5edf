// A reflector on an API server simulator, with time in the test's hand: waits end at once and are written down.
import { setImmediate } from 'node:timers/promises';
import { ownField, ownString } from '../../src/admission/json.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import type { Resource } from '../../src/kube/list.ts';
import type { Reflector, ReflectorOptions } from '../../src/kube/reflector.ts';
import { createReflector } from '../../src/kube/reflector.ts';
import type { CacheState } from '../../src/observe/recorder.ts';
import type { ApiServer, ApiServerOptions } from './api-server.ts';
import { SERVICE_ACCOUNTS, withApiServer } from './api-server.ts';
import type { TestLog } from './log.ts';
import { createTestLog } from './log.ts';
import { until } from './until.ts';

export const ACCOUNTS: Resource = { name: 'serviceaccounts', path: SERVICE_ACCOUNTS, metadataOnly: true };

export interface Reflecting {
  readonly server: ApiServer;
  readonly reflector: Reflector<string>;
  /** Milliseconds that were asked of `sleep`, in order. */
  readonly waits: readonly number[];
  readonly causes: readonly string[];
  readonly changes: readonly (string | undefined)[];
  readonly log: TestLog;
  /** The fake clock, in milliseconds. */
  readonly clock: { ms: number };
  readonly relists: () => number;
  readonly cacheState: () => CacheState | undefined;
  /** What is in the cache. */
  readonly state: () => Record<string, string>;
  /** Creates or changes a ServiceAccount of the namespace `shop`. */
  readonly put: (name: string, role: string) => void;
  /** Waits until the cache shows the role under `shop/<name>`; undefined: nothing. */
  readonly shows: (name: string, role: string | undefined) => Promise<void>;
}

export interface ReflectingOptions extends Partial<Omit<ReflectorOptions<string>, 'client' | 'log' | 'recorder'>> {
  readonly api?: ApiServerOptions;
  readonly headersTimeoutMs?: number;
  /** Before the reflector starts. */
  readonly prepare?: (server: ApiServer) => Promise<void> | void;
}

export async function withReflector(
  options: ReflectingOptions,
  use: (all: Reflecting) => Promise<void>,
): Promise<void> {
  const { api = {}, headersTimeoutMs = 2000, prepare, onChange, ...others } = options;
  await withApiServer(api, async (server) => {
    await prepare?.(server);
    const client = createKubeClient({ config: server.kubeConfig(), headersTimeoutMs });
    const waits: number[] = [];
    const causes: string[] = [];
    const changes: (string | undefined)[] = [];
    const clock = { ms: 0 };
    const log = createTestLog();
    let relists = 0;
    let cacheState: (() => CacheState) | undefined;
    const reflector = createReflector<string>({
      client,
      resource: ACCOUNTS,
      trim: roleOf,
      now: () => clock.ms,
      random: () => 0.5,
      async sleep(milliseconds) {
        waits.push(milliseconds);
        await setImmediate();
      },
      log: log.log,
      recorder: {
        relisted: () => void (relists += 1),
        watchFailed: (_resource, cause) => void causes.push(cause),
        observeCache: (_resource, state) => void (cacheState = state),
      },
      onChange(key) {
        changes.push(key);
        onChange?.(key);
      },
      ...others,
    });
    try {
      await use({
        server,
        reflector,
        waits,
        causes,
        changes,
        log,
        clock,
        relists: () => relists,
        cacheState: () => cacheState?.(),
        state: () => Object.fromEntries(reflector.entries()),
        put: (name, role) => putAccount(server, name, role),
        shows: async (name, role) =>
          until(`shop/${name} is ${role ?? 'gone'}`, () => reflector.get(`shop/${name}`) === role),
      });
    } finally {
      await reflector.close();
      client.close();
    }
  });
}

export function putAccount(server: ApiServer, name: string, role: string): void {
  server.objects.put(SERVICE_ACCOUNTS, { metadata: { namespace: 'shop', name, annotations: { role } } });
}

/** Throws for what is annotated so. */
function roleOf(object: unknown): string {
  const role = ownString(ownField(ownField(object, 'metadata'), 'annotations'), 'role') ?? '';
  if (role === 'unreadable') throw new Error('this one cannot be read');
  return role;
}
