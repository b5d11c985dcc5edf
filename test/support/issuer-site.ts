// A host of files on loopback that plays an issuer: over HTTPS, with a certificate of a throw-away CA.
import { createServer } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { Authority, IssueOptions } from './certificates.ts';
import { createAuthority } from './certificates.ts';

export interface SiteAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is text. */
  readonly body?: unknown;
}

export interface IssuerSite {
  readonly caPem: string;
  /** For --connect-to. */
  readonly address: string;
  /** What it answers, by path; 404 elsewhere. */
  readonly pages: Map<string, SiteAnswer>;
  /** What it was asked with. */
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  close(): Promise<void>;
}

export interface IssuerSiteOptions extends IssueOptions {
  readonly authority?: Authority;
  /** Leaves the CA out of what is sent. */
  readonly alone?: boolean;
}

export async function startIssuerSite(options: IssuerSiteOptions): Promise<IssuerSite> {
  const authority = options.authority ?? (await createAuthority());
  const { certPem, keyPem } = await authority.issue(options);
  const pages = new Map<string, SiteAnswer>();
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  const cert = options.alone === true ? certPem : `${certPem}${authority.caPem}`;
  const server = createServer({ key: keyPem, cert }, (incoming, outgoing) => {
    const path = incoming.url ?? '';
    requests.push({ path, headers: incoming.headers });
    const { status = 200, headers = {}, body = '' } = pages.get(path) ?? { status: 404 };
    outgoing.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const listening = Promise.withResolvers<void>();
  server.listen({ port: 0, host: '127.0.0.1' }, listening.resolve);
  await listening.promise;
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    caPem: authority.caPem,
    address: `127.0.0.1:${port}`,
    pages,
    requests,
    close: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
