import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { RoundsOptions } from '../../src/certificates/rounds.ts';
import { createRounds } from '../../src/certificates/rounds.ts';
import { createTestClock } from '../support/clock.ts';

function start(look: RoundsOptions['look']) {
  const clock = createTestClock();
  const failures: unknown[] = [];
  const rounds = createRounds({
    look,
    sleep: clock.sleep,
    retryMs: (times) => 100 * 2 ** times,
    failed: (error, waitMs) => failures.push([error, waitMs]),
  });
  return { clock, failures, rounds };
}

test('looks at once, after the wait that was asked for, and when woken', async () => {
  let looks = 0;
  const { clock, rounds } = start(async () => {
    looks += 1;
    return 1_000;
  });
  await setImmediate();
  expect(looks).toBe(1);
  await clock.pass(999);
  expect(looks).toBe(1);
  await clock.pass(1);
  expect(looks).toBe(2);
  rounds.wake();
  await setImmediate();
  expect([looks, clock.sleeping()]).toEqual([3, 1]);
  await rounds.close();
  expect([looks, clock.sleeping()]).toEqual([3, 0]);
});

test('looks again after a call that came during a look, and never twice at once', async () => {
  const gates: (() => void)[] = [];
  let atOnce = 0;
  let most = 0;
  const { rounds } = start(async () => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await new Promise<void>((resolve) => gates.push(resolve));
    atOnce -= 1;
    return 1_000;
  });
  rounds.wake();
  rounds.wake();
  gates[0]?.();
  await setImmediate();
  expect([gates.length, most]).toEqual([2, 1]);
  gates[1]?.();
  await setImmediate();
  expect([gates.length, most]).toEqual([2, 1]);
  await rounds.close();
});

test('waits longer after each failure in a row', async () => {
  const outcomes = ['no', 'no', 1_000, 'no'];
  const { clock, failures, rounds } = start(async () => {
    const outcome = outcomes.shift();
    if (typeof outcome === 'number') return outcome;
    throw new Error(outcome);
  });
  await setImmediate();
  await clock.pass(100);
  await clock.pass(200);
  await clock.pass(1_000);
  expect(failures).toEqual([
    [new Error('no'), 100],
    [new Error('no'), 200],
    [new Error('no'), 100],
  ]);
  await rounds.close();
});

test('ends the look that is under way, and says nothing of its failure', async () => {
  const { failures, rounds } = start(
    async (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  );
  await rounds.close();
  expect(failures).toEqual([]);
});
