// The ways from a body to an answer that are fuzzed: the pure core alone, which is fast, and the server's own routes.
import { mutate } from '../../src/admission/mutate.ts';
import { ReviewError } from '../../src/admission/review-error.ts';
import { parseReview, reviewAnswer } from '../../src/admission/review.ts';
import type { MutateDeps } from '../../src/admission/mutate.ts';
import type { Path } from './oracle.ts';

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
