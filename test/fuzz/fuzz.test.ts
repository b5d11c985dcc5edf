// A minute of bad input. `npm run fuzz` goes on from here without end, and with another seed each time.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { accountFrom } from '../../src/admission/annotations.ts';
import type { MutateDeps } from '../../src/admission/mutate.ts';
import { createResolver } from '../../src/identity/resolve.ts';
import { reviewOf, toldBy } from '../support/stories.ts';
import { createFuzzer } from './fuzzer.ts';
import { createJudge } from './oracle.ts';
import type { Path } from './oracle.ts';
import { createCorePath, createServerPaths } from './paths.ts';
import { pod } from './pods.ts';

const SECONDS = 20;
const TIMEOUT_MS = SECONDS * 1_000 + 30_000;
const now = () => performance.now();

async function fuzzed(pathFrom: (deps: MutateDeps) => Path): Promise<object> {
  const fuzzer = createFuzzer({ seed: 1, now, pathFrom });
  const failure = await fuzzer.run(SECONDS * 1_000);
  const { refused, untouched, patched } = fuzzer.counts();
  const all = refused + untouched + patched;
  console.log(`${all} executions: ${patched} patched, ${untouched} untouched, ${refused} refused`);
  // Bodies that are all refused at the door would test nothing behind it.
  return {
    failure: failure && { ...failure, body: failure.body.toString() },
    everyOutcomeSeen: Math.min(refused, untouched, patched) > all / 20,
  };
}

describe('any body', () => {
  it(
    'gets an answer that keeps every rule, from the pure core',
    async () => expect(await fuzzed(createCorePath)).toEqual({ failure: undefined, everyOutcomeSeen: true }),
    TIMEOUT_MS,
  );

  it(
    'gets an answer that keeps every rule, from the server',
    async () => {
      const server = await createServerPaths(now);
      try {
        expect(await fuzzed(server.pathFrom)).toEqual({ failure: undefined, everyOutcomeSeen: true });
      } finally {
        await server.close();
      }
    },
    TIMEOUT_MS,
  );
});

describe('any pod', () => {
  const told = toldBy(['--aws-default-region=eu-west-1', '--sts-regional-endpoint']);
  const deps = { settings: told.settings, surroundings: () => told.surroundings };
  const annotations = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/app' };
  const account = accountFrom(annotations, deps.settings.annotationPrefix);
  const identityOf = createResolver({ ...deps, now, lookup: async () => ({ kind: 'found', account }) });
  const judge = createJudge({ path: createCorePath({ ...deps, identityOf }), now });

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
    TIMEOUT_MS,
  );
});
