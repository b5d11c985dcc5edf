// A minute of bad input. `npm run fuzz` goes on from here without end, and with another seed each time.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { accountFrom } from '../../src/admission/annotations.ts';
import { createResolver } from '../../src/identity/resolve.ts';
import { reviewOf, settingsOf } from '../support/stories.ts';
import { createFuzzer } from './fuzzer.ts';
import { createJudge } from './oracle.ts';
import { createCorePath } from './paths.ts';
import { pod } from './pods.ts';

const SECONDS = 20;
const MARGIN_MS = 30_000;
const now = () => performance.now();

describe('any body', () => {
  it(
    'gets an answer that keeps every rule, from the pure core',
    async () => {
      const fuzzer = createFuzzer({ seed: 1, now, pathFrom: createCorePath });
      expect(await fuzzer.run(SECONDS * 1_000)).toBeUndefined();
      const { refused, untouched, patched } = fuzzer.counts();
      console.log(
        `${refused + untouched + patched} executions: ${patched} patched, ${untouched} untouched, ${refused} refused`,
      );
      // Bodies that are all refused at the door would test nothing behind it.
      expect(Math.min(refused, untouched, patched)).toBeGreaterThan((refused + untouched + patched) / 20);
    },
    SECONDS * 1_000 + MARGIN_MS,
  );
});

describe('any pod', () => {
  const settings = settingsOf(['--aws-default-region=eu-west-1', '--sts-regional-endpoint']);
  const annotations = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/app' };
  const account = accountFrom(annotations, settings.annotationPrefix);
  const identityOf = createResolver({ settings, now, lookup: async () => ({ kind: 'found', account }) });
  const judge = createJudge({ path: createCorePath({ settings, identityOf }), now });

  it(
    'keeps all it had, takes the patch, and needs no second one',
    async () => {
      let patched = 0;
      const property = fc.asyncProperty(pod, async (object) => {
        const { outcome, fault } = await judge(Buffer.from(JSON.stringify(reviewOf({ namespace: 'shop' }, object))));
        patched += outcome === 'patched' ? 1 : 0;
        expect(fault).toBeUndefined();
      });
      const limits = { numRuns: 1_000_000, interruptAfterTimeLimit: SECONDS * 1_000, markInterruptAsFailure: false };
      await fc.assert(property, limits);
      expect(patched).toBeGreaterThan(100);
    },
    SECONDS * 1_000 + MARGIN_MS,
  );
});
