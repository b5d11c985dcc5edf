// Flags of check-install, which `helm test` runs.
import { AS_KUBECTL } from './cluster.ts';
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const COMMANDS = ['check-install'] as const;

export const CHECK_INSTALL_FLAGS: readonly Flag[] = inGroup('Cluster', [
  {
    name: 'kubeconfig',
    type: 'text',
    placeholder: 'FILE',
    commands: COMMANDS,
    help: AS_KUBECTL,
  },
  {
    name: 'webhook-configuration',
    type: 'text',
    placeholder: 'NAME',
    default: 'pod-identity-webhook.pod-identity-webhook',
    commands: COMMANDS,
    help: 'MutatingWebhookConfiguration of the webhook.',
  },
  {
    name: 'namespace',
    type: 'text',
    placeholder: 'NAME',
    default: 'pod-identity-webhook',
    variables: [],
    commands: COMMANDS,
    help: 'Namespace of the pod that is tried. It has no variable, as the server’s namespace has that name.',
  },
  {
    name: 'probe-service-account',
    type: 'text',
    placeholder: 'NAME',
    default: 'default',
    commands: COMMANDS,
    help: 'Its ServiceAccount, with the annotations role-arn and role-session-name=true.',
  },
  {
    name: 'probe-image',
    type: 'text',
    placeholder: 'IMAGE',
    default: 'registry.k8s.io/pause:3.10',
    commands: COMMANDS,
    help: 'Its image; it never runs, but policies may look at it.',
  },
  {
    name: 'shadow',
    type: 'boolean',
    default: 'false',
    commands: COMMANDS,
    help: 'The webhook is a shadow: see that it is registered and holds up no pod.',
  },
]);
