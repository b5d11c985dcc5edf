import { describe, expect, it } from '@jest/globals';
import { appended, isListOrAbsent, pointer, prepended } from '../../src/admission/patch.ts';

describe('pointer', () => {
  it('escapes what a JSON Pointer must', () => {
    expect(pointer('metadata', 'labels', 'a/b~c', 0)).toBe('/metadata/labels/a~1b~0c/0');
  });
});

describe('appended', () => {
  it('adds to the end of a list, and makes the list where there is none', () => {
    expect(appended('/l', [1], ['a', 'b'])).toEqual([
      { op: 'add', path: '/l/-', value: 'a' },
      { op: 'add', path: '/l/-', value: 'b' },
    ]);
    expect(appended('/l', null, ['a'])).toEqual([{ op: 'add', path: '/l', value: ['a'] }]);
    expect(appended('/l', undefined, [])).toEqual([]);
  });
});

describe('prepended', () => {
  it('adds before all others in the order given', () => {
    expect(prepended('/l', [1], ['a', 'b'])).toEqual([
      { op: 'add', path: '/l/0', value: 'a' },
      { op: 'add', path: '/l/1', value: 'b' },
    ]);
    expect(prepended('/l', undefined, ['a'])).toEqual([{ op: 'add', path: '/l', value: ['a'] }]);
    expect(prepended('/l', [1], [])).toEqual([]);
  });
});

describe('isListOrAbsent', () => {
  it('holds for what can be appended to without replacing anything', () => {
    expect([undefined, null, [], [1], {}, '', 0, false].map(isListOrAbsent)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
