// The judge is only worth something if it condemns: each rule, broken once.
import { describe, expect, it } from '@jest/globals';
import { reviewOf } from '../support/stories.ts';
import { createFuzzer } from './fuzzer.ts';
import { createJudge } from './oracle.ts';
import type { HttpAnswer, Path, Verdict } from './oracle.ts';

const pod = { metadata: { name: 'app' }, spec: { containers: [{ name: 'a' }, { name: 'b' }], volumes: null } };
const body = Buffer.from(JSON.stringify(reviewOf({ uid: 'u' }, pod)));
const firstVolume = { op: 'add', path: '/spec/volumes', value: [{ name: 'v' }] };

function answered(response: object, status = 200): HttpAnswer {
  return { status, text: JSON.stringify({ response: { uid: 'u', allowed: true, ...response } }) };
}

function patch(...operations: readonly object[]): object {
  return { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') };
}

/** Judges a server that gives these answers, one after the other. */
function judged(...answers: readonly HttpAnswer[]): Promise<Verdict> {
  const left = [...answers];
  return createJudge({ path: async () => left.shift() ?? answered({}), now: () => 0 })(body);
}

/** What a careless merge of the body's fields would do. */
async function polluting(): Promise<HttpAnswer> {
  Reflect.set(Reflect.getPrototypeOf({}) ?? {}, 'grown', 1);
  return answered({});
}

describe('the judge', () => {
  it('is content with a patch that adds, once', async () => {
    expect(await judged(answered(patch(firstVolume)))).toEqual({ outcome: 'patched' });
    expect(await judged(answered({}))).toEqual({ outcome: 'untouched' });
    expect(await judged({ status: 400, text: '{"error":"no review"}' })).toEqual({ outcome: 'refused' });
  });

  it.each<[name: string, answer: HttpAnswer, verdict: Verdict]>([
    ['a server error', { status: 500, text: '{"error":"x"}' }, { outcome: 'refused', fault: 'answered 500: {"error":"x"}' }],
    ['no JSON', { status: 200, text: '<html>' }, { outcome: 'refused', fault: 'answered 200 with what is no JSON: <html>' }],
    ['no message', { status: 400, text: '{}' }, { outcome: 'refused', fault: 'answered 400 without an error message' }],
    ['another uid', answered({ uid: 'w' }), { outcome: 'untouched', fault: 'answered with another uid' }],
    ['no verdict', answered({ allowed: null }), { outcome: 'untouched', fault: 'answered without a verdict' }],
    ['no patch type', answered({ patch: 'W10=' }), { outcome: 'untouched', fault: 'sent a patch without its type' }],
    ['no base64', answered({ ...patch(), patch: [] }), { outcome: 'untouched', fault: 'sent a patch that is no base64' }],
    ['a patch with a refusal', answered({ ...patch(firstVolume), allowed: false }), { outcome: 'untouched', fault: 'sent a patch with a refusal' }],
    ['an empty patch', answered(patch()), { outcome: 'patched', fault: 'sent an empty patch' }],
    ['a removal', answered(patch({ op: 'remove', path: '/spec' })), { outcome: 'patched', fault: 'sent operations other than add' }],
    ['an overwritten field', answered(patch({ op: 'add', path: '/metadata/name', value: 'x' })), { outcome: 'patched', fault: 'changed or lost /metadata/name' }],
    ['an overwritten list', answered(patch({ op: 'add', path: '/spec/containers', value: [] })), { outcome: 'patched', fault: 'changed or lost /spec/containers' }],
    ['an overwritten item', answered(patch({ op: 'add', path: '/spec/containers/1/name', value: 'x' })), { outcome: 'patched', fault: 'changed or lost /spec/containers' }],
    ['an overwritten object', answered(patch({ op: 'add', path: '/metadata', value: {} })), { outcome: 'patched', fault: 'changed or lost /metadata/name' }],
  ])('condemns %s', async (_name, answer, verdict) => {
    expect(await judged(answer)).toEqual(verdict);
  }); // prettier-ignore

  it('condemns a patch below a parent that is not there', async () => {
    const { outcome, fault } = await judged(answered(patch({ op: 'add', path: '/spec/dns/name', value: 'x' })));
    expect({ outcome, fault }).toEqual({
      outcome: 'patched',
      fault: expect.stringMatching(/^sent a patch that does not apply: .*OPERATION_PATH_CANNOT_ADD/),
    });
  });

  it('condemns a second patch, and an error at the second pass', async () => {
    const once = answered(patch(firstVolume));
    expect(await judged(once, once)).toEqual({ outcome: 'patched', fault: 'patched its own result' });
    expect(await judged(once, { status: 503, text: '{"error":"x"}' })).toEqual({
      outcome: 'patched',
      fault: 'answered 503 to its own result',
    });
  });

  it('condemns an answer that takes more than a second three times in a row', async () => {
    const judgedAt = (...times: number[]) =>
      createJudge({ path: async () => answered({}), now: () => times.shift() ?? 0 })(body);
    expect(await judgedAt(0, 1_001, 0, 1_002, 0, 1_003)).toEqual({
      outcome: 'refused',
      fault: 'took 1003 ms, 3 times in a row',
    });
    expect(await judgedAt(0, 1_001, 0, 1_001, 0, 1_000)).toEqual({ outcome: 'untouched' });
  });

  it('condemns a prototype that grew', async () => {
    const verdict = await createJudge({ path: polluting, now: () => 0 })(body);
    Reflect.deleteProperty(Object.prototype, 'grown');
    expect(verdict).toEqual({ outcome: 'refused', fault: 'changed Object.prototype' });
  });

  it('condemns an answer to what is no review', async () => {
    const judge = createJudge({ path: async () => answered({}), now: () => 0 });
    expect(await judge(Buffer.from('[]'))).toEqual({
      outcome: 'untouched',
      fault: 'answered 200 to what is no review',
    });
  });
});

describe('the fuzzer', () => {
  it('stops at the first body that breaks a rule, and finds it again by its seed', async () => {
    const bodies: Buffer[][] = [];
    const failures = [1, 2].map(async () => {
      const seen: Buffer[] = [];
      bodies.push(seen);
      const path: Path = async (sent) => {
        seen.push(sent);
        if (seen.length === 100) throw new Error('fell over');
        return { status: 400, text: '{"error":"no review"}' };
      };
      return createFuzzer({ seed: 7, now: () => 0, pathFrom: () => path }).run(1);
    });
    const [first, second] = await Promise.all(failures);
    expect(first).toEqual({
      story: expect.any(String),
      body: bodies[0]?.at(-1),
      fault: expect.stringMatching(/^threw Error: fell over/),
    });
    expect({ ...second, fault: '' }).toEqual({ ...first, fault: '' });
    expect(bodies[1]).toEqual(bodies[0]);
    expect(new Set(bodies[0]?.map(String)).size).toBeGreaterThan(90);
  });
});
