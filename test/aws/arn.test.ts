import { describe, expect, it } from '@jest/globals';
import { parseRoleArn, roleArnOf } from '../../src/aws/arn.ts';

describe('parseRoleArn', () => {
  it.each([
    ['arn:aws:iam::111122223333:role/app', { partition: 'aws', accountId: '111122223333', path: '', roleName: 'app' }],
    [
      'arn:aws-us-gov:iam::111122223333:role/a/b/c_+=,.@-',
      { partition: 'aws-us-gov', accountId: '111122223333', path: 'a/b/', roleName: 'c_+=,.@-' },
    ],
    [
      'arn:aws:iam::111122223333:role/!~/app',
      { partition: 'aws', accountId: '111122223333', path: '!~/', roleName: 'app' },
    ],
  ])('reads %s', (text, want) => {
    expect(parseRoleArn(text)).toEqual(want);
  });

  it('takes roles of every partition that AWS has', () => {
    const partitions = ['aws', 'aws-cn', 'aws-us-gov', 'aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f', 'aws-eusc'];
    expect(
      partitions.map((partition) => parseRoleArn(`arn:${partition}:iam::111122223333:role/app`)?.partition),
    ).toEqual(partitions);
  });

  it.each([
    ['nothing', ''],
    ['a bare name', 'app'],
    ['another partition', 'arn:amazon:iam::111122223333:role/app'],
    ['a partition with a loose end', 'arn:aws-:iam::111122223333:role/app'],
    ['a region', 'arn:aws:iam:eu-west-1:111122223333:role/app'],
    ['an account of 11 digits', 'arn:aws:iam::11112222333:role/app'],
    ['a user', 'arn:aws:iam::111122223333:user/app'],
    ['no name', 'arn:aws:iam::111122223333:role/path/'],
    ['a name of 65 characters', `arn:aws:iam::111122223333:role/${'a'.repeat(65)}`],
    ['a blank in the name', 'arn:aws:iam::111122223333:role/a b'],
    ['a blank in the path', 'arn:aws:iam::111122223333:role/a b/c'],
    ['a letter that is not ASCII', 'arn:aws:iam::111122223333:role/ä'],
    ['a trailing newline', 'arn:aws:iam::111122223333:role/app\n'],
    ['more than 2048 characters', `arn:aws:iam::111122223333:role/${'a'.repeat(2048)}/b`],
  ])('refuses %s', (_, text) => {
    expect(parseRoleArn(text)).toBeUndefined();
  });
});

describe('roleArnOf', () => {
  it('puts path and name into an account, with or without the slash in front', () => {
    const owner = { partition: 'aws-cn', accountId: '111122223333' };
    expect(['app', 'team/app', '/team/app'].map((name) => roleArnOf(name, owner))).toEqual([
      'arn:aws-cn:iam::111122223333:role/app',
      'arn:aws-cn:iam::111122223333:role/team/app',
      'arn:aws-cn:iam::111122223333:role/team/app',
    ]);
  });
});
