// Flags that say where ServiceAccounts are read from.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const SERVE = ['serve'] as const;
const CLUSTER = ['serve', 'oidc publish', 'oidc verify', 'audit'] as const;

export const CLUSTER_FLAGS: readonly Flag[] = inGroup('Cluster', [
  {
    name: 'kubeconfig',
    type: 'text',
    placeholder: 'FILE',
    commands: CLUSTER,
    help: 'How to reach the API server from outside of the cluster; in-cluster configuration unless given.',
  },
  {
    name: 'kube-api',
    type: 'text',
    placeholder: 'URL',
    commands: CLUSTER,
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
