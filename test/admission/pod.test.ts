import { describe, expect, it } from '@jest/globals';
import { variablesOf } from '../../src/admission/container.ts';
import { podNameOf } from '../../src/admission/pod.ts';
import { quoted } from '../../src/admission/warning.ts';

describe('podNameOf', () => {
  it.each([
    [{ metadata: { name: 'web-0', generateName: 'web-' } }, 'web-0'],
    [{ metadata: { name: '', generateName: 'web-' } }, 'web-*'],
    [{ metadata: { generateName: '' } }, ''],
    [{ metadata: null }, ''],
  ])('reads %j as %j', (pod, want) => {
    expect(podNameOf(pod)).toBe(want);
  });
});

describe('variablesOf', () => {
  it('passes over what is no variable, and reads a missing value as Kubernetes does', () => {
    const env = [
      null,
      'A=b',
      { value: 'nameless' },
      { name: 'EMPTY' },
      { name: 'FROM', valueFrom: {} },
      { name: 'A', value: 'b' },
    ];
    expect([...variablesOf({ env })]).toEqual([
      ['EMPTY', ''],
      ['FROM', undefined],
      ['A', 'b'],
    ]);
  });
});

describe('quoted', () => {
  it('puts a value into one line of bounded length', () => {
    expect(quoted('a"b\n')).toBe('"a\\"b\\n"');
    expect(quoted('x'.repeat(41))).toBe(`"${'x'.repeat(39)}…"`);
  });
});
