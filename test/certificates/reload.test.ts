import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { createReloader } from '../../src/certificates/reload.ts';
import { watchDirectory } from '../../src/certificates/watch-directory.ts';
import { until } from '../support/until.ts';

test('a change during a look is followed by another look, and looks never overlap', async () => {
  const looks: ((outcome: 'done') => void)[] = [];
  const timers = new Map<() => void, number>();
  let changed = (): void => {};
  const reloader = createReloader({
    directories: ['/certs'],
    look: async () => new Promise((resolve) => looks.push(resolve)),
    watchDirectory(_, listener) {
      changed = listener;
      return () => {};
    },
    setTimer(run, delayMs) {
      timers.set(run, delayMs);
      return () => timers.delete(run);
    },
  });
  const runTimers = (): number[] => {
    const due = [...timers].filter(([, delayMs]) => delayMs < 30_000);
    for (const [run] of due) {
      timers.delete(run);
      run();
    }
    return due.map(([, delayMs]) => delayMs);
  };
  changed();
  expect([runTimers(), looks.length]).toEqual([[50], 1]);
  looks[0]?.('done');
  await setImmediate();
  expect([runTimers(), looks.length]).toEqual([[50], 2]);
  looks[1]?.('done');
  await setImmediate();
  expect([runTimers(), looks.length]).toEqual([[], 2]);
  reloader.close();
  changed();
  expect([...timers]).toEqual([]);
});

test('a directory tells what changes in it, until its watch ends', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'watched-'));
  let changes = 0;
  const end = watchDirectory(directory, () => void (changes += 1));
  await writeFile(join(directory, 'tls.crt'), '');
  await until('the change is told', () => changes > 0);
  end();
  await rm(directory, { recursive: true });
  expect(changes).toBeGreaterThan(0);
});

test('a directory that is not there tells nothing, and is no error', () => {
  expect(watchDirectory('/no/such/directory', () => {})).toEqual(expect.any(Function));
  watchDirectory('/no/such/directory', () => {})();
});
