// `oidc verify`: fetches what an issuer publishes as STS would, and holds it against the cluster and a token of it.
import { codeOf } from '../admission/thrown.ts';
import type { Check } from '../aws/check.ts';
import { skipped } from '../aws/check.ts';
import { addressProblems, discoveryUrlOf } from '../aws/issuer.ts';
import type { NoAnswer, PublicDocument } from '../aws/issuer-checks.ts';
import { checkDiscovery, checkJwks, checkProof, checkUrl } from '../aws/issuer-checks.ts';
import { checkCluster, checkToken } from '../aws/signer-checks.ts';
import { ConfigError } from '../config-error.ts';
import type { FlagValues } from '../flags/given.ts';
import { presentText } from '../settings-from-flags.ts';
import { checksJson, checksText } from './check-report.ts';
import type { ClusterIssuer } from './cluster-issuer.ts';
import { readClusterIssuer } from './cluster-issuer.ts';
import type { KubeConfigOptions } from '../kube/kubeconfig.ts';
import type { CommandCall, ExitCode } from './io.ts';
import type { IssuerFetch } from './issuer-fetch.ts';
import { fetchFrom, issuerFrom, orWrongUse, refuseWrongUse } from './issuer-options.ts';
import { readOption } from './option-files.ts';
import { tokenFrom } from './token.ts';

export interface VerifyOptions {
  readonly issuer: string;
  readonly fetch: IssuerFetch;
  /** Undefined where there is no cluster to compare with. */
  readonly cluster: ClusterIssuer | undefined;
  readonly token: string | undefined;
  readonly output: 'text' | 'json';
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface VerifyWorld {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly readCluster: (options: KubeConfigOptions) => Promise<ClusterIssuer>;
}

const WORLD: VerifyWorld = { now: Date.now, readCluster: readClusterIssuer };

/** Rejects with ConfigError where it is used wrongly, or nothing can be fetched or read. */
export async function runOidcVerify({ flags, io }: CommandCall, world: VerifyWorld = WORLD): Promise<ExitCode> {
  const problems: string[] = [];
  const issuer = issuerFrom(flags, problems);
  if (issuer !== '' && !(/^https:\/\/[^/]/.test(issuer) && URL.canParse(issuer)))
    problems.push(`--issuer=${JSON.stringify(issuer)}: want an https:// URL`);
  const fetch = await fetchFrom(flags, io, problems);
  refuseWrongUse(problems);
  const file = presentText(flags, 'token');
  const token = file === undefined ? undefined : await readOption({ option: '--token', file }, io);
  // What is no token is bad input, and says nothing about the issuer.
  if (file !== undefined && token !== undefined) tokenFrom(token, file);
  const cluster = await clusterFrom(flags, world);
  const output = flags.text('output') === 'json' ? 'json' : 'text';
  const checks = await verifiedIssuer({ issuer, fetch, cluster, token, output, now: world.now() });
  io.stdout(output === 'json' ? checksJson(issuer, checks) : checksText(checks));
  return checks.some(({ result }) => result === 'failed') ? 1 : 0;
}

/** In a pod the cluster is its own; elsewhere it must be named, and the rest is verified without. */
async function clusterFrom(flags: FlagValues, { readCluster }: VerifyWorld): Promise<ClusterIssuer | undefined> {
  try {
    return await readCluster({ kubeconfig: presentText(flags, 'kubeconfig'), server: presentText(flags, 'kube-api') });
  } catch (error) {
    if (codeOf(error) === 'no-cluster') return undefined;
    return orWrongUse(Promise.reject(error), 'the cluster');
  }
}

/** In the order in which STS would fall over them. Rejects with ConfigError where the issuer does not answer at all. */
export async function verifiedIssuer(options: VerifyOptions): Promise<readonly Check[]> {
  const { issuer, fetch, cluster, token, now } = options;
  const document = await fetch(discoveryUrlOf(issuer), issuer);
  if ('failure' in document) {
    const problem = `${document.url} cannot be reached from here: ${document.failure}`;
    throw new ConfigError('usage', [problem]);
  }
  const { checks, discovery } = checkDiscovery(issuer, document);
  const jwksDocument =
    discovery === undefined ? undefined : await jwksAt(discovery.jwksUri, (url) => fetch(url, issuer));
  const { checks: jwksChecks, jwks } = checkJwks(issuer, jwksDocument);
  return [
    checkUrl(issuer),
    checkProof('discovery-certificate', document),
    ...checks,
    ...otherServer(document, jwksDocument),
    ...jwksChecks,
    ...(cluster === undefined
      ? [skipped('cluster-keys', 'no cluster to compare with: give --kubeconfig=FILE')]
      : checkCluster(issuer, cluster, jwks?.keys ?? [])),
    ...(token === undefined
      ? [skipped('token-signature', 'no token to verify: give --token=FILE')]
      : await checkToken(token, { issuer, keys: jwks?.keys, now })),
  ];
}

/** What is no address cannot be asked; that has been said by then. */
async function jwksAt(
  address: string,
  fetch: (url: string) => ReturnType<IssuerFetch>,
): Promise<PublicDocument | NoAnswer | undefined> {
  const isHttps = URL.canParse(address) && new URL(address).protocol === 'https:';
  return isHttps ? fetch(address) : { url: address, failure: addressProblems(address).join('; ') };
}

/** Keys on another server have a certificate of their own, and a private CA there a thumbprint of its own. */
function otherServer(document: PublicDocument, jwks: PublicDocument | NoAnswer | undefined): readonly Check[] {
  if (jwks === undefined || 'failure' in jwks || new URL(jwks.url).host === new URL(document.url).host) return [];
  return [checkProof('jwks-certificate', jwks)];
}
