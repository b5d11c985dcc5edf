// Flags of the sources of identities beside the ServiceAccount itself.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const SERVE = ['serve'] as const;
const DECIDE = ['serve', 'inject', 'diagnose manifests', 'diagnose pod', 'diagnose serviceaccount', 'audit'] as const;

export const SOURCE_FLAGS: readonly Flag[] = inGroup('Sources of identities', [
  {
    name: 'watch-config-map',
    type: 'boolean',
    default: 'false',
    commands: DECIDE,
    help: 'Read roles also from the ConfigMap pod-identity-webhook in --namespace.',
  },
  {
    name: 'watch-container-credentials-config',
    type: 'text',
    placeholder: 'FILE',
    commands: DECIDE,
    help: 'JSON file of the ServiceAccounts that get EKS Pod Identity, read again when it changes.',
  },
  {
    name: 'container-credentials-audience',
    type: 'text',
    placeholder: 'AUDIENCE',
    default: 'pods.eks.amazonaws.com',
    commands: DECIDE,
    help: 'Audience of the token for the EKS Pod Identity agent.',
  },
  {
    name: 'container-credentials-token-mount-path',
    type: 'text',
    placeholder: 'DIR',
    default: '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount',
    commands: DECIDE,
    help: 'Directory of that token in the containers.',
  },
  {
    name: 'container-credentials-token-volume-name',
    type: 'text',
    placeholder: 'NAME',
    default: 'eks-pod-identity-token',
    commands: DECIDE,
    help: 'Name of its volume.',
  },
  {
    name: 'container-credentials-token-path',
    type: 'text',
    placeholder: 'FILE',
    default: 'eks-pod-identity-token',
    commands: DECIDE,
    help: 'Name of its file.',
  },
  {
    name: 'container-credentials-full-uri',
    type: 'text',
    placeholder: 'URI',
    default: 'http://169.254.170.23/v1/credentials',
    commands: DECIDE,
    help: 'Where SDKs reach the agent: HTTPS, or HTTP to loopback, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23].',
  },
  {
    name: 'namespace-policy',
    type: 'boolean',
    default: 'false',
    commands: DECIDE,
    help: 'Read default-role-arn, default-role-service-accounts and allowed-roles from annotations of namespaces; needs get, list and watch on namespaces.',
  },
  {
    name: 'pod-region',
    type: 'text',
    placeholder: 'REGION',
    commands: SERVE,
    help: 'Label topology.kubernetes.io/region of the webhook’s own pod, which the manifests set by the downward API.',
  },
  {
    name: 'imds-endpoint',
    type: 'text',
    placeholder: 'URL',
    default: 'http://169.254.169.254',
    commands: SERVE,
    help: 'Instance metadata service; http://[fd00:ec2::254] on IPv6.',
  },
]);
