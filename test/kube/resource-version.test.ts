import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareResourceVersions, isNewer, isOlder } from '../../src/kube/resource-version.ts';

test('versions are ordered as integers of any length', () => {
  const version = fc.bigInt({ min: 1n, max: 2n ** 80n });
  fc.assert(
    fc.property(version, version, (left, right) => {
      const order = left < right ? -1 : left > right ? 1 : 0;
      expect(Math.sign(compareResourceVersions(String(left), String(right)) ?? NaN)).toBe(order);
    }),
  );
});

test('versions beyond the exact numbers of JavaScript are told apart', () => {
  expect(isNewer('9007199254740993', '9007199254740992')).toBe(true);
  expect(isOlder('9007199254740992', '9007199254740993')).toBe(true);
});

test.each(['', '0', '07', '-1', '1e3', ' 1', '1.0', 'abc', '١'])('%j is no version that can be compared', (odd) => {
  expect([compareResourceVersions(odd, '5'), compareResourceVersions('5', odd)]).toEqual([undefined, undefined]);
  expect([isNewer(odd, '5'), isOlder(odd, '5')]).toEqual([false, false]);
});
