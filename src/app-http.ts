// One plain HTTP call with a bound on its time and on its answer, for the instance metadata.
import { request as httpRequestFrom } from 'node:http';
import type { MetadataAnswer } from './identity/instance-metadata.ts';

// The identity document has half a kilobyte; what is much larger is no metadata service.
const MAX_BYTES = 65_536;

export async function httpRequest(
  method: 'GET' | 'PUT',
  url: string,
  { headers, timeoutMs }: { readonly headers: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<MetadataAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequestFrom(url, { method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > MAX_BYTES) sent.destroy(new Error(`${method} ${url}: answer longer than ${MAX_BYTES} bytes`));
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    const timer = setTimeout(
      () => sent.destroy(new Error(`${method} ${url}: no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    sent.once('close', () => clearTimeout(timer));
    sent.once('error', reject);
    sent.end();
  });
}
