// The cluster that --kubeconfig and --kube-api name.
import type { FlagValues } from '../flags/given.ts';
import type { KubeClient } from '../kube/client.ts';
import { createKubeClient } from '../kube/client.ts';
import { loadKubeConfig } from '../kube/kubeconfig.ts';

/** Throws KubeError `no-cluster` or `bad-kubeconfig`. */
export function clusterClientFrom(flags: FlagValues): KubeClient {
  const config = loadKubeConfig({ kubeconfig: flags.text('kubeconfig'), server: flags.text('kube-api') });
  return createKubeClient({ config });
}
