// Plain calls to the API server over one kept-alive connection: for what must happen within milliseconds, or while the
// server is not there, where starting a kubectl each time would be too slow.
import { Agent, request } from 'node:https';

export interface ApiClientOptions {
  readonly url: string;
  readonly caPem: string;
  readonly keyPem: string;
  readonly certPem: string;
}

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Sent as JSON, of a PATCH as a JSON merge patch. */
  readonly body?: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiClient {
  /** Rejects only when there is no answer; a refusal is an answer. */
  call(call: ApiCall): Promise<ApiAnswer>;
  close(): void;
}

export function createApiClient({ url, caPem, keyPem, certPem }: ApiClientOptions): ApiClient {
  const agent = new Agent({ keepAlive: true, ca: caPem, key: keyPem, cert: certPem });

  async function call({ method, path, body }: ApiCall): Promise<ApiAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const outgoing = request(
      new URL(path, url),
      { method, agent, headers: body === undefined ? {} : { 'Content-Type': contentType } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: parsed(Buffer.concat(chunks)) }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  return { call, close: () => agent.destroy() };
}

// Health endpoints answer in plain words.
function parsed(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
