import { expect, test } from '@jest/globals';
import { longestWaitMs, waitMs } from '../../src/kube/backoff.ts';

test('the longest wait doubles from 0.2 s to 10 s and stays there for ever', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 1_000_000].map(longestWaitMs)).toEqual([
    200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000,
  ]);
});

test('a wait is anything up to the longest', () => {
  expect(waitMs(3, { random: () => 0 })).toBe(0);
  expect(waitMs(3, { random: () => 0.5 })).toBe(800);
});

test('a wait is whole milliseconds', () => {
  const random = (): number => 1 / 3;
  expect([waitMs(0, { random }), waitMs(0, { random, retryAfterSeconds: 1 })]).toEqual([67, 1033]);
});

test('Retry-After is waited for and a little more, whatever was before, up to a minute', () => {
  expect(waitMs(0, { random: () => 0.5, retryAfterSeconds: 1 })).toBe(1050);
  expect(waitMs(9, { random: () => 0.5, retryAfterSeconds: 1 })).toBe(1050);
  expect(waitMs(9, { random: () => 0.5, retryAfterSeconds: 999_999_999 })).toBe(63_000);
});

test('a Retry-After of nothing is no reason to ask at once', () => {
  expect(waitMs(9, { random: () => 0.5, retryAfterSeconds: 0 })).toBe(5000);
});
