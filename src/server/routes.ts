// The admission port's paths. A review becomes a decision, the decision an answer, a log line and a count; whatever is
// thrown on the way ends in one place.
import type { ErrorRequestHandler, Express, Request, Response } from 'express';
import type { Decision } from '../admission/decision.ts';
import type { ReviewErrorCode } from '../admission/review-error.ts';
import { ReviewError } from '../admission/review-error.ts';
import type { Review } from '../admission/review.ts';
import { parseReview, reviewAnswer, silentAnswer } from '../admission/review.ts';
import type { Log } from '../observe/log.ts';
import type { Recorder } from '../observe/recorder.ts';
import type { Answer } from './answer.ts';
import { errorAnswer, send } from './answer.ts';
import type { ReadBody } from './body.ts';
import type { CheckClient } from './client-certificates.ts';
import { addAnswerRoutes } from './debug.ts';
import { decisionFields } from './decision-fields.ts';
import { createExpress } from './express-app.ts';
import { timeoutMsFrom } from './timeout.ts';

// Reviews that wait for something (all others are answered in the turn they are read in): three API servers with the
// default of 200 mutating calls in flight each (--max-mutating-requests-inflight).
const MAX_IN_FLIGHT = 600;

const STATUS: Readonly<Record<ReviewErrorCode, number>> = {
  'empty-body': 400,
  'not-json': 400,
  'too-deep': 400,
  'too-large': 413,
  'content-type': 415,
  'content-encoding': 415,
  'not-a-review': 400,
  'unsupported-version': 400,
  'no-uid': 400,
  'no-object': 400,
};

const OVERLOADED: Decision = { kind: 'unknown', reason: 'overloaded', warnings: [] };

export interface RoutesOptions {
  /** `timeoutMs`: what is left for the decision. */
  readonly mutate: (review: Review, timeoutMs: number) => Promise<Decision>;
  readonly readBody: ReadBody;
  /** Decide, log and count, but let every pod in as it is. */
  readonly shadow: boolean;
  /** Who may ask for decisions; everybody where undefined. */
  readonly checkClient: CheckClient | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: Log;
  readonly recorder: Pick<Recorder, 'decided' | 'requested' | 'inFlight' | 'failedUnexpectedly'>;
  readonly maxInFlight?: number;
  /** Serve the handlers that refuse and fail. */
  readonly debugging?: boolean;
}

export function createRoutes(options: RoutesOptions): Express {
  const { mutate, readBody, shadow, now, log, recorder, maxInFlight = MAX_IN_FLIGHT } = options;
  let inFlight = 0;

  async function decide(review: Review, timeoutMs: number): Promise<Decision> {
    if (inFlight >= maxInFlight) return OVERLOADED;
    inFlight += 1;
    recorder.inFlight(1);
    try {
      return await mutate(review, timeoutMs);
    } finally {
      inFlight -= 1;
      recorder.inFlight(-1);
    }
  }

  function report(error: unknown, request: Request): void {
    recorder.failedUnexpectedly('mutate');
    log.error({ error, path: request.path }, 'unexpected error');
  }

  async function answerReview(request: Request, response: Response): Promise<void> {
    const refusal = options.checkClient?.(request.socket);
    if (refusal !== undefined) {
      send(request, response, errorAnswer(refusal.status, refusal.message));
      return;
    }
    const start = now();
    const body = await readBody(request, response);
    const read = now();
    if (body.kind === 'overloaded') {
      recorder.decided({ kind: OVERLOADED.kind, reason: OVERLOADED.reason, seconds: 0 });
      send(request, response, unknownAnswer(OVERLOADED.reason));
    }
    if (body.kind !== 'json') return;

    const review = parseReview(body.value);
    const decision = await decide(review, timeoutMsFrom(request.url, read - start)).catch((error: unknown) => {
      if (!shadow) throw error;
      report(error, request);
      return undefined;
    });
    // A shadow stands in nobody's way, whatever befalls it.
    if (decision === undefined)
      return send(request, response, { status: 200, body: JSON.stringify(silentAnswer(review)) });
    const seconds = (now() - read) / 1_000;
    recorder.decided({ kind: decision.kind, reason: decision.reason, method: decision.method, seconds });
    const fields = { ...decisionFields(review, decision, seconds), ...(shadow && { shadow }) };
    // A client that has gone has made its own decision meanwhile, by the failurePolicy.
    log.info({ ...fields, ...(response.destroyed && { unanswered: true }) }, 'decided');
    send(request, response, answerTo(review, decision, shadow));
  }

  const app = createExpress();
  app.use((request, response, next) => {
    const start = now();
    response.once('close', () => {
      // nginx' code for a client that did not wait.
      const code = response.writableFinished ? response.statusCode : 499;
      recorder.requested({ verb: request.method, path: request.path, code, seconds: (now() - start) / 1_000 });
    });
    next();
  });
  app.post('/mutate', answerReview);
  app.get('/healthz', (request, response) => send(request, response, { status: 200, body: 'ok', type: 'text/plain' }));
  app.all('/mutate', (request, response) => send(request, response, notAllowed('POST')));
  app.all('/healthz', (request, response) => send(request, response, notAllowed('GET, HEAD')));
  if (options.debugging === true) addAnswerRoutes(app, readBody, options.checkClient);
  app.use((request, response) => send(request, response, errorAnswer(404, 'no such path; want /mutate or /healthz')));
  app.use(errorHandler(report));
  return app;
}

function answerTo(review: Review, decision: Decision, shadow: boolean): Answer {
  if (shadow) return { status: 200, body: JSON.stringify(silentAnswer(review)) };
  if (decision.kind === 'unknown') return unknownAnswer(decision.reason);
  return { status: 200, body: JSON.stringify(reviewAnswer(review, decision)) };
}

// The API server tries again within its timeout, but only where Retry-After is an integer.
function unknownAnswer(reason: string): Answer {
  return errorAnswer(503, `no decision now: ${reason}`, { 'Retry-After': '1' });
}

function notAllowed(allowed: string): Answer {
  return errorAnswer(405, `want ${allowed}`, { Allow: allowed });
}

function errorHandler(report: (error: unknown, request: Request) => void): ErrorRequestHandler {
  // Express tells an error handler by its four parameters.
  return (error: unknown, request: Request, response: Response, _next: unknown): void => {
    if (error instanceof ReviewError) {
      send(request, response, errorAnswer(STATUS[error.code], error.message));
      return;
    }
    report(error, request);
    send(request, response, errorAnswer(500, 'unexpected error; the log of the webhook has more'));
  };
}
