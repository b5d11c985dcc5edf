import { describe, expect, it } from '@jest/globals';
import { isSpread, jittered } from '../../src/admission/expiration.ts';

describe('jittered', () => {
  it('spreads a day over its last two hours, evenly, and the same for the same review', () => {
    const spread = Array.from({ length: 10_000 }, (_, index) => jittered(86_400, `uid-${index}`));
    expect(Math.min(...spread)).toBeGreaterThanOrEqual(79_200);
    expect(Math.max(...spread)).toBeLessThanOrEqual(86_400);
    for (let quarter = 0; quarter < 4; quarter += 1) {
      const least = 79_200 + quarter * 1_800;
      const share = spread.filter((seconds) => seconds >= least && seconds < least + 1_800).length;
      expect(share).toBeGreaterThan(2_200);
    }
    expect(jittered(86_400, 'x')).toBe(jittered(86_400, 'x'));
  });

  it('leaves every other expiration as it is', () => {
    expect([600, 86_399, 86_401].map((seconds) => jittered(seconds, 'x'))).toEqual([600, 86_399, 86_401]);
  });
});

describe('isSpread', () => {
  it('knows what jittered makes of a day', () => {
    expect([79_199, 79_200, 86_400, 86_401, '80000', undefined].map(isSpread)).toEqual([
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
