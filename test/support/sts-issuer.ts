// An issuer's two public documents on a web server of the test: what an administrator puts into a bucket. Each can be
// replaced while tokens are in use.
import { createServer } from 'node:https';
import { createAuthority } from './certificates.ts';
import { listen } from './sts-listening.ts';
import { createWeb } from './sts-web.ts';
import type { FetchPage } from './sts-web.ts';

export interface PublishedIssuer {
  /** For --connect-to. */
  readonly address: string;
  readonly caPem: string;
  /** How STS reaches it, and nothing else. */
  readonly fetchPage: FetchPage;
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** Replaces documents by path; undefined takes one away. */
  publish(documents: Readonly<Record<string, unknown>>): void;
  close(): Promise<void>;
}

export interface IssuerOptions {
  /** `https://` and no port. */
  readonly issuer: string;
  readonly keySet: unknown;
  /** The name in the certificate, if not the issuer's. */
  readonly certificateName?: string;
}

/** Where the documents are, relative to the server. */
export function documentPaths(issuer: string): { readonly discovery: string; readonly keys: string } {
  const path = new URL(issuer).pathname.replace(/\/$/, '');
  return { discovery: `${path}/.well-known/openid-configuration`, keys: `${path}/openid/v1/jwks` };
}

/** What kube-apiserver says of itself; `change` is for what administrators get wrong. */
export function discoveryOf(issuer: string, change: Readonly<Record<string, unknown>> = {}): object {
  return {
    issuer,
    jwks_uri: `${new URL(issuer).origin}${documentPaths(issuer).keys}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    ...change,
  };
}

export async function publishIssuer({ issuer, keySet, certificateName }: IssuerOptions): Promise<PublishedIssuer> {
  const { hostname } = new URL(issuer);
  const paths = documentPaths(issuer);
  const documents = new Map<string, unknown>([
    [paths.discovery, discoveryOf(issuer)],
    [paths.keys, keySet],
  ]);
  const asked: string[] = [];
  const authority = await createAuthority();
  const { keyPem, certPem } = await authority.issue({ names: [certificateName ?? hostname] });
  const server = createServer({ key: keyPem, cert: certPem }, (incoming, outgoing) => {
    const path = incoming.url ?? '';
    asked.push(path);
    const document = documents.get(path);
    if (incoming.headers.host !== hostname || document === undefined) outgoing.writeHead(403).end('AccessDenied');
    else outgoing.writeHead(200, { 'Content-Type': 'application/json' }).end(textOf(document));
  });
  const { port, close } = await listen(server);
  return {
    address: `127.0.0.1:${port}`,
    caPem: authority.caPem,
    fetchPage: createWeb({ caPem: authority.caPem, hosts: { [hostname]: port } }),
    asked,
    publish: (changed) => {
      for (const [path, document] of Object.entries(changed)) {
        if (document === undefined) documents.delete(path);
        else documents.set(path, document);
      }
    },
    close,
  };
}

function textOf(document: unknown): string {
  return typeof document === 'string' ? document : JSON.stringify(document);
}
