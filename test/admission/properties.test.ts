// What holds for every pod, however odd: nothing of it is lost or changed, the patch applies, and a second pass is empty.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import jsonpatch from 'fast-json-patch';
import { mutate } from '../../src/admission/mutate.ts';
import { parseReview } from '../../src/admission/review.ts';
import { createResolver } from '../../src/identity/resolve.ts';
import { arbitraryPod } from '../support/pods.ts';
import { reviewOf, toldBy } from '../support/stories.ts';

const annotations = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/app' };

const WAYS: readonly (readonly [way: string, flags: readonly string[], agent: boolean])[] = [
  ['web identity', ['--aws-default-region=eu-west-1', '--sts-regional-endpoint'], false],
  [
    'web identity with everything',
    ['--mirror-region', '--role-session-name', '--variables-first', '--token-expiration-jitter'],
    false,
  ],
  ['the agent', ['--aws-default-region=eu-west-1'], true],
  [
    'the region alone',
    ['--aws-default-region=eu-west-1', '--region-without-role', '--annotation-prefix=none.example'],
    false,
  ],
];

async function decide(pod: unknown, { flags, agent }: { flags: readonly string[]; agent: boolean }) {
  // Through JSON, as it would come from the API server: an own key __proto__ stays one.
  const body: unknown = JSON.parse(JSON.stringify(reviewOf({ namespace: 'default', object: pod }, {})));
  const review = parseReview(body);
  const told = toldBy(flags);
  const deps = { settings: told.settings, surroundings: () => told.surroundings };
  const identityOf = createResolver({
    ...deps,
    now: () => 0,
    lookup: async () => ({ kind: 'found', account: { annotations } }),
    hasContainerCredentials: () => agent,
  });
  return { pod: review.pod, decision: await mutate(review, { ...deps, identityOf }, 1_000) };
}

describe.each(WAYS)('any pod that gets %s', (_, flags, agent) => {
  it('keeps every value that it had, gets a patch that applies, and needs no second one', async () => {
    let patched = 0;
    await fc.assert(
      fc.asyncProperty(arbitraryPod, async (generated) => {
        const before = JSON.stringify(generated);
        const { pod, decision } = await decide(generated, { flags, agent });
        expect(JSON.stringify(generated)).toBe(before);
        if (decision.kind !== 'patch') return;
        patched += 1;
        const operations = structuredClone([...decision.operations]);
        expect(operations.every(({ op }) => op === 'add')).toBe(true);
        const result: unknown = jsonpatch.applyPatch(structuredClone(pod), operations, true, false).newDocument;
        expect(changes(pod, result, { path: '', variablesFirst: flags.includes('--variables-first') })).toEqual([]);
        expect((await decide(result, { flags, agent })).decision.kind).not.toBe('patch');
      }),
      { numRuns: 1_000 },
    );
    expect(patched).toBeGreaterThan(200);
  });
});

interface Place {
  readonly path: string;
  readonly variablesFirst: boolean;
}

/** Paths of values that are not as they were: objects by key, lists in their order, with ours before or behind them. */
function changes(original: unknown, result: unknown, { path, variablesFirst }: Place): readonly string[] {
  const at = (key: string | number): Place => ({ path: `${path}/${key}`, variablesFirst });
  if (Array.isArray(original) && Array.isArray(result)) {
    const isFirst = path === '/spec/volumes' || (variablesFirst && /^\/spec\/[a-zA-Z]+\/[0-9]+\/env$/.test(path));
    const shift = isFirst ? result.length - original.length : 0;
    return original.flatMap((item, index) => changes(item, result[index + shift], at(index)));
  }
  if (isRecord(original) && isRecord(result)) {
    return Object.entries(original).flatMap(([key, value]) => {
      // What is null may become a list or, of the labels, an object.
      const mayBecomeMore = value === null && /\/(?:env|volumeMounts|volumes|metadata|labels)$/.test(`${path}/${key}`);
      return mayBecomeMore ? [] : changes(value, result[key], at(key));
    });
  }
  return Object.is(original, result) ? [] : [path];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
