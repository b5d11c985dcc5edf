// The ServiceAccounts that are annotated with a role, in manifests or in a cluster.
import { ownField, ownString } from '../admission/json.ts';
import { parseRoleArn } from '../aws/arn.ts';
import { DISCOVERY_PATH } from '../aws/discovery.ts';
import type { KubeClient } from '../kube/client.ts';
import { pagesOf } from '../kube/list.ts';
import type { ManifestObject } from '../kube/manifest-documents.ts';
import { accountKeyFrom, namespaceOf } from '../kube/manifest-documents.ts';
import { readIssuerDocument } from './cluster-issuer.ts';

export interface AnnotatedAccount {
  readonly namespace: string;
  readonly name: string;
  readonly roleArn: string;
  /** Undefined where the flag's counts. */
  readonly audience: string | undefined;
}

export function annotatedIn(manifests: readonly ManifestObject[], prefix: string): readonly AnnotatedAccount[] {
  return manifests
    .filter((manifest) => accountKeyFrom(manifest) !== undefined)
    .flatMap(({ object }) => annotatedFrom(object, prefix));
}

/** Rejects with KubeError where the accounts cannot be listed. */
export async function annotatedInCluster(
  client: Pick<KubeClient, 'get' | 'stream'>,
  { prefix, signal }: { readonly prefix: string; readonly signal: AbortSignal },
): Promise<readonly AnnotatedAccount[]> {
  const found: AnnotatedAccount[] = [];
  const resource = { name: 'serviceaccounts', path: '/api/v1/serviceaccounts', metadataOnly: true };
  for await (const { items } of pagesOf(client, resource, signal)) {
    found.push(...items.flatMap((item) => annotatedFrom(item, prefix)));
  }
  return found;
}

/** What is no role's ARN is nobody's identity: `diagnose` speaks of those. */
function annotatedFrom(object: unknown, prefix: string): readonly AnnotatedAccount[] {
  const metadata = ownField(object, 'metadata');
  const annotations = ownField(metadata, 'annotations');
  const roleArn = ownString(annotations, `${prefix}/role-arn`)?.trim() ?? '';
  const name = ownString(metadata, 'name') ?? '';
  if (name === '' || parseRoleArn(roleArn) === undefined) return [];
  const audience = ownString(annotations, `${prefix}/audience`) ?? '';
  const namespace = namespaceOf({ metadata });
  return [{ namespace, name, roleArn, audience: audience === '' ? undefined : audience }];
}

/** The issuer that the cluster's own discovery document names; undefined where it names none. Rejects with KubeError. */
export async function issuerOfCluster(
  client: Pick<KubeClient, 'get'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  return ownString(await readIssuerDocument(client, { path: `/${DISCOVERY_PATH}`, signal }), 'issuer');
}
