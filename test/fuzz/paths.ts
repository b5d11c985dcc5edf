// The ways from a body to an answer that are fuzzed: the pure core alone, which is fast, and the server's own routes
// over real HTTP. TLS is left out: it knows nothing of bodies.
import { Agent, createServer, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { mutate } from '../../src/admission/mutate.ts';
import { ReviewError } from '../../src/admission/review-error.ts';
import { parseReview, reviewAnswer } from '../../src/admission/review.ts';
import type { MutateDeps } from '../../src/admission/mutate.ts';
import { createBodyReader } from '../../src/server/body.ts';
import { addressOf } from '../../src/server/listen.ts';
import { createRoutes } from '../../src/server/routes.ts';
import type { HttpAnswer, Path } from './oracle.ts';

/** What the server does between its socket and its log, without them. */
export function createCorePath(deps: MutateDeps): Path {
  return async (body) => {
    try {
      const review = parseReview(parsedBody(body));
      const decision = await mutate(review, deps, 1_000);
      if (decision.kind === 'unknown') return { status: 503, text: JSON.stringify({ error: decision.reason }) };
      return { status: 200, text: JSON.stringify(reviewAnswer(review, decision)) };
    } catch (error) {
      if (error instanceof ReviewError) return { status: 400, text: JSON.stringify({ error: error.message }) };
      throw error;
    }
  };
}

function parsedBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    throw new ReviewError('not-a-review', 'not JSON', { cause });
  }
}

export interface ServerPaths {
  readonly pathFrom: (deps: MutateDeps) => Path;
  close(): Promise<void>;
}

/** One server on loopback; each path has routes of its own behind it, told apart by their URL's query. */
export async function createServerPaths(now: () => number): Promise<ServerPaths> {
  const apps: ReturnType<typeof createRoutes>[] = [];
  const server = createServer((incoming, outgoing) => {
    const index = new URL(incoming.url ?? '', 'http://localhost').searchParams.get('app');
    apps[Number(index)]?.(incoming, outgoing);
  });
  const agent = new Agent({ keepAlive: true });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = addressOf(server);
  const readBody = createBodyReader();

  const pathFrom = (deps: MutateDeps): Path => {
    apps.push(
      createRoutes({
        mutate: (review, timeoutMs) => mutate(review, deps, timeoutMs),
        readBody,
        shadow: false,
        checkClient: undefined,
        now,
        log: silent,
        recorder: unheard,
      }),
    );
    const path = `/mutate?app=${apps.length - 1}`;
    return (body) => posted({ port, path, agent }, body);
  };
  const close = async (): Promise<void> => {
    agent.destroy();
    await new Promise<void>((done) => void server.close(() => done()));
  };
  return { pathFrom, close };
}

async function posted(to: { port: number; path: string; agent: Agent }, body: Buffer): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
    request({ ...to, host: '127.0.0.1', method: 'POST', headers }, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, text: answer }), reject);
    })
      .once('error', reject)
      .end(body);
  });
}

const ignored = (): void => undefined;
const silent = { trace: ignored, debug: ignored, info: ignored, warn: ignored, error: ignored };
const unheard = { decided: ignored, requested: ignored, inFlight: ignored, failedUnexpectedly: ignored };
