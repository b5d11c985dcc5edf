// The web as STS sees it, in miniature: names lead to servers of the test on loopback, and HTTPS is checked for those names
// against a CA of the test. So an issuer can have the URL that IAM demands, which has no port.
import { request } from 'node:https';

export interface Page {
  readonly status: number;
  readonly text: string;
}

/** Why there is no page: the certificate is not trusted, or nobody answers. */
export interface NoPage {
  readonly failure: 'certificate' | 'unreachable';
}

export type FetchPage = (url: string) => Promise<Page | NoPage>;

export interface WebOptions {
  /** CAs that are trusted. */
  readonly caPem: string;
  /** Port on loopback by host name. */
  readonly hosts: Readonly<Record<string, number>>;
}

// AWS sets no limit in its documentation; what IAM stores of keys, 200 at most, fits into a tenth of this.
const maxBytes = 1_048_576;

/** No redirects, nothing but HTTPS and status 200 counts for whoever asks: what STS is known to take. */
export function createWeb({ caPem, hosts }: WebOptions): FetchPage {
  return async (address) => {
    const url = new URL(address);
    const port = Object.hasOwn(hosts, url.hostname) ? hosts[url.hostname] : undefined;
    if (url.protocol !== 'https:' || url.port !== '' || port === undefined) return { failure: 'unreachable' };
    const { promise, resolve } = Promise.withResolvers<Page | NoPage>();
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        servername: url.hostname,
        path: `${url.pathname}${url.search}`,
        headers: { Host: url.hostname },
        ca: caPem,
        agent: false,
        timeout: 5000,
      },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (text.length > maxBytes) outgoing.destroy(new Error(`${address} is longer than ${maxBytes} bytes.`));
        });
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
      },
    );
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', (error) => resolve({ failure: isOfCertificate(error) ? 'certificate' : 'unreachable' }));
    outgoing.end();
    return promise;
  };
}

function isOfCertificate(error: NodeJS.ErrnoException): boolean {
  return /CERT|ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(error.code ?? '');
}
