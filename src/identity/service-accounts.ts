// What is known of a ServiceAccount. The API server has proved that it exists before it asks us about a pod of it.
import type { Account, AccountKey, AccountLookup, LookupOptions } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { LiveLookupOptions } from './live-lookup.ts';
import { createLiveLookup } from './live-lookup.ts';

export type ServiceAccountsOptions = Omit<
  LiveLookupOptions<AccountKey, Account>,
  'kind' | 'nameOf' | 'canExist' | 'fieldsOf'
>;

export interface ServiceAccounts {
  readonly lookup: (key: AccountKey, options: LookupOptions) => Promise<AccountLookup>;
  /** Questions that are on their way to the API server. */
  readonly inFlight: () => number;
}

export function createServiceAccounts(options: ServiceAccountsOptions): ServiceAccounts {
  const { lookup, inFlight } = createLiveLookup<AccountKey, Account>({
    ...options,
    kind: 'ServiceAccount',
    nameOf: keyOf,
    canExist,
    fieldsOf: ({ namespace, name }) => ({ namespace, serviceAccount: name }),
  });
  return {
    async lookup(key, lookupOptions) {
      const found = await lookup(key, lookupOptions);
      return found.kind === 'found' ? { kind: 'found', account: found.item } : found;
    },
    inFlight,
  };
}

/**
 * Kubernetes stores no other names (DNS label and subdomain, RFC 1123). A review that did not come from an API server
 * may hold any, and `..` would lead a read to another place.
 */
function canExist({ namespace, name }: AccountKey): boolean {
  const isNamespace = namespace.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(namespace);
  return isNamespace && name.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name);
}
