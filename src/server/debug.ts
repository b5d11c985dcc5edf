// Handlers for a person who debugs, only with --enable-debugging-handlers: what is cached, and answers that refuse.
import type { Express } from 'express';
import { parseReview } from '../admission/review.ts';
import { errorAnswer, send } from './answer.ts';
import type { ReadBody } from './body.ts';
import type { CheckClient } from './client-certificates.ts';

export interface CacheAccess {
  /** What is cached, as JSON will show it. */
  dump(): unknown;
  /** Lists everything anew; nothing is forgotten before that is done. */
  relist(): void;
}

/** On the metrics port. Clearing takes a POST: a GET can be sent by anybody's browser or scraper. */
export function addCacheRoutes(app: Express, cache: CacheAccess): void {
  app.get('/debug/alpha/cache', (request, response) => {
    send(request, response, { status: 200, body: `${JSON.stringify(cache.dump())}\n` });
  });
  app.all('/debug/alpha/cache', (request, response) => {
    send(request, response, errorAnswer(405, 'want GET, HEAD', { Allow: 'GET, HEAD' }));
  });
  app.post('/debug/alpha/cache/clear', (request, response) => {
    cache.relist();
    send(request, response, { status: 200, body: `${JSON.stringify({ relisting: true })}\n` });
  });
  app.all('/debug/alpha/cache/clear', (request, response) => {
    send(request, response, errorAnswer(405, 'want POST', { Allow: 'POST' }));
  });
}

/** On the admission port: a review that is always refused, and an error, to see what the API server makes of them. */
export function addAnswerRoutes(app: Express, readBody: ReadBody, checkClient: CheckClient | undefined): void {
  app.use('/debug', (request, response, next) => {
    const refusal = checkClient?.(request.socket);
    if (refusal === undefined) next();
    else send(request, response, errorAnswer(refusal.status, refusal.message));
  });
  app.post('/debug/alpha/deny', async (request, response) => {
    const body = await readBody(request, response);
    if (body.kind === 'overloaded') send(request, response, errorAnswer(503, 'overloaded', { 'Retry-After': '1' }));
    if (body.kind !== 'json') return;
    const { uid, apiVersion } = parseReview(body.value);
    const status = { code: 403, reason: 'Forbidden', message: 'refused by /debug/alpha/deny' };
    const answer = { apiVersion, kind: 'AdmissionReview', response: { uid, allowed: false, status } };
    send(request, response, { status: 200, body: JSON.stringify(answer) });
  });
  app.all('/debug/alpha/deny', (request, response) => {
    send(request, response, errorAnswer(405, 'want POST', { Allow: 'POST' }));
  });
  app.all('/debug/alpha/500', (request, response) => {
    send(request, response, errorAnswer(500, 'asked for by /debug/alpha/500'));
  });
}
