// Whether the certificate that a webhook serves is one that the API server takes: by the caBundle of its registration and
// for the name that the API server calls it by.
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { messageOf } from '../admission/thrown.ts';

export interface ServedQuestion {
  /** To where it listens; not yet TLS. */
  readonly socket: Duplex;
  /** `pod-identity-webhook.pod-identity-webhook.svc`, or the address of a URL. */
  readonly host: string;
  /** PEM. */
  readonly caBundle: string;
  readonly timeoutMs?: number;
}

/** Over a port-forward a handshake takes some 50 ms. */
const TIMEOUT_MS = 5000;

/** What is wrong with it; undefined where nothing is. Rejects where nobody there speaks TLS. */
export async function certificateProblem(question: ServedQuestion): Promise<string | undefined> {
  const { socket, host, caBundle, timeoutMs = TIMEOUT_MS } = question;
  const done = Promise.withResolvers<string | undefined>();
  const end = (): void => done.reject(new Error(`no TLS handshake in ${timeoutMs} ms`));
  const timer = setTimeout(end, timeoutMs);
  try {
    // What went wrong before we came.
    if (socket.errored !== null) throw socket.errored;
    socket.once('error', done.reject);
    const secured = connect({
      socket,
      host,
      // No address may be asked for (RFC 6066 §3).
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ca: caBundle,
      // As Go's verifier, which takes whatever is in the bundle for a root.
      allowPartialTrustChain: true,
      // What is wrong is told, not thrown; nothing is sent or believed.
      rejectUnauthorized: false,
    });
    secured.once('secureConnect', () => done.resolve(problemOf(secured, host)));
    secured.once('error', done.reject);
    secured.once('close', () => done.reject(new Error('the connection was closed before the TLS handshake')));
    return await done.promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Of Node's own check, which comes last. */
const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';

function problemOf(socket: TLSSocket, host: string): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return 'it shows no certificate';
  const of = `the certificate that it serves (${oneLine(certificate.subject)}, by ${oneLine(certificate.issuer)}, until ${certificate.validToDate.toISOString()})`;
  const error = messageOf(socket.authorizationError);
  if (!socket.authorized && error !== WRONG_NAME) {
    return `${of} is not one that its caBundle verifies: ${WORDS[error] ?? error}`;
  }
  // Go takes no name from the subject; Node would.
  const named = isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host);
  return named === undefined ? `${of} is not for ${host}` : undefined;
}

// OpenSSL's codes, as Node passes them on.
const WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it has signed itself, and is not in the bundle',
  SELF_SIGNED_CERT_IN_CHAIN: 'its CA is not in the bundle',
  UNABLE_TO_GET_ISSUER_CERT: 'its CA is not in the bundle',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its CA is not in the bundle',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its CA is not in the bundle',
};

function oneLine(name: string): string {
  return name === '' ? 'no name' : name.replaceAll('\n', ', ');
}
