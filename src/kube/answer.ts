// What the API server answered to one call, read to its end; and what it means where a success was needed.
import type { IncomingMessage } from 'node:http';
import { ownString } from '../admission/json.ts';
import { KubeError } from './error.ts';
import { parsed } from './split.ts';
import { textOf } from './stream.ts';

export interface KubeAnswer {
  readonly status: number;
  /** Parsed JSON; the text where the answer is no success and no JSON. */
  readonly body: unknown;
  readonly retryAfterSeconds: number | undefined;
}

/** `timeoutMs` is for whoever has no bound of his own; after it KubeError `silent` is thrown. */
export async function answerOf(response: IncomingMessage, timeoutMs?: number): Promise<KubeAnswer> {
  const status = response.statusCode ?? 0;
  const retryAfterSeconds = secondsFrom(response.headers['retry-after']);
  const end = (): void => {
    response.destroy(new KubeError(`answer ${status} had no end for ${timeoutMs} ms`, { code: 'silent' }));
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
  const text = await textOf(response).finally(() => clearTimeout(timer));
  const isSuccess = status >= 200 && status < 300;
  return { status, retryAfterSeconds, body: isSuccess ? parsed(text) : parsedOrText(text) };
}

/** The error that an answer other than a success is where a success was needed. */
export function refusalOf(path: string, { status, body, retryAfterSeconds }: KubeAnswer): KubeError {
  const reason = ownString(body, 'message') ?? (typeof body === 'string' ? body.slice(0, 200) : '');
  return new KubeError(`the API server answered ${status} to ${path}: ${reason}`, {
    code: 'refused',
    status,
    retryAfterSeconds,
  });
}

function parsedOrText(text: string): unknown {
  try {
    return parsed(text);
  } catch {
    return text;
  }
}

/** The API server sends whole seconds only; dates are not read. */
function secondsFrom(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}
