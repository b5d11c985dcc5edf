import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject } from '../../src/aws/json-object.ts';
import { claimsOfServiceAccount } from '../../src/aws/token.ts';
import { parseTrustPolicy } from '../../src/aws/trust-policy.ts';
import type { Trusted } from '../../src/aws/trust-policy-generate.ts';
import { isWide, parseTrusted, trustStatements } from '../../src/aws/trust-policy-generate.ts';
import { mergedPolicy } from '../../src/aws/trust-policy-merge.ts';
import { terraformOf } from '../../src/aws/trust-policy-terraform.ts';
import { AUD, decide, ISSUER, NAME, PROVIDER, PROVIDER_ARN, rulesOf, statement, SUBJECT } from './trust-policies.ts';

const OWNER = { partition: 'aws', accountId: '111122223333' };
const KEY = `${NAME}:sub`;

function trusted(...names: readonly string[]): readonly Trusted[] {
  return names.map((name) => ({
    ...(parseTrusted(name) ?? { namespace: '', name: '' }),
    audience: 'sts.amazonaws.com',
  }));
}

function generated(...names: readonly string[]): JsonObject {
  return mergedPolicy(undefined, trustStatements({ issuer: ISSUER, owner: OWNER, accounts: trusted(...names) }));
}

describe('a generated policy', () => {
  it('is the one of the guides for one account', () => {
    expect(generated('prod/api')).toEqual({ Version: '2012-10-17', Statement: [statement()] });
  });

  it('lists accounts once, whatever their order', () => {
    const sub = ['system:serviceaccount:a:b', SUBJECT];
    expect(generated('prod/api', 'a/b', 'prod/api')).toEqual({
      Version: '2012-10-17',
      Statement: [statement({ Condition: { StringEquals: { ...AUD, [KEY]: sub } } })],
    });
    expect(generated('a/b', 'prod/api')).toEqual(generated('prod/api', 'a/b'));
  });

  it('has a statement of its own for patterns, because both could not hold in one', () => {
    const pattern = { StringEquals: AUD, StringLike: { [KEY]: 'system:serviceaccount:team:*' } };
    expect(generated('team/*', 'prod/api')).toEqual({
      Version: '2012-10-17',
      Statement: [statement(), statement({ Condition: pattern })],
    });
  });

  it('has a statement for each audience', () => {
    const accounts = [...trusted('prod/api'), { namespace: 'prod', name: 'web', audience: 'x' }];
    const other = { StringEquals: { [`${NAME}:aud`]: 'x', [KEY]: 'system:serviceaccount:prod:web' } };
    expect(trustStatements({ issuer: ISSUER, owner: OWNER, accounts })).toEqual([
      statement(),
      statement({ Condition: other }),
    ]);
  });

  const name = fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,5}[a-z0-9])?$/);
  const account = fc.tuple(name, name);

  it('allows exactly the accounts that it is for, and has no finding', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(account, { minLength: 1, maxLength: 8, selector: String }),
        account,
        (accounts, other) => {
          const text = JSON.stringify(generated(...accounts.map((one) => one.join('/'))));
          for (const [namespace, one] of [...accounts, other]) {
            const claims = claimsOfServiceAccount({
              namespace,
              name: one,
              issuer: ISSUER,
              audience: 'sts.amazonaws.com',
            });
            const isMeant = accounts.some((meant) => String(meant) === `${namespace},${one}`);
            const { verdict, findings } = decide(text, { claims });
            expect([verdict, findings.filter(({ rule }) => rule !== 'sub-swapped')]).toEqual([
              isMeant ? 'allowed' : 'denied',
              [],
            ]);
          }
        },
      ),
    );
  });

  it('is never widened by what it is merged into, and merging again changes nothing', () => {
    fc.assert(
      fc.property(
        fc.array(account, { minLength: 1, maxLength: 4 }),
        fc.array(account, { minLength: 1, maxLength: 4 }),
        account,
        (old, more, other) => {
          const [before, added] = [generated(...old.map((one) => one.join('/'))), more.map((one) => one.join('/'))];
          const statements = trustStatements({ issuer: ISSUER, owner: OWNER, accounts: trusted(...added) });
          const after = mergedPolicy(before, statements);
          expect(mergedPolicy(after, statements)).toEqual(after);
          const claims = claimsOfServiceAccount({
            namespace: other[0],
            name: other[1],
            issuer: ISSUER,
            audience: 'sts.amazonaws.com',
          });
          const verdicts = [before, generated(...added), after].map(
            (policy) => decide(JSON.stringify(policy), { claims }).verdict,
          );
          expect(verdicts[2]).toBe(verdicts.slice(0, 2).includes('allowed') ? 'allowed' : 'denied');
        },
      ),
    );
  });
});

describe('parseTrusted', () => {
  it('takes names as Kubernetes has them, with wildcards', () => {
    expect(['a/b', 'kube-system/aws-node', 'team-*/app.v1', '*/*', 'a/?'].map(parseTrusted)).toEqual([
      { namespace: 'a', name: 'b' },
      { namespace: 'kube-system', name: 'aws-node' },
      { namespace: 'team-*', name: 'app.v1' },
      { namespace: '*', name: '*' },
      { namespace: 'a', name: '?' },
    ]);
    const wrong = [
      '',
      'a',
      '/b',
      'a/',
      'a/b/c',
      'A/b',
      'a/B',
      'a:b',
      'a b/c',
      '-a/b',
      'a./b',
      `${'a'.repeat(64)}/b`,
      `a/${'b'.repeat(254)}`,
    ];
    expect(wrong.map(parseTrusted)).toEqual(wrong.map(() => undefined));
  });

  it('knows which patterns reach every namespace', () => {
    const wide = ['*/*', '*/app', '?*/app', '*-*/app'];
    const narrow = ['a/*', 'team-*/app', '*-prod/app', '?/app'];
    const isWideText = (text: string): boolean => isWide(parseTrusted(text) ?? { namespace: '' });
    expect([wide.map(isWideText), narrow.map(isWideText)]).toEqual([wide.map(() => true), narrow.map(() => false)]);
  });
});

describe('mergedPolicy', () => {
  const added = trustStatements({ issuer: ISSUER, owner: OWNER, accounts: trusted('prod/web') });
  const WEB = 'system:serviceaccount:prod:web';
  const both = { StringEquals: { ...AUD, [KEY]: [SUBJECT, WEB] } };

  it.each([
    ['the statement of the guides', statement()],
    ['one with a Sid', statement({ Sid: 'Cluster' })],
    [
      'one with lists of one',
      statement({ Action: ['sts:AssumeRoleWithWebIdentity'], Principal: { Federated: [PROVIDER_ARN] } }),
    ],
  ])('puts an account into %s', (_, existing) => {
    const policy = { Version: '2012-10-17', Id: 'x', Statement: existing };
    expect(mergedPolicy(policy, added)).toEqual({ ...policy, Statement: [{ ...existing, Condition: both }] });
  });

  it.each([
    ['another effect', statement({ Effect: 'Deny' })],
    ['another provider', statement({ Principal: { Federated: `${PROVIDER_ARN}X` } })],
    ['another action', statement({ Action: 'sts:*' })],
    ['another audience', statement({ Condition: { StringEquals: { [`${NAME}:aud`]: 'x', [KEY]: SUBJECT } } })],
    ['another operator', statement({ Condition: { StringEquals: AUD, StringLike: { [KEY]: SUBJECT } } })],
    [
      'one condition more',
      statement({ Condition: { StringEquals: { ...AUD, [KEY]: SUBJECT }, Bool: { 'aws:SecureTransport': true } } }),
    ],
    ['no condition', statement({ Condition: undefined })],
    ['no account', statement({ Condition: { StringEquals: AUD } })],
  ])('leaves a statement with %s as it is', (_, existing) => {
    const policy = { Version: '2012-10-17', Statement: [existing] };
    expect(mergedPolicy(policy, added)).toEqual({ ...policy, Statement: [existing, ...added] });
  });

  it('puts a pattern to its kind', () => {
    const pattern = (values: unknown) => statement({ Condition: { StringEquals: AUD, StringLike: { [KEY]: values } } });
    const more = trustStatements({ issuer: ISSUER, owner: OWNER, accounts: trusted('b/*') });
    const old = { Version: '2012-10-17', Statement: [statement(), pattern('system:serviceaccount:a:*')] };
    expect(mergedPolicy(old, more)).toEqual({
      ...old,
      Statement: [statement(), pattern(['system:serviceaccount:a:*', 'system:serviceaccount:b:*'])],
    });
  });

  it('adds to what is no statement without touching it', () => {
    expect(mergedPolicy({ Statement: ['x'] }, added)).toEqual({ Statement: ['x', ...added] });
  });
});

describe('terraformOf', () => {
  it('writes a policy as terraform fmt would', () => {
    expect(terraformOf(generated('prod/api', 'team/*'))).toBe(`data "aws_iam_policy_document" "trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["${PROVIDER_ARN}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${NAME}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${KEY}"
      values   = ["${SUBJECT}"]
    }
  }

  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["${PROVIDER_ARN}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${NAME}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringLike"
      variable = "${KEY}"
      values   = ["system:serviceaccount:team:*"]
    }
  }
}
`);
  });

  it('keeps everything of a policy that was there', () => {
    const policy = {
      Statement: {
        Sid: 'Others',
        Effect: 'Deny',
        NotPrincipal: { AWS: ['arn:aws:iam::111122223333:root'] },
        NotAction: ['sts:AssumeRole'],
        Condition: { Bool: { 'aws:SecureTransport': false }, StringLike: { k: '${aws:username}%{x}"' } },
      },
    };
    expect(terraformOf(policy)).toBe(`data "aws_iam_policy_document" "trust" {
  version = "2008-10-17"

  statement {
    sid         = "Others"
    effect      = "Deny"
    not_actions = ["sts:AssumeRole"]

    not_principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:root"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }

    condition {
      test     = "StringLike"
      variable = "k"
      values   = ["$\${aws:username}%%{x}\\""]
    }
  }
}
`);
    expect(terraformOf({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole' }] })).toBe(
      `data "aws_iam_policy_document" "trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]
  }
}
`,
    );
    expect(
      terraformOf({
        Version: '2012-10-17',
        Statement: [statement({ Sid: '', Principal: '*', Condition: { StringEquals: 'x' } })],
      }),
    ).toBe(
      `data "aws_iam_policy_document" "trust" {
  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}
`,
    );
  });
});

describe('any text', () => {
  it('is a policy or has faults, and is never allowed by what is not understood', () => {
    const value = fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constant(null), fc.array(fc.string()));
    const element = fc.constantFrom(
      'Effect',
      'Principal',
      'Action',
      'Condition',
      'Sid',
      'x',
      '__proto__',
      'constructor',
    );
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(element, fc.oneof(value, fc.dictionary(fc.string(), value)))),
        (statements) => {
          const text = JSON.stringify({ Version: '2012-10-17', Statement: statements });
          expect(parseTrustPolicy(text).faults.length > 0 || statements.length > 0).toBe(true);
          expect(decide(text).verdict).not.toBe('allowed');
        },
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => expect(rulesOf(decide(text))[0]).toBe('invalid-policy')));
  });

  it('is judged the same with its elements in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.entries(statement()), { minLength: 4 }), (entries) => {
        expect(
          rulesOf(
            decide(JSON.stringify({ Statement: [Object.fromEntries(entries)], Version: '2012-10-17' }), {
              provider: PROVIDER,
            }),
          ),
        ).toEqual(['allowed']);
      }),
    );
  });
});
