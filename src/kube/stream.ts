// A response of the API server read as it comes, document by document, without ever holding up the event loop for longer
// than a chunk takes.
import { messageOf } from '../admission/thrown.ts';
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { KubeError } from './error.ts';
import { createFrameSplitter, createLineSplitter } from './split.ts';
import { BINARY } from './watch-frames.ts';

/** Without a turn of the event loop after a burst of this length, reviews waited 88–300 ms during a list of 100,000. */
const BURST_MS = 1;

export interface StreamOptions {
  /** Longest silence, in milliseconds; asked again after the events of each chunk. */
  readonly idleMs: () => number;
  /** Called whenever bytes came. */
  readonly onBytes?: (() => void) | undefined;
}

/** Ends when the server ends the response; throws KubeError `connection`, `silent` or `garbage`. */
export async function* eventsOf(
  open: () => Promise<IncomingMessage>,
  options: StreamOptions,
): AsyncGenerator<unknown, void> {
  const response = await open();
  const isBinary = response.headers['content-type']?.startsWith(BINARY) === true;
  const splitter = isBinary ? createFrameSplitter() : createLineSplitter();
  const patience = createPatience(response, options.idleMs);
  let turnedAt = performance.now();
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      options.onBytes?.();
      for (const document of splitter.documentsIn(chunk)) yield document;
      // After the events, because they may change how long the next silence may be.
      patience.renew();
      if (performance.now() - turnedAt > BURST_MS) {
        await setImmediate();
        turnedAt = performance.now();
      }
    }
  } catch (error) {
    throw kubeErrorFrom(error);
  } finally {
    patience.end();
  }
  if (!splitter.isEmpty()) throw garbage('half an event at the end of the response');
}

/** The whole body; throws KubeError `connection`. */
export async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  try {
    for await (const chunk of response as AsyncIterable<string>) text += chunk;
  } catch (error) {
    throw kubeErrorFrom(error);
  }
  return text;
}

export function kubeErrorFrom(error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  return new KubeError(`connection to the API server failed: ${messageOf(error)}`, {
    code: 'connection',
    cause: error,
  });
}

function garbage(what: string): KubeError {
  return new KubeError(`the API server sent ${what}`, { code: 'garbage' });
}

/** A peer that vanished without a FIN never ends a response by itself. */
function createPatience(response: IncomingMessage, idleMs: () => number): { renew(): void; end(): void } {
  const destroy = (): void => {
    response.destroy(new KubeError(`no byte from the API server for ${patience} ms`, { code: 'silent' }));
  };
  let patience = idleMs();
  let timer = setTimeout(destroy, patience);

  function renew(): void {
    if (idleMs() === patience) {
      timer.refresh();
      return;
    }
    clearTimeout(timer);
    patience = idleMs();
    timer = setTimeout(destroy, patience);
  }

  return { renew, end: () => clearTimeout(timer) };
}
