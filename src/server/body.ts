// Reads a review's body into one Buffer and one JSON.parse, within bounds that no sender can get around: of bytes, of
// all bodies together, of shape. What is refused is refused before it costs anything.
import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { ReviewError } from '../admission/review-error.ts';
import { MAX_DEPTH, MAX_VALUES, shapeProblem } from './json-shape.ts';

// An API object has up to 3 MiB (the API server's limit of a request body), twice in a review of an update, and the
// rest of the review around it; controller-runtime allows the same. A number, because a text of it can fail to parse.
const MAX_BODY_BYTES = 7 * 1_048_576;

// An ordinary review has 8 kB. Its first 16 KiB are always taken, so ordinary ones never wait behind big ones; with
// 2,000 connections (SocketLimits) that is 32 MiB.
const FREE_BYTES = 16_384;

// Of all bodies beyond that, from the first byte to the answer. A body becomes a Buffer, a string and a tree of up to
// eight times its bytes, so with the line above this stays under 192 MiB beside the 64 MiB of the resting process.
const BUDGET_BYTES = 20 * 1_048_576;

// What a Buffer takes beside its bytes: whoever sends single bytes pays for them.
const CHUNK_BYTES = 256;

export interface BodyLimits {
  readonly maxBytes: number;
  readonly freeBytes: number;
  readonly budgetBytes: number;
}

const BODY_LIMITS: BodyLimits = { maxBytes: MAX_BODY_BYTES, freeBytes: FREE_BYTES, budgetBytes: BUDGET_BYTES };

export type Body =
  | { readonly kind: 'json'; readonly value: unknown }
  /** Too many bodies at once. */
  | { readonly kind: 'overloaded' }
  /** The client has gone; there is nobody to answer. */
  | { readonly kind: 'gone' };

/** Rejects with ReviewError where the body is refused. Its bytes count until the response is closed. */
export type ReadBody = (request: IncomingMessage, response: ServerResponse) => Promise<Body>;

export function createBodyReader(limits: BodyLimits = BODY_LIMITS): ReadBody {
  let held = 0;

  return async (request, response) => {
    checkHeaders(request.headers, limits.maxBytes);
    let cost = 0;
    let own = 0;
    const release = (): void => {
      held -= own;
      own = 0;
    };
    response.once('close', release);
    /** Whether one more chunk of that size fits into the budget. */
    const take = (bytes: number): boolean => {
      cost += bytes + CHUNK_BYTES;
      const more = Math.max(0, cost - limits.freeBytes) - own;
      const fits = held + more <= limits.budgetBytes;
      if (fits) {
        own += more;
        held += more;
      } else release();
      return fits;
    };
    const collected = await collect(request, take, limits.maxBytes);
    return Buffer.isBuffer(collected) ? { kind: 'json', value: parseBody(collected) } : { kind: collected };
  };
}

function checkHeaders(headers: IncomingHttpHeaders, maxBytes: number): void {
  // An API server never compresses a review, and 1 KB of gzip can be 20 MB.
  if (headers['content-encoding'] !== undefined) {
    throw new ReviewError('content-encoding', 'want a body without Content-Encoding');
  }
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.replace(/^charset="?|"$/g, '');
  if (type !== 'application/json' || (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')) {
    throw new ReviewError('content-type', 'want Content-Type: application/json, in UTF-8');
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

async function collect(
  request: IncomingMessage,
  take: (bytes: number) => boolean,
  maxBytes: number,
): Promise<Buffer | 'overloaded' | 'gone'> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => {
      request.removeAllListeners('data');
      chunks.length = 0;
      // What still comes is thrown away, until the answer closes the connection.
      request.resume();
    };
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        stop();
        reject(tooLarge(maxBytes));
      } else if (take(chunk.length)) chunks.push(chunk);
      else {
        stop();
        resolve('overloaded');
      }
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    // `error` comes with it where the client went away in the middle; unheard, it would be thrown.
    request.once('error', () => resolve('gone'));
    request.once('close', () => resolve('gone'));
  });
}

function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new ReviewError('empty-body', 'want an AdmissionReview, got an empty body');
  const encoding = foreignEncoding(bytes);
  if (encoding !== undefined) throw new ReviewError('not-json', `want JSON in UTF-8 without a mark, got ${encoding}`);
  const problem = shapeProblem(bytes);
  if (problem === 'too-deep') throw new ReviewError('too-deep', `want JSON of at most ${MAX_DEPTH} levels`);
  if (problem === 'too-many-values') throw new ReviewError('too-large', `want JSON of at most ${MAX_VALUES} values`);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // Not V8's message, which quotes the body.
    throw new ReviewError('not-json', 'the body is not JSON, or cut off');
  }
}

function foreignEncoding(bytes: Buffer): string | undefined {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return 'UTF-16';
  // JSON begins with an ASCII character, which UTF-16 makes a zero byte beside it.
  if (first === 0 || second === 0) return 'UTF-16';
  if (first === 0xef && second === 0xbb) return 'a byte order mark';
  return isUtf8(bytes) ? undefined : 'bytes that are not UTF-8';
}

function tooLarge(maxBytes: number): ReviewError {
  return new ReviewError('too-large', `want a body of at most ${maxBytes} bytes`);
}
