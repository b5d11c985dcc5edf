import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { literalLength, matchesGlob } from '../../src/admission/glob.ts';

describe('matchesGlob', () => {
  it.each([
    ['app', 'app', true],
    ['app', 'apps', false],
    ['*', '', true],
    ['test-*', 'test-1', true],
    ['test-*', 'test-', true],
    ['test-*', 'tes', false],
    ['*-x', 'a-x', true],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'aXbXbXc', true],
    ['a*b*c', 'ac', false],
    ['a*bc*c', 'abc', false],
    ['ab*ba', 'aba', false],
    ['**', 'x', true],
    ['', '', true],
    ['', 'x', false],
    ['a.c', 'abc', false],
  ])('%j against %j is %s', (pattern, text, want) => {
    expect(matchesGlob(pattern, text)).toBe(want);
  });

  it('agrees with a regular expression on every short pattern', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
    const texts = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    fc.assert(
      fc.property(letters, texts, (pattern, text) => {
        expect(matchesGlob(pattern, text)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no longer for a pattern that would keep a regular expression busy', () => {
    expect(matchesGlob('*a'.repeat(50_000), 'b'.repeat(100_000))).toBe(false);
  });
});

describe('literalLength', () => {
  it('counts the characters that stand for themselves', () => {
    expect(literalLength('test-*/a*')).toBe(7);
  });
});
