// The serving certificate of the self-signed mode: signed in this process, and never written anywhere. It is renewed
// with a third of its life left, and never outlives the CA that signed it.
import { messageOf } from '../admission/thrown.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import type { Ca } from './authority-state.ts';
import { CLOCK_SKEW_MS } from './authority-state.ts';
import { CertificateError } from './certificate-error.ts';
import type { Certificates, CheckOptions, ServingCertificate } from './certificate.ts';
import { certificateFrom, checkClientCa, validityProblem } from './certificate.ts';
import type { IssuedPair, LeafOptions } from './issue.ts';

export interface LeafKeeperOptions {
  /** By which API servers call the Service. */
  readonly names: readonly string[];
  readonly lifetimeMs: number;
  /** What the server passes to every context beside key, certificate and CA. */
  readonly tls: CheckOptions['tls'];
  /** The authorities of client certificates, where they are demanded; read anew each time. */
  readonly readClientCa?: (() => Promise<string>) | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly issueLeaf: (options: LeafOptions) => Promise<IssuedPair>;
  /** Why there is no leaf, as long as there is none. */
  readonly missing: () => string;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'certificateLoaded' | 'reloadFailed'>;
}

export interface Signing {
  /** When this CA was the signing one for certain: no leaf lives longer than its lifetime from then on. */
  readonly asOf: number;
  /** The CA could not be confirmed: sign only where the leaf is about to end, and nothing is lost. */
  readonly lastResort?: boolean;
}

export interface LeafKeeper extends Certificates {
  /** Signs a new leaf where one is due. Rejects with CertificateError. */
  keep(ca: Ca, signing: Signing): Promise<void>;
}

interface Served {
  readonly certificate: ServingCertificate;
  readonly issuer: string;
  readonly lifeMs: number;
}

export function createLeafKeeper(options: LeafKeeperOptions): LeafKeeper {
  const { now, log, recorder, tls } = options;
  const listeners = new Set<(certificate: ServingCertificate) => void>();
  const first = Promise.withResolvers<void>();
  let served: Served | undefined;
  let lastClientCa: string | undefined;

  async function keep(ca: Ca, signing: Signing): Promise<void> {
    const clientCa = await clientCaNow();
    if (isDue(ca, signing.lastResort === true)) {
      const { notAfter, ...pair } = await signed(ca, signing.asOf);
      const pems = { key: pair.keyPem, cert: pair.certPem, ...clientCa };
      const certificate = certificateFrom(pems, { now: now(), tls });
      accept({ certificate, issuer: ca.certPem, lifeMs: notAfter - now() }, 'certificate signed by our own CA');
    } else if (served !== undefined && served.certificate.clientCa !== clientCa.clientCa) {
      const { key, cert } = served.certificate;
      const certificate = certificateFrom({ key, cert, ...clientCa }, { now: now(), tls });
      accept({ ...served, certificate }, 'client CA file read anew');
    }
  }

  function isDue(ca: Ca, lastResort: boolean): boolean {
    if (served === undefined) return true;
    const { certificate, issuer, lifeMs } = served;
    const leftMs = certificate.notAfter.getTime() - now();
    // As late as may be, because another CA may sign by now: eight hours of a week.
    if (lastResort) return leftMs < lifeMs / 20;
    // A clock that was set back is the same to a client as a certificate of tomorrow.
    return issuer !== ca.certPem || leftMs < lifeMs / 3 || validityProblem(certificate, now()) !== undefined;
  }

  async function signed(ca: Ca, asOf: number): Promise<IssuedPair & { readonly notAfter: number }> {
    const notBefore = Math.max(now() - CLOCK_SKEW_MS, ca.notBefore);
    const notAfter = Math.min(asOf + options.lifetimeMs, ca.notAfter);
    if (notAfter <= now())
      throw new CertificateError('expired', 'the CA has expired; look at the clock of this machine');
    const dates = { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
    return { ...(await options.issueLeaf({ ca, names: options.names, ...dates })), notAfter };
  }

  /** The last good ones where the file is none: it must not keep a leaf from being renewed. */
  async function clientCaNow(): Promise<{ readonly clientCa?: string }> {
    if (options.readClientCa === undefined) return {};
    try {
      const pem = await options.readClientCa();
      checkClientCa(pem);
      lastClientCa = pem;
    } catch (error) {
      if (lastClientCa === undefined) {
        const message = `--client-ca-file: ${messageOf(error)}; give a file of certificates in PEM`;
        throw new CertificateError('client-ca', message, { cause: error });
      }
      recorder.reloadFailed('client-ca');
      log.error({ problem: messageOf(error) }, 'client CA file refused, the last good one stays');
    }
    return { clientCa: lastClientCa };
  }

  function accept(next: Served, message: string): void {
    served = next;
    const { certificate } = next;
    const { names, notAfter, fingerprint256 } = certificate;
    log.info({ names, notAfter, fingerprint256 }, message);
    recorder.certificateLoaded(notAfter);
    for (const listener of listeners) listener(certificate);
    first.resolve();
  }

  return {
    keep,
    ready: () => first.promise,
    current: () => served?.certificate,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    problems() {
      if (served === undefined) return [options.missing()];
      const invalid = validityProblem(served.certificate, now());
      return invalid === undefined ? [] : [invalid.message];
    },
    close: () => listeners.clear(),
  };
}
