import { describe, expect, it } from '@jest/globals';
import { parseGoBool, parseGoCsvRecord, parseGoDuration, parseGoInt } from '../../src/admission/go-syntax.ts';

describe('parseGoInt', () => {
  it.each([
    ['0', 0n],
    ['+600', 600n],
    ['-1', -1n],
    ['007', 7n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
  ])('reads %s', (text, want) => {
    expect(parseGoInt(text)).toBe(want);
  });

  it.each([
    '',
    ' 900 ',
    '900abc',
    '600.0',
    '1e5',
    '0x258',
    '1_000',
    '--1',
    '+',
    '9223372036854775808',
    '0'.repeat(65),
    '٣',
  ])('refuses %j, as strconv.ParseInt does', (text) => {
    expect(parseGoInt(text)).toBeUndefined();
  });
});

describe('parseGoBool', () => {
  it('knows Go’s twelve spellings and no other', () => {
    expect(['1', 't', 'T', 'true', 'TRUE', 'True'].map(parseGoBool)).toEqual(Array(6).fill(true));
    expect(['0', 'f', 'F', 'false', 'FALSE', 'False'].map(parseGoBool)).toEqual(Array(6).fill(false));
    expect(['yes', 'on', 'tRUE', '', ' true'].map(parseGoBool)).toEqual(Array(5).fill(undefined));
  });
});

describe('parseGoDuration', () => {
  it.each([
    ['0', 0],
    ['100ms', 100],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1_000],
    ['-10s', -10_000],
    ['+10s', 10_000],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['250μs', 0.25],
    ['1000000ns', 1],
  ])('reads %s', (text, want) => {
    expect(parseGoDuration(text)).toBeCloseTo(want, 9);
  });

  it.each(['', '10', 's', '1d', '1 s', '1h-1m', '.s', '99999999h'])(
    'refuses %j, as time.ParseDuration does',
    (text) => {
      expect(parseGoDuration(text)).toBeUndefined();
    },
  );
});

describe('parseGoCsvRecord', () => {
  it.each([
    ['a,b', ['a', 'b']],
    ['a, b', ['a', ' b']],
    ['a,', ['a', '']],
    [',', ['', '']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a""b"', ['a"b']],
    ['"a\nb",c', ['a\nb', 'c']],
    ['\n\na,b\nc', ['a', 'b']],
    ['a\r\nb', ['a']],
    ['a\r', ['a']],
    ['"a"\nb', ['a']],
  ])('reads the first record of %j', (text, want) => {
    expect(parseGoCsvRecord(text)).toEqual(want);
  });

  it.each(['', '\n', 'a"b', '"a', '"a"b', 'a,"b" ,c'])('refuses %j, as encoding/csv does', (text) => {
    expect(parseGoCsvRecord(text)).toBeUndefined();
  });

  it('reads a list of 100,000 names in one go', () => {
    expect(parseGoCsvRecord('"a",'.repeat(100_000))?.length).toBe(100_001);
  });
});
