import { expect, test } from '@jest/globals';
import { createBriefMemory } from '../../src/identity/brief-memory.ts';

test('a name is remembered for its time and then forgotten', () => {
  let ms = 0;
  const memory = createBriefMemory({ milliseconds: 1000, size: 3, now: () => ms });
  memory.remember('a');
  ms = 999;
  expect([memory.has('a'), memory.has('b'), memory.size()]).toEqual([true, false, 1]);
  ms = 1000;
  expect([memory.has('a'), memory.size()]).toEqual([false, 0]);
});

test('the name that was told longest ago makes room', () => {
  const memory = createBriefMemory({ milliseconds: 1000, size: 3, now: () => 0 });
  for (const name of ['a', 'b', 'c', 'a', 'd']) memory.remember(name);
  expect(['a', 'b', 'c', 'd'].map((name) => memory.has(name))).toEqual([true, false, true, true]);
  for (let index = 0; index < 10_000; index += 1) memory.remember(`name-${index}`);
  expect(memory.size()).toBe(3);
});
