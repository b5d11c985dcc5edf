// Throws mutated reviews at a path, one after another, as a seed has them, and judges each answer.
import { keyOf } from '../../src/admission/identity.ts';
import type { AccountKey, IdentityOf } from '../../src/admission/identity.ts';
import type { JsonObject } from '../../src/admission/json.ts';
import { ownField, ownString } from '../../src/admission/json.ts';
import type { MutateDeps } from '../../src/admission/mutate.ts';
import type { Story } from '../support/stories.ts';
import { depsOf, readStories } from '../support/stories.ts';
import { mutated } from './mutator.ts';
import { createJudge } from './oracle.ts';
import type { Outcome, Path } from './oracle.ts';
import { createRandom } from './random.ts';

export interface Failure {
  readonly fault: string;
  /** The story whose flags and accounts were in force. */
  readonly story: string;
  readonly body: Buffer;
}

export type Counts = Readonly<Record<Outcome, number>>;

export interface Fuzzer {
  /** Runs until the time is over or a rule is broken. */
  run(milliseconds: number): Promise<Failure | undefined>;
  counts(): Counts;
}

export function createFuzzer({
  seed,
  now,
  pathFrom,
}: {
  readonly seed: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly pathFrom: (deps: MutateDeps) => Path;
}): Fuzzer {
  const random = createRandom(seed);
  const [first, ...others] = readStories().map((story) => ({
    file: story.file,
    seed: { body: Buffer.from(JSON.stringify(story.review)), tree: story.review },
    judge: createJudge({ path: pathFrom(fuzzedDepsOf(story)), now }),
  }));
  if (first === undefined) throw new Error('no story to start from');
  const targets = [first, ...others] as const;
  const counts = { refused: 0, untouched: 0, patched: 0 };

  const step = async (): Promise<Failure | undefined> => {
    const { file, seed: good, judge } = random.pick(targets);
    const mutation = mutated(good, random.pick(targets).seed, random);
    try {
      const { outcome, fault } = await judge(mutation);
      counts[outcome] += 1;
      return fault === undefined ? undefined : { fault, story: file, body: mutation };
    } catch (error) {
      return { fault: `threw ${stackOf(error)}`, story: file, body: mutation };
    }
  };

  const run = async (milliseconds: number): Promise<Failure | undefined> => {
    const end = now() + milliseconds;
    while (now() < end) {
      const failure = await step();
      if (failure !== undefined) return failure;
    }
    return undefined;
  };

  return { run, counts: () => ({ ...counts }) };
}

function fuzzedDepsOf(story: Story): MutateDeps {
  const deps = depsOf(story);
  return { ...deps, identityOf: withStrangers(deps.identityOf, story) };
}

/** Names are mutated too: most that a story does not know get the identity of its first account, some are unknown. */
function withStrangers(identityOf: IdentityOf, { serviceAccounts }: Story): IdentityOf {
  const [account] = serviceAccounts;
  return async (key, options) => {
    const answer = await identityOf(key, options);
    const known = answer.kind !== 'none' || answer.reason !== 'service-account-not-found';
    if (known || account === undefined || keyOf(key).length % 4 === 0) return answer;
    if (keyOf(key).length % 4 === 1) return { kind: 'unknown', reason: 'lookup-failed' };
    return identityOf(nameOf(account), options);
  };
}

function nameOf(account: JsonObject): AccountKey {
  const metadata = ownField(account, 'metadata');
  return { namespace: ownString(metadata, 'namespace') ?? 'default', name: ownString(metadata, 'name') ?? '' };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
