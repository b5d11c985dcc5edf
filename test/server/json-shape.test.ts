import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_DEPTH, MAX_VALUES, shapeProblem } from '../../src/server/json-shape.ts';

function problemOf(json: string): ReturnType<typeof shapeProblem> {
  return shapeProblem(Buffer.from(json));
}

/** `[[…inside…]]`, as deep as asked. */
function nested(depth: number, inside = ''): string {
  return '['.repeat(depth) + inside + ']'.repeat(depth);
}

test('as deep as is allowed is no problem, and one more is', () => {
  expect([problemOf(nested(MAX_DEPTH)), problemOf(nested(MAX_DEPTH + 1))]).toEqual([undefined, 'too-deep']);
  const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  expect([problemOf(objects(MAX_DEPTH)), problemOf(objects(MAX_DEPTH + 1))]).toEqual([undefined, 'too-deep']);
});

test('as many values as are allowed are no problem, and one more is', () => {
  const list = (count: number): string => `[${Array.from({ length: count }, () => 0).join(',')}]`;
  expect([problemOf(list(MAX_VALUES)), problemOf(list(MAX_VALUES + 1))]).toEqual([undefined, 'too-many-values']);
});

test('one after the other is not one in the other', () => {
  expect(problemOf(`[${'[[]],'.repeat(1_000)}0]`)).toBeUndefined();
});

describe('text is not structure', () => {
  test.each([
    ['brackets', '['.repeat(1_000)],
    ['quotes that are escaped', '\\"[{'.repeat(1_000)],
    ['backslashes that are escaped', '\\\\'.repeat(1_000)],
    ['commas', ','.repeat(MAX_VALUES + 1)],
  ])('%s', (_, text) => {
    expect([problemOf(`["${text}"]`), problemOf(`{"${text}":0}`)]).toEqual([undefined, undefined]);
    expect(problemOf(`["${text}",${nested(MAX_DEPTH)}]`)).toBe('too-deep');
  });

  test('a text that never ends hides nothing that JSON.parse would read', () => {
    expect(problemOf(`["${'['.repeat(1_000)}`)).toBeUndefined();
    expect(problemOf(`["\\`)).toBeUndefined();
  });
});

test('no JSON within the bounds is a problem, at whatever depth it stands', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), fc.integer({ min: 0, max: MAX_DEPTH - 10 }), (json, depth) => {
      expect(problemOf(nested(depth, json))).toBeUndefined();
      expect(problemOf(nested(depth, `${json},${nested(MAX_DEPTH + 1 - depth)}`))).toBe('too-deep');
    }),
  );
});

test('bytes that are no JSON at all are looked at without failing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      expect([undefined, 'too-deep', 'too-many-values']).toContain(shapeProblem(bytes));
    }),
  );
});
