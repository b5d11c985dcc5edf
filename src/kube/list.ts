// How a whole resource is asked for: as a streaming list that goes on as a watch, as a watch from where we are, or in
// pages where the server knows no streaming lists.
import { ownField, ownList, ownString } from '../admission/json.ts';
import { refusalOf } from './answer.ts';
import type { ReadClient } from './client.ts';
import { KubeError } from './error.ts';
import { BINARY } from './watch-frames.ts';

/** What is listed and watched. */
export interface Resource {
  /** In logs and metrics. */
  readonly name: string;
  /** Of the collection, for example /api/v1/serviceaccounts. */
  readonly path: string;
  readonly fieldSelector?: string;
  /** Names, labels and annotations are enough: a ServiceAccount or Namespace is then a third of its size on the way. */
  readonly metadataOnly?: boolean;
  /** Objects of one page; 500 unless given, which is right for metadata. */
  readonly pageSize?: number;
}

/** Small enough to parse without holding up reviews, large enough for 200 pages of 100,000 objects. */
const PAGE_SIZE = 500;
const PARTIAL = 'g=meta.k8s.io;v=v1';

/** Media types for one object of the resource. */
export function acceptOf(resource: Pick<Resource, 'metadataOnly'>): string {
  return acceptAs(resource, 'PartialObjectMetadata');
}

/** Media types for a watch of the resource: binary where only metadata is read, whatever the server knows. */
export function watchAcceptOf(resource: Pick<Resource, 'metadataOnly'>, { binary }: { binary: boolean }): string {
  const json = acceptOf(resource);
  return binary && resource.metadataOnly === true ? `${BINARY};as=PartialObjectMetadata;${PARTIAL},${json}` : json;
}

function acceptAs({ metadataOnly }: Pick<Resource, 'metadataOnly'>, kind: string): string {
  return metadataOnly === true ? `application/json;as=${kind};${PARTIAL},application/json` : 'application/json';
}

export function streamingListPath(resource: Resource, timeoutSeconds: number): string {
  return pathOf(resource, {
    watch: '1',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(timeoutSeconds),
  });
}

export function watchPath(resource: Resource, from: { resourceVersion: string; timeoutSeconds: number }): string {
  const { resourceVersion, timeoutSeconds } = from;
  return pathOf(resource, {
    watch: '1',
    resourceVersion,
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(timeoutSeconds),
  });
}

export interface Page {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  /** Where the next page begins; empty at the end. */
  readonly next: string;
}

/** The pages of one consistent list; throws KubeError, `refused` with 410 where it took longer than the server keeps it. */
export async function* pagesOf(
  client: Pick<ReadClient, 'get'>,
  resource: Resource,
  signal: AbortSignal,
): AsyncGenerator<Page, void> {
  const { pageSize: size = PAGE_SIZE } = resource;
  let page = await pageOf({ client, resource, signal, size });
  yield page;
  while (page.next !== '') {
    page = await pageOf({ client, resource, signal, size, from: page.next });
    yield page;
  }
}

/** Where the server's history of the resource stands now. */
export async function currentVersion(
  client: Pick<ReadClient, 'get'>,
  resource: Resource,
  signal: AbortSignal,
): Promise<string> {
  return (await pageOf({ client, resource, signal, size: 1 })).resourceVersion;
}

interface PageOptions {
  readonly client: Pick<ReadClient, 'get'>;
  readonly resource: Resource;
  readonly signal: AbortSignal;
  readonly size: number;
  readonly from?: string;
}

async function pageOf({ client, resource, signal, size, from }: PageOptions): Promise<Page> {
  const query = { limit: String(size), ...(from === undefined ? {} : { continue: from }) };
  const path = pathOf(resource, query);
  const answer = await client.get(path, { signal, accept: acceptAs(resource, 'PartialObjectMetadataList') });
  if (answer.status !== 200) throw refusalOf(resource.path, answer);
  const metadata = ownField(answer.body, 'metadata');
  const resourceVersion = ownString(metadata, 'resourceVersion');
  if (resourceVersion === undefined || resourceVersion === '') {
    throw new KubeError(`the API server sent a list of ${resource.name} without resourceVersion`, { code: 'garbage' });
  }
  return { items: ownList(answer.body, 'items'), resourceVersion, next: ownString(metadata, 'continue') ?? '' };
}

function pathOf({ path, fieldSelector }: Resource, query: Readonly<Record<string, string>>): string {
  const all = fieldSelector === undefined ? query : { ...query, fieldSelector };
  return `${path}?${new URLSearchParams(all).toString()}`;
}
