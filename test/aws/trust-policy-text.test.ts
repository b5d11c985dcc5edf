// The small parts that policies are read with: JSON with doubles, operators' names, wildcards, providers' names.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { providerArnOf, parseProviderArn, providerName, isSameButSlash } from '../../src/aws/oidc-provider.ts';
import { parseJson } from '../../src/aws/trust-policy-json.ts';
import { operatorLike, parseOperator } from '../../src/aws/trust-policy-operators.ts';
import { matchesPattern } from '../../src/aws/trust-policy-patterns.ts';
import { every, not, some } from '../../src/aws/trust-policy-truth.ts';

describe('parseJson', () => {
  it.each([
    ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}', []],
    ['{"a":1,"a":2,"a":3}', ['a']],
    ['{"a":{"b":1,"b":2}}', ['a.b']],
    ['{"a":[{},[{"b":1,"c":[1,2],"b":"{"}]]}', ['a[1][0].b']],
    ['{"a b":1,"a\\u0020b":2}', ['["a b"]']],
    ['{"a":{"ForAllValues:x":{"\\"k":1,"\\"k":[]}}}', ['a["ForAllValues:x"]["\\"k"]']],
    ['["a","a",{"__proto__":1,"__proto__":2}]', ['[2].__proto__']],
    ['\uFEFF{"a":"a,b","b":"[\\\\"}', []],
    ['"a"', []],
  ])('finds the keys that stand twice in %s', (text, want) => {
    const parsed = parseJson(text);
    expect(parsed.kind === 'json' && parsed.duplicates).toEqual(want);
  });

  it('says why a text is no JSON', () => {
    expect(parseJson('{"a" 1}')).toEqual({ kind: 'not-json', why: 'not JSON: see line 1, column 6' });
  });

  it('reads what JSON.parse reads, and finds no doubles in what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        const parsed: unknown = JSON.parse(text);
        expect(parseJson(text)).toEqual({ kind: 'json', value: parsed, duplicates: [] });
      }),
    );
  });

  it('finds every double that is put in', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^\w{1,3}$/), fc.jsonValue(), { minKeys: 1 }), (value) => {
        const text = JSON.stringify(value);
        const [key = ''] = Object.keys(value);
        const parsed = parseJson(`${text.slice(0, -1)},${JSON.stringify(key)}:1}`);
        expect(parsed.kind === 'json' && parsed.duplicates).toEqual([key]);
      }),
    );
  });
});

describe('names of operators', () => {
  it('are case-sensitive, with a quantifier in front and IfExists behind', () => {
    expect(parseOperator('ForAnyValue:StringNotLikeIfExists')).toEqual({
      name: 'ForAnyValue:StringNotLikeIfExists',
      kind: 'like',
      base: 'StringNotLike',
      isNegated: true,
      ignoresCase: false,
      ifExists: true,
      quantifier: 'any',
    });
    const wrong = [
      '',
      'stringEquals',
      'String Equals',
      'ForSomeValues:StringEquals',
      'NullIfExists',
      'ForAllValues:NullIfExists',
      'toString',
    ];
    expect(wrong.map(parseOperator)).toEqual(wrong.map(() => undefined));
  });

  it.each([
    ['stringequals', 'StringEquals'],
    ['STRINGLIKEIFEXISTS', 'StringLikeIfExists'],
    ['forallvalues:stringlike', 'ForAllValues:StringLike'],
    ['ForAnyValues:StringEquals', 'ForAnyValue:StringEquals'],
    ['ForAllValues:Null', 'Null'],
    ['NullIfExists', 'Null'],
    ['__doc_comment', undefined],
  ])('%s is meant as %s', (name, want) => {
    expect(operatorLike(name)).toBe(want);
  });
});

describe('matchesPattern', () => {
  it('is what a regular expression of the pattern is', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?', '😀'), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const source = Array.from(pattern, (letter) => ({ '*': '.*', '?': '.', '.': '\\.' })[letter] ?? letter);
        expect(matchesPattern(pattern, text)).toBe(new RegExp(`^${source.join('')}$`, 'su').test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no time for a pattern that is made to take some', () => {
    expect(matchesPattern(`${'*a'.repeat(500)}b`, 'a'.repeat(5000))).toBe(false);
  });
});

describe('three answers', () => {
  it('leave open only what the known ones do not settle', () => {
    expect([every([]), every(['yes', 'unknown']), every(['unknown', 'no']), every(['yes'])]).toEqual([
      'yes',
      'unknown',
      'no',
      'yes',
    ]);
    expect([some([]), some(['no', 'unknown']), some(['unknown', 'yes']), some(['no'])]).toEqual([
      'no',
      'unknown',
      'yes',
      'no',
    ]);
    expect((['yes', 'no', 'unknown'] as const).map(not)).toEqual(['no', 'yes', 'unknown']);
  });
});

describe('an OIDC provider', () => {
  it('is named by its issuer without the scheme, to the last letter', () => {
    const owner = { partition: 'aws-cn', accountId: '111122223333' };
    const arn = providerArnOf('https://Issuer.example/Path/', owner);
    expect(arn).toBe('arn:aws-cn:iam::111122223333:oidc-provider/Issuer.example/Path/');
    expect(parseProviderArn(arn)).toEqual({ ...owner, name: 'Issuer.example/Path/' });
    expect(providerName('issuer.example')).toBe('issuer.example');
    const wrong = [
      '',
      'arn:aws:iam::1:oidc-provider/x',
      'arn:aws:iam::111122223333:role/x',
      'arn:aws:iam::111122223333:oidc-provider/',
    ];
    expect(wrong.map(parseProviderArn)).toEqual(wrong.map(() => undefined));
    expect([isSameButSlash('a/', 'a'), isSameButSlash('a', 'a'), isSameButSlash('a', 'b')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
