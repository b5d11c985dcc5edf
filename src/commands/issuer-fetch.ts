// Fetches an issuer's documents as STS does: over HTTPS, without credentials, without following redirects. A server
// that cannot be trusted is asked all the same, so that everything that is wrong is found at once.
import { X509Certificate } from 'node:crypto';
import type { ClientRequest } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { rootCertificates, TLSSocket } from 'node:tls';
import type { NoAnswer, PublicDocument, ServerProof } from '../aws/issuer-checks.ts';
import { certificateBlocks } from '../aws/pem.ts';
import { thumbprintOf } from '../aws/thumbprint.ts';
import { codeOf, messageOf } from '../admission/thrown.ts';
import { hostOf } from './url-host.ts';

/** As curl's --connect-to: where to connect instead of to the issuer's host. */
export interface ConnectTo {
  readonly host: string;
  readonly port: number;
}

export interface IssuerFetchOptions {
  /** PEM: authorities beside the public ones. */
  readonly authority?: string | undefined;
  readonly connectTo?: ConnectTo | undefined;
  /** Of one document, from the first byte to the last. */
  readonly timeoutMs?: number;
}

/** A document of the issuer, which may be on another host. */
export type IssuerFetch = (url: string, issuer: string) => Promise<PublicDocument | NoAnswer>;

/** AWS's own bound is not known; a set of 200 keys has 150 kB. */
const MAX_BYTES = 1_048_576;
const TIMEOUT_MS = 10_000;

export function createIssuerFetch({ authority, connectTo, timeoutMs = TIMEOUT_MS }: IssuerFetchOptions): IssuerFetch {
  const own = authority === undefined ? [] : certificatesIn(authority);
  const ca = [...rootCertificates, ...own.map((certificate) => certificate.toString())];

  return async (address, issuer) => {
    const url = new URL(address);
    const host = hostOf(url);
    // Whoever else serves the keys is asked where STS would ask.
    const instead = url.host === new URL(issuer).host ? connectTo : undefined;
    const proven = Promise.withResolvers<ServerProof>();
    const sent = https.get({
      host: instead?.host ?? host,
      port: instead?.port ?? (url.port === '' ? 443 : Number(url.port)),
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, accept: 'application/json', 'user-agent': 'pod-identity-webhook' },
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ca,
      // What is wrong with the certificate is told, not thrown; nothing secret is sent or believed.
      rejectUnauthorized: false,
      // A resumed session shows no certificates.
      agent: new https.Agent({ keepAlive: false, maxCachedSessions: 0 }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    sent.once('socket', (socket) => {
      if (socket instanceof TLSSocket) socket.once('secureConnect', () => proven.resolve(proofOf(socket, own)));
    });
    try {
      const answer = await answerTo(sent);
      return { url: address, proof: await proven.promise, ...answer };
    } catch (error) {
      return {
        url: address,
        failure: codeOf(error) === 'ABORT_ERR' ? `no answer in ${timeoutMs} ms` : messageOf(error),
      };
    } finally {
      sent.destroy();
    }
  };
}

async function answerTo(sent: ClientRequest): Promise<{ readonly status: number; readonly text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly text: string }>();
  sent.on('error', reject);
  sent.once('response', (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_BYTES) sent.destroy(new Error(`more than ${MAX_BYTES} bytes`));
    });
    response.on('error', reject);
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
    );
  });
  return promise;
}

function proofOf(socket: TLSSocket, own: readonly X509Certificate[]): ServerProof {
  const chain = chainOf(socket);
  const last = chain.at(-1);
  return {
    problem: socket.authorized ? undefined : String(socket.authorizationError),
    isPrivate: socket.authorized && own.some((authority) => chain.some((certificate) => isOf(certificate, authority))),
    thumbprint: last === undefined ? '' : thumbprintOf(last.raw),
    certificates: chain.length,
    notAfter: chain[0]?.validToDate.toISOString() ?? '',
  };
}

/** As the server sent it, the leaf first. */
function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let certificate = socket.getPeerX509Certificate();
  while (certificate !== undefined) {
    chain.push(certificate);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

function isOf(certificate: X509Certificate, authority: X509Certificate): boolean {
  return (
    certificate.fingerprint256 === authority.fingerprint256 ||
    (certificate.checkIssued(authority) && certificate.verify(authority.publicKey))
  );
}

/** Throws where one of them cannot be read, and where there is none. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = certificateBlocks(pem);
  if (blocks.length === 0) throw new Error('it holds no certificate in PEM');
  return blocks.map((block) => new X509Certificate(block));
}
