// Flags of the audit.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const AUDIT = ['audit'] as const;

export const AUDIT_FLAGS: readonly Flag[] = inGroup('Audit', [
  {
    name: 'namespace',
    short: 'n',
    type: 'text',
    placeholder: 'NAMESPACE',
    commands: AUDIT,
    help: 'Look at one namespace; at all of them unless given.',
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
    commands: AUDIT,
    help: 'Namespace of the ConfigMap of roles, which is --namespace of the server.',
  },
]);
