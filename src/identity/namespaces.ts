// What a namespace says about the roles of its pods. One that cannot be read is unknown, never a namespace without rules.
import type { LookupOptions } from '../admission/identity.ts';
import type { NamespaceLookup, NamespacePolicy } from '../admission/namespace-policy.ts';
import type { LiveLookupOptions } from './live-lookup.ts';
import { createLiveLookup } from './live-lookup.ts';

export type NamespacesOptions = Omit<
  LiveLookupOptions<string, NamespacePolicy>,
  'kind' | 'nameOf' | 'canExist' | 'fieldsOf'
>;

export function createNamespaces(
  options: NamespacesOptions,
): (namespace: string, lookupOptions: LookupOptions) => Promise<NamespaceLookup> {
  const { lookup } = createLiveLookup<string, NamespacePolicy>({
    ...options,
    kind: 'Namespace',
    nameOf: (namespace) => namespace,
    // A DNS label (RFC 1123), as Kubernetes demands of namespaces.
    canExist: (namespace) => namespace.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(namespace),
    fieldsOf: (namespace) => ({ namespace }),
  });
  return async (namespace, lookupOptions) => {
    const found = await lookup(namespace, lookupOptions);
    if (found.kind === 'found') return { kind: 'found', policy: found.item };
    // The pod is being created in it, so it is there: what cannot be found cannot be judged.
    return found.kind === 'unknown' ? found : { kind: 'unknown', reason: 'lookup-failed' };
  };
}
