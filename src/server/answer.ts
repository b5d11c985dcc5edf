// Writes an answer in one piece, and closes the connection where the request is not wholly read.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

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
  // The rest of the body could only be read to be thrown away, for as long as its sender likes.
  if (!request.complete && hasBody(request)) response.setHeader('Connection', 'close');
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...headers });
  response.end(body);
}

/** The form of every error: JSON with a sentence, never a stack. */
export function errorAnswer(status: number, message: string, headers?: OutgoingHttpHeaders): Answer {
  return { status, body: `${JSON.stringify({ error: message })}\n`, ...(headers && { headers }) };
}

// `complete` is false in the turn in which the headers are read, even where nothing follows them.
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
