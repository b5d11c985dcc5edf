// Flags of the audit: which namespaces the command looks at, and how often the server does.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const AUDIT = ['audit'] as const;

export const AUDIT_FLAGS: readonly Flag[] = inGroup('Audit', [
  {
    name: 'namespace',
    short: 'n',
    type: 'text',
    placeholder: 'NAMESPACE',
    variables: [],
    commands: AUDIT,
    help: 'Look at one namespace; at all of them unless given. It has no variable, as the server’s namespace has that name.',
  },
  {
    name: 'all-namespaces',
    short: 'A',
    type: 'boolean',
    default: 'false',
    commands: AUDIT,
    help: 'Look at all namespaces, as is done without --namespace.',
  },
  {
    name: 'config-map-namespace',
    type: 'text',
    placeholder: 'NAMESPACE',
    default: 'eks',
    variables: ['CONFIG_MAP_NAMESPACE', 'NAMESPACE'],
    commands: AUDIT,
    help: 'Namespace of the ConfigMap of roles, which is --namespace of the server, and takes the variable of that, too.',
  },
  {
    name: 'audit-interval',
    type: 'duration',
    default: '0',
    commands: ['serve'],
    help: 'How often to count stored pods that lack their identity or have an old one, by one replica at a time; 0 is never. Needs list on pods, and get, create and update on leases in --namespace.',
  },
]);
