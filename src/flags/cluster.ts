// Flags that say where ServiceAccounts are read from.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const SERVE = ['serve'] as const;
const PERSONS = ['oidc publish', 'oidc verify', 'audit'] as const;

/** Of commands that people run. */
export const AS_KUBECTL =
  'How to reach the API server. Unless given, as kubectl does: the files of KUBECONFIG, or ~/.kube/config; in a pod, its own cluster.';

export const CLUSTER_FLAGS: readonly Flag[] = inGroup('Cluster', [
  {
    name: 'kubeconfig',
    type: 'text',
    placeholder: 'FILE',
    commands: SERVE,
    help: 'How to reach the API server from outside of the cluster; in-cluster configuration unless given.',
  },
  {
    name: 'kubeconfig',
    type: 'text',
    placeholder: 'FILE',
    commands: PERSONS,
    help: AS_KUBECTL,
  },
  {
    name: 'kube-api',
    type: 'text',
    placeholder: 'URL',
    commands: [...SERVE, ...PERSONS],
    help: 'URL of the API server, instead of the one that the configuration names.',
  },
  {
    name: 'service-account-lookup-grace-period',
    type: 'duration',
    default: '0',
    commands: SERVE,
    help: 'Upper bound for the live lookup of a ServiceAccount that the cache does not have; 0 sets none of its own.',
  },
  {
    name: 'standalone',
    type: 'text',
    placeholder: 'DIR',
    commands: SERVE,
    help: 'Run without a cluster: ServiceAccounts come from the manifests in DIR, the certificate is made in memory.',
  },
  {
    name: 'tls-secret',
    type: 'text',
    placeholder: 'NAME',
    default: 'pod-identity-webhook',
    commands: SERVE,
    help: 'Secret in --namespace that keeps the CA with --tls-mode=self-signed. It must exist, without data; it is never created.',
  },
  {
    name: 'in-cluster',
    type: 'boolean',
    default: 'false',
    commands: SERVE,
    help: 'Taken as --tls-mode=self-signed, with a warning.',
  },
]);
