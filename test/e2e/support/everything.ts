// All objects of the cluster, for whoever must leave nothing behind.
import type { Kubectl } from '../../cluster/support/kubectl.ts';

/** What clusters write all the time, and what is not stored at all. */
const RESTLESS = /^(events(\.events\.k8s\.io)?|leases\.coordination\.k8s\.io|componentstatuses|.*\.metrics\.k8s\.io)$/;

/** Every object of every kind that can be listed but those that come and go by themselves, as `Kind/namespace/name`. */
export async function everything(kubectl: Kubectl): Promise<string[]> {
  const kinds = (await kubectl(['api-resources', '--verbs=list', '-o', 'name'])).split('\n').filter(Boolean);
  const wanted = kinds.filter((kind) => !RESTLESS.test(kind)).join(',');
  const columns = 'custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name';
  const lines = await kubectl(['get', wanted, '--all-namespaces', '--no-headers', '-o', columns]);
  const ids = lines
    .split('\n')
    .map((line) => line.split(/ +/).filter((word) => word !== '<none>'))
    .filter((words) => words.length > 1)
    .map((words) => words.join('/').replace(/\/$/, ''));
  // Some kinds are served by two groups.
  return [...new Set(ids)].toSorted();
}
