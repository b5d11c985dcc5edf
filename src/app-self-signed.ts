// The self-signed mode put together: a CA in a Secret of the cluster, a leaf in memory, the caBundle of the webhook
// configuration. What one replica changes wakes the others by their watches.
import { readFile } from 'node:fs/promises';
import type { AppParts } from './app-parts.ts';
import type { ServingSource } from './app-certificates.ts';
import { createAuthority } from './certificates/authority.ts';
import type { Authority } from './certificates/authority.ts';
import { createCaBundle } from './certificates/ca-bundle.ts';
import { createLeafKeeper } from './certificates/leaf.ts';
import type { Rounds } from './certificates/rounds.ts';
import { createRounds } from './certificates/rounds.ts';
import type { SelfSignedMode } from './certificates-from-flags.ts';
import { messageOf } from './admission/thrown.ts';
import { waitMs } from './kube/backoff.ts';
import type { KubeClient } from './kube/client.ts';
import { createKubeClient } from './kube/client.ts';
import { KubeError } from './kube/error.ts';
import { loadKubeConfig } from './kube/kubeconfig.ts';
import { createNamedObject } from './kube/named-object.ts';
import type { Reflector } from './kube/reflector.ts';
import { createReflector } from './kube/reflector.ts';
import { contextOptionsFrom } from './server/tls-options.ts';
import { version } from './version.ts';

/** API servers hear of a change of their configuration within milliseconds; a minute forgives a watch that broke. */
const STEP_MS = 60_000;
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

export interface SelfSignedOptions extends AppParts {
  readonly mode: SelfSignedMode;
  /** The least time between two steps of a rotation; a minute by default. */
  readonly stepMs?: number;
}

/** Rejects with KubeError where there is no cluster to talk to. */
export async function selfSignedCertificates(options: SelfSignedOptions): Promise<ServingSource> {
  const { config, mode, log, recorder, random, sleep, now: elapsed, stepMs = STEP_MS } = options;
  // Loads what a server with certificate files never needs.
  const { issueCa, issueLeaf } = await import('./certificates/issue.ts');
  const { serviceName, namespace } = config;
  const clientCaFile = config.clientCertificates?.caFile;
  const client = createKubeClient({
    config: loadKubeConfig({ kubeconfig: config.kubeconfig, server: config.kubeApi }),
    userAgent: `pod-identity-webhook/${version}`,
  });
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const secret = createNamedObject({ client, collection: secrets, name: mode.secret });
  const configuration = createNamedObject({ client, collection: CONFIGURATIONS, name: mode.webhookConfiguration });
  const shared = { now: Date.now, elapsed, log, recorder };
  const bundle = createCaBundle({
    ...shared,
    ...configuration,
    name: mode.webhookConfiguration,
    service: { namespace, name: serviceName },
  });
  const leaf = createLeafKeeper({
    ...shared,
    names: namesOf(serviceName, namespace),
    lifetimeMs: mode.leafLifetimeMs,
    tls: contextOptionsFrom(config.tls),
    ...(clientCaFile === undefined ? {} : { readClientCa: () => readFile(clientCaFile, 'utf8') }),
    issueLeaf,
    missing: () => authority.problem(),
  });
  const authority: Authority = createAuthority({
    ...shared,
    ...secret,
    ...mode,
    object: `${namespace}/${mode.secret}`,
    bundle,
    leaf,
    issueCa,
    stepMs,
  });
  const rounds = createRounds({
    look: authority.look,
    sleep,
    retryMs(failures, error) {
      const retryAfterSeconds = error instanceof KubeError ? error.retryAfterSeconds : undefined;
      return waitMs(failures, { random, retryAfterSeconds });
    },
    failed: (error, ms) => log.debug({ error: messageOf(error), waitMs: ms }, 'CA looked at in vain, trying again'),
  });
  const watches = [
    watch(options, { client, rounds, path: secrets, name: mode.secret }),
    watch(options, { client, rounds, path: CONFIGURATIONS, name: mode.webhookConfiguration }),
  ];
  return {
    certificates: leaf,
    caPem: undefined,
    conditions() {
      const message = bundle.problem();
      return [{ name: 'ca-bundle', ok: message === '', message }];
    },
    async close() {
      leaf.close();
      await Promise.all([rounds.close(), ...watches.map(async (each) => each.close())]);
      client.close();
    },
  };
}

interface Watched {
  readonly client: KubeClient;
  readonly rounds: Rounds;
  readonly path: string;
  readonly name: string;
}

/** Wakes whoever reads it anew: nothing of it is kept here. The field selector is what a right by name asks for. */
function watch(options: SelfSignedOptions, { client, rounds, path, name }: Watched): Reflector<true> {
  const resource = {
    name: path.slice(path.lastIndexOf('/') + 1),
    path,
    fieldSelector: `metadata.name=${name}`,
    metadataOnly: true,
  };
  return createReflector<true>({ ...options, client, resource, trim: () => true, onChange: () => rounds.wake() });
}

/** All names by which a Service is called in a cluster. */
function namesOf(service: string, namespace: string): readonly string[] {
  const base = `${service}.${namespace}`;
  return [service, base, `${base}.svc`, `${base}.svc.cluster.local`];
}
