// Writes an answer in one piece. Where the request is not wholly read, the connection ends with it, but not before its
// sender had a chance to read it.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

// A socket that is closed while data is coming in is reset, and a reset throws away what the client has not read yet: of
// a hundred bodies that were shed, some clients saw EPIPE instead of the 503 that tells them to try again. A second is a
// round trip to anywhere, and enough for a busy client to look.
const LINGER_MS = 1_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Default: application/json. */
  readonly type?: string;
  readonly headers?: OutgoingHttpHeaders;
}

export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const { status, body, type = 'application/json', headers } = answer;
  const isRead = request.complete || !hasBody(request);
  // The rest of the body could only be read to be thrown away, for as long as its sender likes.
  if (!isRead) response.setHeader('Connection', 'close');
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...headers });
  if (isRead) response.end(body);
  else endSoon(request, response, body);
}

function endSoon(request: IncomingMessage, response: ServerResponse, body: string): void {
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  response.write(body);
  request.once('close', end);
  request.resume();
}

/** The form of every error: JSON with a sentence, never a stack. */
export function errorAnswer(status: number, message: string, headers?: OutgoingHttpHeaders): Answer {
  return { status, body: `${JSON.stringify({ error: message })}\n`, ...(headers && { headers }) };
}

// `complete` is false in the turn in which the headers are read, even where nothing follows them.
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
