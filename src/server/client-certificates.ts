// Whether a client may ask for a decision, where the server asks for client certificates.
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface Refusal {
  /** 401: no certificate that can be trusted. 403: a trusted one, of somebody else. */
  readonly status: 401 | 403;
  readonly message: string;
}

export interface ClientCheckOptions {
  /** Common names or DNS names, of which one must be the client's; any client of the CA will do where empty. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Undefined where the client is welcome. */
export type CheckClient = (socket: Socket) => Refusal | undefined;

export function createClientCheck({ names, now }: ClientCheckOptions): CheckClient {
  // A connection makes thousands of requests with the one certificate of its handshake.
  const verdicts = new WeakMap<Socket, Verdict>();

  return (socket) => {
    let verdict = verdicts.get(socket);
    if (verdict === undefined) {
      verdict = verdictOn(socket, names);
      verdicts.set(socket, verdict);
    }
    // OpenSSL looked at the dates once, and connections live for days.
    return verdict.refusal ?? (now() > verdict.notAfter ? untrusted('CERT_HAS_EXPIRED') : undefined);
  };
}

interface Verdict {
  readonly refusal: Refusal | undefined;
  readonly notAfter: number;
}

function verdictOn(socket: Socket, names: readonly string[]): Verdict {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined || !(socket instanceof TLSSocket)) {
    return {
      refusal: { status: 401, message: 'want a client certificate of the CA in --client-ca-file' },
      notAfter: 0,
    };
  }
  // Node gives the code of OpenSSL here, whatever the type says.
  if (!socket.authorized) return { refusal: untrusted(String(socket.authorizationError)), notAfter: 0 };
  const isNamed = names.length === 0 || names.some((name) => bears(certificate, name));
  const refusal: Refusal | undefined = isNamed
    ? undefined
    : { status: 403, message: 'want a client certificate with one of the names in --client-names' };
  return { refusal, notAfter: certificate.validToDate.getTime() };
}

function untrusted(code: string): Refusal {
  return { status: 401, message: `the client certificate is not accepted: ${code}` };
}

// OpenSSL compares, so that nothing has to be taken out of a printed list of names.
function bears(certificate: X509Certificate, name: string): boolean {
  return certificate.checkHost(name, { subject: 'always', wildcards: false }) !== undefined;
}
