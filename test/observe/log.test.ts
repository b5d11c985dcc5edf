import { describe, expect, test } from '@jest/globals';
import type { LogFormat, LogLevel } from '../../src/observe/log.ts';
import { createLog } from '../../src/observe/log.ts';

const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const time = '2026-01-02T03:04:05.678Z';

interface Captured {
  readonly log: ReturnType<typeof createLog>;
  readonly lines: string[];
  readonly last: () => Record<string, unknown>;
}

function captured(options: { readonly level?: LogLevel; readonly format?: LogFormat } = {}): Captured {
  const lines: string[] = [];
  const log = createLog({
    level: options.level ?? 'trace',
    format: options.format ?? 'json',
    destination: { write: (line) => void lines.push(line) },
    now: () => now,
  });
  return { log, lines, last: () => parsed(lines.at(-1) ?? '') };
}

function parsed(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

describe('a line of JSON', () => {
  test('has the level as a word, the time in ISO form, the message and the fields, and nothing else', () => {
    const { log, lines } = captured();
    log.info({ uid: 'a', ms: 0.25, dryRun: false, method: undefined, warnings: ['b'] }, 'decided');
    expect(lines).toEqual([
      `{"level":"info","time":"${time}","uid":"a","ms":0.25,"dryRun":false,"warnings":["b"],"msg":"decided"}\n`,
    ]);
  });

  test.each<[LogLevel, readonly string[]]>([
    ['trace', ['trace', 'debug', 'info', 'warn', 'error']],
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
  ])('is written from level %s on', (level, want) => {
    const { log, lines } = captured({ level });
    for (const name of ['trace', 'debug', 'info', 'warn', 'error'] as const) log[name]({}, name);
    expect(lines.map((line) => parsed(line)['level'])).toEqual(want);
  });

  test.each([
    ['line feeds', 'a\r\nb\vc\fd'],
    ['control characters', '\u0000\u0007\u001b[31mred\u007f\u0085\u009b31m'],
    ['separators of lines and paragraphs', 'a\u2028b\u2029c'],
    ['marks of direction', 'role\u202eexample\u2066'],
    ['quotes and backslashes', '"\\",{"level":"error"}'],
    ['lone surrogates', 'a\ud800b\udc00'],
    ['what is not ASCII', 'größe 🚀'],
  ])('is one line with the same value in it: %s', (_, value) => {
    const { log, lines, last } = captured();
    log.info({ short: value, long: value.repeat(9), [value]: 1 }, value);
    const bare = lines.join('');
    expect(bare.split(/[\n\r\u0085\u2028\u2029\v\f]/)).toHaveLength(2);
    expect(bare.slice(0, -1)).not.toMatch(/\p{Cc}|[\u202e\u2066]/u);
    // A lone surrogate has no UTF-8 but its escape.
    expect(last()).toEqual({ level: 'info', time, short: value, long: value.repeat(9), [value]: 1, msg: value });
  });

  test('bounds strings, lists, keys and depth', () => {
    const { log, last } = captured();
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`key${index}`, index]));
    log.info(
      { long: 'x'.repeat(5_000), list: Array.from({ length: 40 }, () => 1), deep: { a: { b: { c: {} } } } },
      'm',
    );
    expect(last()).toEqual({
      level: 'info',
      time,
      long: `${'x'.repeat(2_047)}…`,
      list: Array.from({ length: 32 }, () => 1),
      deep: { a: { b: { c: '[deeper]' } } },
      msg: 'm',
    });
    log.info(many, 'm');
    expect(Object.keys(last())).toHaveLength(32 + 3);
  });

  test('that a container runtime would cut in the middle is cut in all its values instead', () => {
    const { log, lines, last } = captured();
    log.error({ uid: 'a', list: Array.from({ length: 32 }, () => 'ä'.repeat(2_000)) }, 'm');
    expect(Buffer.byteLength(lines.join(''))).toBeLessThan(16 * 1_024);
    expect(last()).toEqual({
      level: 'error',
      time,
      uid: 'a',
      list: `["${'ä'.repeat(125)}…`,
      msg: 'm',
      cut: true,
    });
  });

  test('takes every kind of value', () => {
    const { log, last } = captured();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const fields = { big: 2n ** 70n, nan: Number.NaN, infinite: -Infinity, none: null, at: new Date(now), circular };
    const strange = { never: new Date(Number.NaN), bytes: Buffer.from('secret'), symbol: Symbol('s'), map: new Map() };
    log.info({ ...fields, ...strange, run: () => 'code' }, 'm');
    expect(last()).toEqual({
      level: 'info',
      time,
      big: '1180591620717411303424',
      nan: 'NaN',
      infinite: '-Infinity',
      none: null,
      at: time,
      circular: { self: { self: { self: '[deeper]' } } },
      never: 'invalid date',
      bytes: '[6 bytes]',
      symbol: '[symbol]',
      map: {},
      run: '[function]',
      msg: 'm',
    });
  });

  test('is written although a field throws', () => {
    const { log, last } = captured();
    const fields = Object.defineProperty({}, 'pod', {
      enumerable: true,
      get() {
        throw new Error('no such pod');
      },
    });
    log.info(fields, 'm');
    expect(last()).toEqual({ level: 'info', time, unloggable: 'no such pod', msg: 'm' });
  });

  test('shows an error by message, code, stack and cause', () => {
    const { log, last } = captured();
    const cause = Object.assign(new Error('inner'), { code: 'ECONNRESET', secret: 'x' });
    log.error({ error: new Error('outer', { cause }), err: new Error('other') }, 'm');
    expect(last()).toEqual({
      level: 'error',
      time,
      error: {
        message: 'outer',
        stack: expect.stringMatching(/^Error: outer\n/),
        cause: { message: 'inner', code: 'ECONNRESET', stack: expect.stringMatching(/^Error: inner\n/) },
      },
      err: { message: 'other', stack: expect.stringMatching(/^Error: other\n/) },
      msg: 'm',
    });
  });

  test('withholds tokens and private keys that slipped into a value', () => {
    const { log, last } = captured();
    const part = Buffer.from(`{"alg":"RS256","kid":"${'k'.repeat(40)}"}`).toString('base64url');
    const key = `-----BEGIN EC PRIVATE KEY-----\n${'A'.repeat(64)}\n-----END EC PRIVATE KEY-----`;
    log.warn(
      { url: `https://a/?token=${part}.${part}.c2ln&b=1`, list: [`${key} and more`], cut: key.slice(0, 80) },
      'm',
    );
    expect(last()).toEqual({
      level: 'warn',
      time,
      url: 'https://a/?token=[withheld]&b=1',
      list: ['[withheld] and more'],
      cut: '[withheld]',
      msg: 'm',
    });
  });
});

describe('the text form', () => {
  test('is the time, the level, the message, and pairs that cannot be mistaken', () => {
    const { log, lines } = captured({ format: 'text' });
    log.warn(
      { namespace: 'default', roleArn: 'arn:aws:iam::1:role/a', ms: 1.5, list: ['a b'], text: 'a b=c\n' },
      'go on',
    );
    expect(lines).toEqual([
      `${time} WARN  go on namespace=default roleArn=arn:aws:iam::1:role/a ms=1.5 list=["a b"] text="a b=c\\n"\n`,
    ]);
  });

  test('keeps control characters and marks of direction away from the terminal', () => {
    const { log, lines } = captured({ format: 'text' });
    log.error({ name: '\u001b[2J\u009b\u202e' }, 'gone\u2028');
    expect(lines).toEqual([`${time} ERROR "gone\\u2028" name="\\u001b[2J\\u009b\\u202e"\n`]);
  });
});

test('flush answers for the destination', async () => {
  expect(await captured().log.flush()).toBe(true);
  const log = createLog({
    level: 'info',
    format: 'json',
    destination: { write: () => {}, flush: async () => false },
  });
  expect(await log.flush()).toBe(false);
});
