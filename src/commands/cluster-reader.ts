// Reads single objects and whole lists of a cluster, as a person may who asks about one pod.
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownList } from '../admission/json.ts';
import { refusalOf } from '../kube/answer.ts';
import type { KubeClient } from '../kube/client.ts';
import { pagesOf } from '../kube/list.ts';

export interface Reader {
  /** Undefined where there is none. */
  object(path: string): Promise<JsonObject | undefined>;
  /** Of a path without query, in pages; the kind is on each item, which it is not in the API server's lists. */
  list(path: string, of: { readonly kind: string; readonly apiVersion?: string }): Promise<JsonObject[]>;
  /** The few that have a label. */
  labelled(
    path: string,
    of: { readonly kind: string; readonly apiVersion: string; readonly label: string },
  ): Promise<JsonObject[]>;
}

export function createReader(client: Pick<KubeClient, 'get'>): Reader {
  const { signal } = new AbortController();

  async function object(path: string): Promise<JsonObject | undefined> {
    const answer = await client.get(path, { signal });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200 || !isObject(answer.body)) throw refusalOf(path, answer);
    return answer.body;
  }

  return {
    object,
    list: async (path, { kind, apiVersion = 'v1' }) => {
      const items: JsonObject[] = [];
      const resource = { name: path.slice(path.lastIndexOf('/') + 1), path };
      for await (const page of pagesOf(client, resource, signal)) items.push(...page.items.filter(isObject));
      return items.map((item) => ({ apiVersion, kind, ...item }));
    },
    labelled: async (path, { kind, apiVersion, label }) => {
      const found = await object(`${path}?${new URLSearchParams({ labelSelector: label }).toString()}`);
      return ownList(found, 'items')
        .filter(isObject)
        .map((item) => ({ apiVersion, kind, ...item }));
    },
  };
}

/** Of the objects of a namespace; what a person typed must not name another path. */
export function pathIn(namespace: string, collection: string, name?: string): string {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${collection}`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}
