import { describe, expect, it } from '@jest/globals';
import { codeOf, messageOf } from '../../src/admission/thrown.ts';

describe('messageOf and codeOf', () => {
  it('read errors of every realm, and whatever else is thrown', () => {
    const error = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    expect([messageOf(error), codeOf(error)]).toEqual(['no such file', 'ENOENT']);
    expect(['text', undefined, null, { message: 7 }].map(messageOf)).toEqual([
      'text',
      'undefined',
      'null',
      '[object Object]',
    ]);
    expect(['text', undefined, null, {}].map(codeOf)).toEqual(Array(4).fill(undefined));
  });
});
