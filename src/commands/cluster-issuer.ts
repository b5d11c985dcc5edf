// What the API server itself says of its issuer and keys: the documents that it serves to its own clients.
import type { ClusterKeys } from '../aws/signer-checks.ts';
import type { Discovery } from '../aws/discovery.ts';
import { DISCOVERY_PATH, parseDiscovery } from '../aws/discovery.ts';
import { parseJwks } from '../aws/jwks.ts';
import { refusalOf } from '../kube/answer.ts';
import type { ReadClient } from '../kube/client.ts';
import { createKubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/error.ts';
import type { KubeConfigOptions } from '../kube/kubeconfig.ts';
import { loadKubeConfig } from '../kube/kubeconfig.ts';

export interface ClusterIssuer extends ClusterKeys, Discovery {
  /** Keys that STS cannot use, a sentence each. */
  readonly unusable: readonly string[];
}

const DISCOVERY = `/${DISCOVERY_PATH}`;
const JWKS = '/openid/v1/jwks';
// The API server serves each document as its own type only, and refuses callers who do not take that (RFC 7517 §8.5).
const MEDIA_TYPES = 'application/json, application/jwk-set+json';

/** Rejects with KubeError, also where there is no cluster. */
export async function readClusterIssuer(options: KubeConfigOptions): Promise<ClusterIssuer> {
  const client = createKubeClient({ config: loadKubeConfig(options) });
  try {
    const discovery = parseDiscovery(await read(client, DISCOVERY));
    const jwks = parseJwks(await read(client, JWKS));
    if (discovery === undefined || jwks === undefined) {
      throw new KubeError(`the API server's ${DISCOVERY} and ${JWKS} are not what Kubernetes writes`, {
        code: 'garbage',
      });
    }
    return { ...discovery, keys: jwks.keys, unusable: jwks.unusable };
  } finally {
    client.close();
  }
}

async function read(client: Pick<ReadClient, 'get'>, path: string): Promise<unknown> {
  return readIssuerDocument(client, { path, signal: new AbortController().signal });
}

/** Rejects with KubeError, which names what a caller lacks. */
export async function readIssuerDocument(
  client: Pick<ReadClient, 'get'>,
  { path, signal }: { readonly path: string; readonly signal: AbortSignal },
): Promise<unknown> {
  const answer = await client.get(path, { signal, accept: MEDIA_TYPES });
  if (answer.status === 200) return answer.body;
  const refusal = refusalOf(path, answer);
  const fix = refusalFix(answer.status, 'the ClusterRole system:service-account-issuer-discovery');
  throw fix === undefined
    ? refusal
    : new KubeError(`${refusal.message}; ${fix}`, { code: 'refused', status: answer.status });
}

/** To a caller who is not known another right is of no use. */
export function refusalFix(status: unknown, right: string): string | undefined {
  if (status === 401) return 'its credentials are not known or have expired: correct those of the kubeconfig';
  return status === 403 ? `the caller needs ${right}` : undefined;
}
