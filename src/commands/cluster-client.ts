// The cluster that --kubeconfig and --kube-api name.
import type { KubeConfig } from '@kubernetes/client-node';
import { codeOf } from '../admission/thrown.ts';
import { ConfigError } from '../config-error.ts';
import type { FlagValues } from '../flags/given.ts';
import type { KubeClient } from '../kube/client.ts';
import { createKubeClient } from '../kube/client.ts';
import { loadKubeConfig } from '../kube/kubeconfig.ts';
import { presentText } from '../settings-from-flags.ts';

/** What a person's command says where nothing names a cluster. */
export const NO_CLUSTER = 'neither a kubeconfig nor the token of a pod was found; give --kubeconfig=FILE';

/** Throws KubeError `bad-kubeconfig`, and ConfigError where there is no cluster. */
export function clusterClientFrom(flags: FlagValues): KubeClient {
  return createKubeClient({ config: clusterConfigFrom(flags) });
}

/** Throws as `clusterClientFrom`. */
export function clusterConfigFrom(flags: FlagValues): KubeConfig {
  try {
    return loadKubeConfig({ kubeconfig: presentText(flags, 'kubeconfig'), server: presentText(flags, 'kube-api') });
  } catch (cause) {
    // What the server says there names a flag that only it has.
    throw codeOf(cause) === 'no-cluster' ? new ConfigError('usage', [`the cluster: ${NO_CLUSTER}`], { cause }) : cause;
  }
}
