// One object, read from the API server now. Only the API server's own word makes it "not found": any other 404 comes
// from something on the way.
import { ownString } from '../admission/json.ts';
import { refusalOf } from './answer.ts';
import type { ReadClient } from './client.ts';
import { referenceOf } from './events.ts';
import type { Resource } from './list.ts';
import { acceptOf } from './list.ts';

export type ReadAnswer<T> =
  { readonly kind: 'found'; readonly item: T; readonly resourceVersion: string } | { readonly kind: 'not-found' };

export interface ReaderOptions<T> {
  readonly client: Pick<ReadClient, 'get'>;
  /** Its collection, and what of it is asked for. */
  readonly resource: Pick<Resource, 'path' | 'metadataOnly'>;
  /** The same as the reflector's. */
  readonly trim: (object: unknown) => T;
}

/** The namespace is empty for an object that is in none. */
export type Read<T> = (
  key: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
) => Promise<ReadAnswer<T>>;

/** The reading function rejects with KubeError for every answer but 200 and NotFound. */
export function createReader<T>({ client, resource, trim }: ReaderOptions<T>): Read<T> {
  const slash = resource.path.lastIndexOf('/');
  const [root, plural] = [resource.path.slice(0, slash), resource.path.slice(slash + 1)];

  return async ({ namespace, name }, signal) => {
    const scope = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
    const path = `${root}${scope}/${plural}/${encodeURIComponent(name)}`;
    const answer = await client.get(path, { signal, accept: acceptOf(resource) });
    if (answer.status === 404 && ownString(answer.body, 'reason') === 'NotFound') return { kind: 'not-found' };
    if (answer.status !== 200) throw refusalOf(path, answer);
    const { resourceVersion } = referenceOf(answer.body);
    return { kind: 'found', item: trim(answer.body), resourceVersion };
  };
}
