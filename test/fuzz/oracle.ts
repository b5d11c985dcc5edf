// What must be true of every answer to every body, however bad: it is JSON of the right shape, its patch applies by
// another implementation of RFC 6902, only adds, and asks for nothing more when it is asked again.
import jsonpatch from 'fast-json-patch';
import { isObject, ownField, ownString } from '../../src/admission/json.ts';
import { withPod } from '../support/stories.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** A way from the bytes of a body to an answer. */
export type Path = (body: Buffer) => Promise<HttpAnswer>;

export type Outcome = 'refused' | 'untouched' | 'patched';

export interface Verdict {
  readonly outcome: Outcome;
  /** Which rule was broken. */
  readonly fault?: string;
}

export type Judge = (body: Buffer) => Promise<Verdict>;

/** A request that takes longer is as bad as one that never ends: the API server waits 10 s for a webhook, as a rule. */
const HANG_MS = 1_000;
const ATTEMPTS = 3;

// 400: no review. 413: too large. 503: the identity is not known.
const REFUSALS = [400, 413, 503];

export function createJudge({ path, now }: { readonly path: Path; readonly now: () => number }): Judge {
  const judgeReview = async (review: unknown, response: unknown): Promise<Verdict> => {
    const request = ownField(review, 'request');
    if (!isObject(review) || !isObject(request)) return verdict('untouched', 'answered 200 to what is no review');
    if (ownField(response, 'uid') !== ownField(request, 'uid'))
      return verdict('untouched', 'answered with another uid');
    const allowed = ownField(response, 'allowed');
    if (typeof allowed !== 'boolean') return verdict('untouched', 'answered without a verdict');
    const patch = ownField(response, 'patch');
    if (patch === undefined) return verdict('untouched');
    if (typeof patch !== 'string') return verdict('untouched', 'sent a patch that is no base64');
    if (ownField(response, 'patchType') !== 'JSONPatch') return verdict('untouched', 'sent a patch without its type');
    if (!allowed) return verdict('untouched', 'sent a patch with a refusal');

    const operations = parsedJson(Buffer.from(patch, 'base64').toString());
    const pod = ownField(request, 'object');
    const result = applied(pod, operations);
    if (typeof result === 'string') return verdict('patched', result);
    const again = await path(Buffer.from(JSON.stringify(withPod(review, result.pod))));
    const fault = lostIn(pod, result.pod, '') ?? faultOfSecondPass(again);
    return verdict('patched', fault);
  };

  /** Asked again where it was slow: a body that hangs does so every time, a busy machine does not. */
  const answerTo = async (body: Buffer): Promise<HttpAnswer & { readonly ms: number }> => {
    for (let attempt = 1; ; attempt += 1) {
      const before = now();
      const answer = await path(body);
      const ms = now() - before;
      if (ms <= HANG_MS || attempt === ATTEMPTS) return { ...answer, ms };
    }
  };

  return async (body) => {
    const { status, text, ms } = await answerTo(body);
    if (ms > HANG_MS) return verdict('refused', `took ${Math.round(ms)} ms, ${ATTEMPTS} times in a row`);
    if (Object.keys(Object.prototype).length > 0) return verdict('refused', 'changed Object.prototype');

    const answer = parsedJson(text);
    if (answer === undefined)
      return verdict('refused', `answered ${status} with what is no JSON: ${text.slice(0, 100)}`);
    if (status === 200) return judgeReview(parsedJson(body.toString()), ownField(answer, 'response'));
    if (!REFUSALS.includes(status)) return verdict('refused', `answered ${status}: ${text.slice(0, 100)}`);
    return verdict(
      'refused',
      ownString(answer, 'error') === undefined ? `answered ${status} without an error message` : undefined,
    );
  };
}

function verdict(outcome: Outcome, fault?: string): Verdict {
  return fault === undefined ? { outcome } : { outcome, fault };
}

function faultOfSecondPass({ status, text }: HttpAnswer): string | undefined {
  const response = ownField(parsedJson(text), 'response');
  if (status !== 200) return `answered ${status} to its own result`;
  return ownField(response, 'patch') === undefined ? undefined : 'patched its own result';
}

/** The pod after the patch, or what is wrong with the patch. */
function applied(pod: unknown, operations: unknown): { readonly pod: unknown } | string {
  if (!isAddOnly(operations)) return 'sent operations other than add';
  if (operations.length === 0) return 'sent an empty patch';
  try {
    const document: unknown = jsonpatch.applyPatch(JSON.parse(JSON.stringify(pod)), operations, true).newDocument;
    return { pod: document };
  } catch (error) {
    return `sent a patch that does not apply: ${String(error).slice(0, 200)}`;
  }
}

/**
 * Names the first value that is not in the result: fields keep their values, items of a list stay in their order
 * with new ones between them. A null may become a list or an object, which it is an absent one of.
 */
function lostIn(before: unknown, after: unknown, path: string): string | undefined {
  if (Array.isArray(before)) {
    if (!Array.isArray(after)) return lost(path);
    const added = after.length - before.length;
    // New items are only ever put before or behind the old ones, so there is one place where all of them can be.
    for (let offset = 0; offset <= added; offset += 1) {
      if (before.every((item, index) => lostIn(item, after[index + offset], '') === undefined)) return undefined;
    }
    return lost(path);
  }
  if (isObject(before)) {
    if (!isObject(after)) return lost(path);
    for (const [key, value] of Object.entries(before)) {
      const below = `${path}/${key}`;
      const fault = Object.hasOwn(after, key) ? lostIn(value, after[key], below) : lost(below);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  if (before === null && typeof after === 'object') return undefined;
  return Object.is(before, after) ? undefined : lost(path);
}

function lost(path: string): string {
  return `changed or lost ${path}`;
}

function isAddOnly(operations: unknown): operations is readonly jsonpatch.AddOperation<unknown>[] {
  return Array.isArray(operations) && operations.every((operation) => ownField(operation, 'op') === 'add');
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
