import { describe, expect, it } from '@jest/globals';
import { createEntryIndex, parseEntries } from '../../src/identity/config-map-entries.ts';

const ROLE = 'arn:aws:iam::111122223333:role/app';

describe('parseEntries', () => {
  it('reads keys in any case, of several the last, and clamps expirations', () => {
    const text = `{"a/b": {"rolearn": "x", "RoleARN": "${ROLE}", "AUDIENCE": "aud", "useRegionalSts": true, "tokenexpiration": 99999999999}}`;
    expect(parseEntries(text)).toEqual({
      entries: [{ key: 'a/b', role: ROLE, audience: 'aud', regionalSts: true, expirationSeconds: 4_294_967_296 }],
      refusals: [],
    });
  });

  it('takes what is empty, zero or null as absent, as Go does', () => {
    const text = `{"a/b": {"RoleARN": "${ROLE}", "Audience": "", "TokenExpiration": 0, "UseRegionalSTS": null}}`;
    expect(parseEntries(text).entries).toEqual([{ key: 'a/b', role: ROLE }]);
  });

  it('refuses a bad entry alone, and says why', () => {
    const good = { RoleARN: ROLE };
    const bad = {
      'no-slash': good,
      'a/b/c': good,
      '/b': good,
      'a/': good,
      'a/null': null,
      'a/list': [],
      'a/text': 'x',
      'a/none': {},
      'a/blank': { RoleARN: ' ' },
      'a/role': { RoleARN: 1 },
      'a/audience': { ...good, Audience: 1 },
      'a/sts': { ...good, UseRegionalSTS: 'true' },
      'a/expiration': { ...good, TokenExpiration: '3600' },
      'a/half': { ...good, TokenExpiration: 0.5 },
    };
    const parsed = parseEntries(JSON.stringify({ ...bad, 'good/one': good }));
    expect(parsed.entries).toEqual([{ key: 'good/one', role: ROLE }]);
    const key = 'want a key "namespace/name"; either half may hold *';
    const object = 'want an object with RoleARN';
    const role = 'RoleARN: want the ARN of a role';
    expect(parsed.refusals).toEqual([
      { key: 'no-slash', problem: key },
      { key: 'a/b/c', problem: key },
      { key: '/b', problem: key },
      { key: 'a/', problem: key },
      { key: 'a/null', problem: object },
      { key: 'a/list', problem: object },
      { key: 'a/text', problem: object },
      { key: 'a/none', problem: role },
      { key: 'a/blank', problem: role },
      { key: 'a/role', problem: 'RoleARN: want a string' },
      { key: 'a/audience', problem: 'Audience: want a string' },
      { key: 'a/sts', problem: 'UseRegionalSTS: want true or false' },
      { key: 'a/expiration', problem: 'TokenExpiration: want whole seconds' },
      { key: 'a/half', problem: 'TokenExpiration: want whole seconds' },
    ]);
  });

  it('reads keys that JavaScript knows like any other', () => {
    expect(parseEntries('{"__proto__": {"RoleARN": "x"}, "a/constructor": {"__proto__": 1, "RoleARN": "y"}}')).toEqual({
      entries: [{ key: 'a/constructor', role: 'y' }],
      refusals: [{ key: '__proto__', problem: 'want a key "namespace/name"; either half may hold *' }],
    });
  });

  it.each(['', 'null', '[]', '"x"', '{', '{"a/b": '])('throws at %j', (text) => {
    expect(() => parseEntries(text)).toThrow(/JSON/);
  });
});

describe('createEntryIndex', () => {
  it('finds exact entries, then the most specific glob', () => {
    const keys = ['a/b', '*/b', 'a/*', 'test-*/b', '*/*', 'te*/b', 'z*/b', 'y*/b', 'a*/bb', 'ab*/b'];
    const entryOf = createEntryIndex(keys.map((key) => ({ key, role: key })));
    const found = (namespace: string, name: string) => entryOf({ namespace, name })?.role;
    expect(found('a', 'b')).toBe('a/b');
    expect(found('x', 'b')).toBe('*/b');
    expect(found('a', 'c')).toBe('a/*');
    expect(found('test-1', 'b')).toBe('test-*/b');
    expect(found('team', 'b')).toBe('te*/b');
    expect(found('q', 'q')).toBe('*/*');
    // Equally many literal characters: more of them in the namespace, then the alphabet.
    expect(found('ab', 'bb')).toBe('a*/bb');
  });

  it('does not depend on the order of the entries', () => {
    const keys = ['*a/b', 'a*/b', '*/ab', 'a*/*b'];
    const roles = [keys, keys.toReversed()].map(
      (order) => createEntryIndex(order.map((key) => ({ key, role: key })))({ namespace: 'a', name: 'b' })?.role,
    );
    expect(roles).toEqual(['*a/b', '*a/b']);
  });
});
