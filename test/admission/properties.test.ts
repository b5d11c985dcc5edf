// What holds for every pod, however odd: nothing of it is lost or changed, the patch applies, and a second pass is empty.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import jsonpatch from 'fast-json-patch';
import { identityFromAccount } from '../../src/admission/annotations.ts';
import { mutate } from '../../src/admission/mutate.ts';
import { parseReview } from '../../src/admission/review.ts';
import { arbitraryPod } from '../support/pods.ts';
import { reviewOf, settingsOf } from '../support/stories.ts';

const settings = settingsOf(['--aws-default-region=eu-west-1', '--sts-regional-endpoint']);
const annotations = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/app' };

async function decide(pod: unknown) {
  // Through JSON, as it would come from the API server: an own key __proto__ stays one.
  const body: unknown = JSON.parse(JSON.stringify(reviewOf({ namespace: 'default', object: pod }, {})));
  const review = parseReview(body);
  const deps = {
    settings,
    identityOf: async () => identityFromAccount({ namespace: 'default', name: 'app' }, { annotations }, settings),
  };
  return { pod: review.pod, decision: await mutate(review, deps, 1_000) };
}

describe('any pod', () => {
  it('keeps every value that it had, gets a patch that applies, and needs no second one', async () => {
    let patched = 0;
    await fc.assert(
      fc.asyncProperty(arbitraryPod, async (generated) => {
        const before = JSON.stringify(generated);
        const { pod, decision } = await decide(generated);
        expect(JSON.stringify(generated)).toBe(before);
        if (decision.kind !== 'patch') return;
        patched += 1;
        const operations = structuredClone([...decision.operations]);
        expect(operations.every(({ op }) => op === 'add')).toBe(true);
        const result: unknown = jsonpatch.applyPatch(structuredClone(pod), operations, true, false).newDocument;
        expect(changes(pod, result, '')).toEqual([]);
        expect((await decide(result)).decision.kind).not.toBe('patch');
      }),
      { numRuns: 2_000 },
    );
    expect(patched).toBeGreaterThan(500);
  });
});

/** Paths of values that are not as they were: objects by key, lists in their order, with ours before the volumes. */
function changes(original: unknown, result: unknown, path: string): readonly string[] {
  if (Array.isArray(original) && Array.isArray(result)) {
    const shift = path === '/spec/volumes' ? result.length - original.length : 0;
    return original.flatMap((item, index) => changes(item, result[index + shift], `${path}/${index}`));
  }
  if (isRecord(original) && isRecord(result)) {
    return Object.entries(original).flatMap(([key, value]) => {
      // What is null may become a list.
      const mayBecomeList = value === null && /\/(?:env|volumeMounts|volumes)$/.test(`${path}/${key}`);
      return mayBecomeList ? [] : changes(value, result[key], `${path}/${key}`);
    });
  }
  return Object.is(original, result) ? [] : [path];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
