import { describe, expect, it } from '@jest/globals';
import { accountFrom, identityFromAccount } from '../../src/admission/annotations.ts';
import { podOverrides } from '../../src/admission/pod-annotations.ts';
import { settingsOf } from '../support/stories.ts';

const PREFIX = 'eks.amazonaws.com';
const key = { namespace: 'default', name: 'app' };

describe('accountFrom', () => {
  it('keeps what the core reads and nothing else', () => {
    const annotations = {
      'eks.amazonaws.com/role-arn': 'a',
      'eks.amazonaws.com/audience': 'b',
      'eks.amazonaws.com/sts-regional-endpoints': 'c',
      'eks.amazonaws.com/token-expiration': 'd',
      'eks.amazon.com/role-arn': 'e',
      'eks.amazonaws.com/other': 'x',
      'example.com/role-arn': 'x',
      'kubectl.kubernetes.io/last-applied-configuration': '{"a":"aws/role-arn"}',
      'eks.amazonaws.com/number': 1,
    };
    const { 'eks.amazonaws.com/other': _, 'example.com/role-arn': __, ...kept } = annotations;
    delete (kept as Record<string, unknown>)['eks.amazonaws.com/number'];
    delete (kept as Record<string, unknown>)['kubectl.kubernetes.io/last-applied-configuration'];
    expect(accountFrom(annotations, PREFIX)).toEqual({ annotations: kept });
  });

  it('gives accounts without any of it one and the same object', () => {
    const nothing = accountFrom({}, PREFIX);
    expect(
      [undefined, null, 'x', [], { a: 'b' }, { 'eks.amazonaws.com/role-arn': 7 }].map((a) => accountFrom(a, PREFIX)),
    ).toEqual(Array(6).fill(nothing));
    expect(accountFrom(null, PREFIX)).toBe(nothing);
  });

  it('reads a key that JavaScript knows like any other', () => {
    expect(accountFrom(JSON.parse('{"__proto__": "x", "constructor": "y"}'), PREFIX)).toEqual({ annotations: {} });
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });
});

describe('identityFromAccount', () => {
  it('does not point at EKS’s own annotation where another prefix is set', () => {
    const settings = settingsOf(['--annotation-prefix=aws.example.com']);
    const account = accountFrom(
      { 'eks.amazonaws.com/role-arn': 'x', 'aws.amazon.com/role-arn': 'y' },
      'aws.example.com',
    );
    expect(identityFromAccount(key, account, { settings, surroundings: {} })).toEqual({
      kind: 'none',
      reason: 'no-role',
      warnings: [
        'ServiceAccount default/app has annotation "aws.amazon.com/role-arn"; did you mean aws.example.com/role-arn?',
      ],
    });
  });

  // What reliability tests call row 19: each text, and the seconds that a token then lives.
  it.each([
    ['0', 600],
    ['-1', 600],
    ['599', 600],
    ['600', 600],
    ['86400', 86_400],
    ['4294967296', 4_294_967_296],
    ['4294967297', 4_294_967_296],
    ['10000000000000000000', undefined],
    ['1e5', undefined],
    ['0x258', undefined],
    [' 900 ', undefined],
    ['900abc', undefined],
    ['', undefined],
  ])('reads the expiration %j as %s seconds', (text, expirationSeconds) => {
    const annotations = {
      'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/app',
      'eks.amazonaws.com/token-expiration': text,
    };
    const answer = identityFromAccount(key, { annotations }, { settings: settingsOf([]), surroundings: {} });
    expect(answer).toMatchObject({ kind: 'identity' });
    expect(answer.kind === 'identity' && answer.identity.expirationSeconds).toBe(expirationSeconds);
  });
});

describe('podOverrides', () => {
  it('takes an empty list of containers as none, without a word', () => {
    const pod = { metadata: { annotations: { 'eks.amazonaws.com/skip-containers': '' } } };
    const { isSkipped, ...others } = podOverrides(pod, ['main'], PREFIX);
    expect(others).toEqual({ warnings: [] });
    expect(isSkipped('main')).toBe(false);
  });
});
