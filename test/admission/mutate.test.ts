import { describe, expect, it } from '@jest/globals';
import type { IdentityAnswer, LookupOptions } from '../../src/admission/identity.ts';
import { mutate } from '../../src/admission/mutate.ts';
import { parseReview } from '../../src/admission/review.ts';
import { reviewOf, settingsOf } from '../support/stories.ts';

const settings = settingsOf([]);
const pod = { metadata: { labels: {} as Record<string, string> }, spec: { containers: [{ name: 'main' }] } };
const required = { ...pod, metadata: { labels: { 'eks.amazonaws.com/pod-identity-required': 'true' } } };

async function decide(object: object, answer: IdentityAnswer) {
  const asked: (LookupOptions & { key: string })[] = [];
  const decision = await mutate(
    parseReview(reviewOf({ namespace: 'default' }, { ...object })),
    {
      settings,
      surroundings: () => ({}),
      identityOf: async ({ namespace, name }, options) => {
        asked.push({ key: `${namespace}/${name}`, ...options });
        return answer;
      },
    },
    4_500,
  );
  return { decision, asked };
}

describe('mutate', () => {
  it.each(['not-synced', 'lookup-failed', 'account-id-unknown'] as const)(
    'does not know what to do where the identity is %s, not even for a pod that demands one',
    async (reason) => {
      const want = { kind: 'unknown', reason, warnings: [] };
      expect((await decide(pod, { kind: 'unknown', reason })).decision).toEqual(want);
      expect((await decide(required, { kind: 'unknown', reason })).decision).toEqual(want);
    },
  );

  it('asks once, with the time there is, and for a live answer where the pod demands an identity', async () => {
    const none: IdentityAnswer = { kind: 'none', reason: 'no-role', warnings: [] };
    expect((await decide(pod, none)).asked).toEqual([{ key: 'default/default', timeoutMs: 4_500, live: false }]);
    expect((await decide(required, none)).asked).toEqual([{ key: 'default/default', timeoutMs: 4_500, live: true }]);
  });

  it('takes an identity that names no role, as the agent’s does', async () => {
    const identity = { method: 'sts_web_identity', source: 'service-account' } as const;
    const { decision } = await decide({ spec: {} }, { kind: 'identity', identity, warnings: [] });
    expect(decision).toEqual({ ...identity, kind: 'skip', reason: 'nothing-to-inject', warnings: [] });
  });

  it('bounds what it says: few warnings, short, none twice', async () => {
    const warnings = ['w'.repeat(121), ...Array.from({ length: 10 }, (_, index) => `warning ${index % 9}`)];
    const { decision } = await decide(pod, { kind: 'none', reason: 'no-role', warnings });
    expect(decision.warnings).toEqual([
      `${'w'.repeat(119)}…`,
      ...Array.from({ length: 7 }, (_, index) => `warning ${index}`),
    ]);
  });

  it('names the annotation of its own prefix in the refusal', async () => {
    const decision = await mutate(
      parseReview(reviewOf({ namespace: 'default' }, required)),
      {
        settings: settingsOf(['--annotation-prefix=aws.example.com']),
        surroundings: () => ({}),
        identityOf: async () => ({ kind: 'none', reason: 'no-role', warnings: [] }),
      },
      1_000,
    );
    expect(decision).toMatchObject({ message: expect.stringContaining('annotate it with aws.example.com/role-arn=') });
  });
});
