// What `audit` is told by its flags: the server's own, and where to look.
import type { AuditOptions } from './commands/audit.ts';
import { ConfigError } from './config-error.ts';
import type { FlagValues } from './flags/given.ts';
import { injectOptionsFrom } from './inject-from-flags.ts';
import { presentText } from './settings-from-flags.ts';

/** Rejects with ConfigError `usage` with every problem. */
export async function auditOptionsFrom(
  flags: FlagValues,
  readFile: (path: string) => Promise<string>,
): Promise<AuditOptions> {
  const namespace = presentText(flags, 'namespace');
  if (namespace !== undefined && flags.isOn('all-namespaces')) {
    throw new ConfigError('usage', [`--namespace=${JSON.stringify(namespace)}: leave it or --all-namespaces out`]);
  }
  // Kubernetes' rule for names of namespaces, RFC 1123 labels.
  if (namespace !== undefined && !/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) {
    throw new ConfigError('usage', [`--namespace=${JSON.stringify(namespace)}: want the name of one namespace`]);
  }
  return {
    ...(await injectOptionsFrom(flags, readFile)),
    configMapNamespace: flags.isOn('watch-config-map') ? presentText(flags, 'config-map-namespace') : undefined,
    namespace,
    kubeconfig: presentText(flags, 'kubeconfig'),
    kubeApi: presentText(flags, 'kube-api'),
  };
}
