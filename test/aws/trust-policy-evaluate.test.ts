// IAM's semantics of conditions, with tokens of all shapes.
import { describe, expect, it } from '@jest/globals';
import type { TokenClaims, TokenForm } from '../../src/aws/token.ts';
import { claimsFrom } from '../../src/aws/token.ts';
import { evaluateTrustPolicy, parseTrustPolicy } from '../../src/aws/trust-policy.ts';
import {
  AUD,
  decide,
  ISSUER,
  NAME,
  NOW,
  OTHER,
  OTHER_ARN,
  policyOf,
  PROVIDER,
  PROVIDER_ARN,
  ROLE,
  statement,
  SUB,
  SUBJECT,
  withCondition,
} from './trust-policies.ts';

const KEY = `${NAME}:sub`;
const REFUSED = { code: 'AccessDenied', message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity' };

function claims(payload: Readonly<Record<string, unknown>> = {}): TokenClaims {
  const found = claimsFrom({ iss: ISSUER, sub: SUBJECT, aud: ['sts.amazonaws.com'], ...payload });
  if (found === undefined) throw new Error('want an object');
  return found;
}

describe('a condition on the subject', () => {
  it.each([
    ['StringEquals', SUBJECT, 'allowed'],
    ['StringEquals', SUBJECT.toUpperCase(), 'denied'],
    ['StringEquals', 'system:serviceaccount:prod:*', 'denied'],
    ['StringEquals', ['x', SUBJECT], 'allowed'],
    ['StringNotEquals', SUBJECT, 'denied'],
    ['StringNotEquals', ['x', SUBJECT], 'denied'],
    ['StringNotEquals', ['x', 'y'], 'allowed'],
    ['StringEqualsIgnoreCase', SUBJECT.toUpperCase(), 'allowed'],
    ['StringNotEqualsIgnoreCase', SUBJECT.toUpperCase(), 'denied'],
    ['StringLike', 'system:serviceaccount:prod:*', 'allowed'],
    ['StringLike', 'system:serviceaccount:prod:ap?', 'allowed'],
    ['StringLike', 'system:serviceaccount:prod:api?', 'denied'],
    ['StringLike', 'SYSTEM:*', 'denied'],
    ['StringLike', '*:p*d:*i', 'allowed'],
    ['StringLike', '*:p*d:*x', 'denied'],
    ['StringNotLike', 'system:serviceaccount:prod:*', 'denied'],
    ['StringNotLike', 'system:serviceaccount:web:*', 'allowed'],
    ['ArnEquals', SUBJECT, 'denied'],
    ['ArnLike', '*', 'denied'],
    ['ArnNotEquals', SUBJECT, 'cannot-decide'],
    ['ArnNotLike', '*', 'cannot-decide'],
    ['NumericEquals', 1, 'denied'],
    ['NumericNotEquals', 1, 'cannot-decide'],
    ['DateEquals', '2026-01-01', 'denied'],
    ['DateNotEquals', '2026-01-01', 'cannot-decide'],
    ['Bool', true, 'denied'],
    ['IpAddress', '10.0.0.0/8', 'denied'],
    ['NotIpAddress', '10.0.0.0/8', 'cannot-decide'],
    ['BinaryEquals', 'c3lzdGVt', 'cannot-decide'],
    ['Null', 'true', 'denied'],
    ['Null', true, 'denied'],
    ['Null', false, 'allowed'],
    ['Null', 'False', 'allowed'],
    ['Null', [true, false], 'allowed'],
    ['Null', 'yes', 'cannot-decide'],
    ['ForAllValues:Null', 'true', 'allowed'],
    ['ForAnyValue:Null', 'false', 'denied'],
    ['ForAnyValue:StringEquals', SUBJECT, 'allowed'],
    ['ForAnyValue:StringEquals', 'x', 'denied'],
    ['ForAnyValue:StringNotEquals', 'x', 'allowed'],
    ['ForAllValues:StringEquals', SUBJECT, 'allowed'],
    ['ForAllValues:StringEquals', 'x', 'denied'],
    ['ForAllValues:StringNotLike', 'x*', 'allowed'],
    ['StringEqualsIfExists', SUBJECT, 'allowed'],
    ['StringEqualsIfExists', 'x', 'denied'],
    ['StringEquals', [], 'cannot-decide'],
    ['StringNotEquals', [], 'cannot-decide'],
    ['StringEqualsIfExists', [], 'denied'],
    ['ForAnyValue:StringEquals', [], 'denied'],
    ['ForAllValues:StringEquals', [], 'denied'],
    ['ForAllValues:StringNotEquals', [], 'cannot-decide'],
  ])('%s %j is %s', (operator, value, want) => {
    expect(decide(withCondition({ [operator]: { [KEY]: value } })).verdict).toBe(want);
  });
});

describe('a condition on a claim that the token lacks', () => {
  it.each([
    ['StringEquals', 'a', 'denied'],
    ['StringLike', '*', 'denied'],
    ['StringNotEquals', 'a', 'allowed'],
    ['StringNotLike', '*', 'allowed'],
    ['StringEqualsIfExists', 'a', 'allowed'],
    ['StringEqualsIfExists', [], 'allowed'],
    ['NumericNotEquals', 5, 'allowed'],
    ['NotIpAddress', '10.0.0.0/8', 'allowed'],
    ['ForAllValues:StringEquals', 'a', 'allowed'],
    ['ForAllValues:StringNotEquals', 'a', 'allowed'],
    ['ForAnyValue:StringEquals', 'a', 'denied'],
    ['ForAnyValue:StringNotEquals', 'a', 'denied'],
    ['ForAnyValue:StringEqualsIfExists', 'a', 'allowed'],
    ['NumericLessThan', 5, 'denied'],
    ['Null', 'true', 'allowed'],
    ['Null', 'false', 'denied'],
  ])('%s %j is %s', (operator, value, want) => {
    const text = withCondition({
      StringEquals: SUB,
      [operator === 'StringEquals' ? 'StringLike' : operator]: { [`${NAME}:email`]: value },
    });
    expect(decide(text).verdict).toBe(want);
  });
});

describe('a condition on a claim of another type', () => {
  it.each([
    ['NumericEquals', '7', '7.0', 'allowed'],
    ['NumericLessThan', '7', 8, 'allowed'],
    ['NumericLessThan', '8', 8, 'denied'],
    ['NumericLessThanEquals', '8', 8, 'allowed'],
    ['NumericGreaterThan', '8', 8, 'denied'],
    ['NumericGreaterThanEquals', '8', 8, 'allowed'],
    ['NumericNotEquals', '8', 8, 'denied'],
    ['NumericNotEquals', '8', 'eight', 'cannot-decide'],
    ['DateEquals', '2026-01-01T00:00:00Z', '1767225600', 'allowed'],
    ['DateLessThan', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 'allowed'],
    ['DateGreaterThan', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 'denied'],
    ['Bool', 'TRUE', true, 'allowed'],
    ['Bool', 'true', 'false', 'denied'],
    ['IpAddress', '10.1.2.3', '10.0.0.0/8', 'cannot-decide'],
    ['IpAddress', 'fd00::1', 'fd00::/8', 'cannot-decide'],
    ['ArnLike', 'arn:aws:iam::111122223333:role/a/b', 'arn:aws:iam::*:role/*', 'allowed'],
    ['ArnLike', 'arn:aws:iam::111122223333:role/a:b', 'arn:aws:iam::*:role/*', 'allowed'],
    ['ArnEquals', 'arn:aws:iam::111122223333:role/a', 'arn:*:role/a', 'denied'],
    ['ArnNotLike', 'arn:aws:iam::111122223333:role/a', 'arn:aws:iam::*:role/?', 'denied'],
  ])('%s of %s and %j is %s', (operator, email, value, want) => {
    const text = withCondition({ StringEquals: SUB, [operator]: { [`${NAME}:email`]: value } });
    expect(decide(text, { claims: claims({ email }) }).verdict).toBe(want);
  });

  it('takes several values of a claim one by one', () => {
    const methods = claims({ amr: ['pwd', 'otp'] });
    const asked = (operator: string, value: unknown) =>
      decide(withCondition({ StringEquals: SUB, [operator]: { [`${NAME}:amr`]: value } }), { claims: methods }).verdict;
    expect([
      asked('StringLike', 'otp'),
      asked('StringNotLike', 'otp'),
      asked('ForAnyValue:StringLike', 'otp'),
      asked('ForAllValues:StringLike', 'otp'),
      asked('ForAllValues:StringLike', ['otp', 'pwd']),
      asked('ForAnyValue:StringNotLike', 'otp'),
      asked('ForAllValues:StringNotLike', 'otp'),
      asked('ForAnyValue:StringLike', 'sms'),
      asked('StringLike', 'sms'),
      asked('StringNotLike', 'sms'),
      asked('StringNotLike', '*'),
    ]).toEqual([
      'cannot-decide',
      'cannot-decide',
      'allowed',
      'denied',
      'allowed',
      'allowed',
      'denied',
      'denied',
      'denied',
      'cannot-decide',
      'denied',
    ]);
  });
});

describe('the audience', () => {
  const other = `${NAME}:oaud`;

  it('cannot be told where the token has several', () => {
    const both = claims({ aud: ['https://kubernetes.default.svc', 'sts.amazonaws.com'] });
    const asked = decide(policyOf(statement()), { claims: both });
    expect([asked.verdict, asked.findings.map(({ rule }) => rule)]).toEqual(['cannot-decide', ['several-audiences']]);
    expect(asked.reason).toBe(
      `Statement[0].Condition.StringEquals["${NAME}:aud"]: IAM leaves open whether it holds; token has https://kubernetes.default.svc or sts.amazonaws.com, policy asks for sts.amazonaws.com`,
    );
    const unasked = decide(withCondition({ StringEquals: SUB }), { claims: both });
    expect([unasked.verdict, unasked.reason]).toEqual([
      'cannot-decide',
      'the token has several audiences (https://kubernetes.default.svc, sts.amazonaws.com), and AWS does not document what STS makes of that; ask for one',
    ]);
    expect(decide(withCondition({ StringEquals: { ...SUB, [`${NAME}:aud`]: 'x' } }), { claims: both }).verdict).toBe(
      'denied',
    );
  });

  it('is the authorized party where the token names one', () => {
    const text = withCondition({ StringEquals: { ...AUD, ...SUB, [other]: 'original' } });
    expect(decide(text, { claims: claims({ aud: 'original', azp: 'sts.amazonaws.com' }) }).verdict).toBe('allowed');
    // Of tokens but Google's IAM does not say whether they have the key.
    expect(decide(text, { claims: claims({ aud: 'sts.amazonaws.com' }) }).verdict).toBe('cannot-decide');
  });
});

describe('variables', () => {
  const asked = (value: string, version = '2012-10-17', payload = {}) =>
    decide(
      JSON.stringify({ Version: version, Statement: statement({ Condition: { StringLike: { [KEY]: value } } }) }),
      {
        claims: claims(payload),
      },
    ).verdict;

  it('stand for what the token says', () => {
    expect(asked(`\${${KEY}}`)).toBe('allowed');
    expect(asked(`\${${KEY.toUpperCase()}}`)).toBe('allowed');
    // No variable, and IAM does not say what else.
    expect(asked(`\${ ${KEY} }`)).toBe('cannot-decide');
    expect(asked('system:serviceaccount:prod:${aws:username')).toBe('cannot-decide');
    expect(asked('system:serviceaccount:dev:${}')).toBe('denied');
    expect(asked(`system:serviceaccount:\${${NAME}:email}:api`, '2012-10-17', { email: 'prod' })).toBe('allowed');
  });

  it('are not wildcards, whatever they stand for', () => {
    expect(asked(`system:serviceaccount:\${${NAME}:email}:api`, '2012-10-17', { email: '*' })).toBe('denied');
    expect(asked('system:serviceaccount:prod:${*}')).toBe('denied');
    expect(asked('system:serviceaccount:prod:${?}${?}${?}')).toBe('denied');
    expect(asked('*${$}')).toBe('denied');
  });

  it('have a default for what the token does not say, and match nothing without', () => {
    expect(asked(`system:serviceaccount:\${${NAME}:email, 'prod'}:api`)).toBe('allowed');
    expect(asked(`system:serviceaccount:\${${NAME}:email}:*`)).toBe('denied');
    expect(asked(`\${${NAME}:amr}`, '2012-10-17', { amr: ['a', 'b'] })).toBe('cannot-decide');
    // IAM: a key of several values is no variable, also where it has one.
    expect(asked(`\${${NAME}:amr}`, '2012-10-17', { amr: [SUBJECT] })).toBe('cannot-decide');
  });

  it('of the request cannot be decided', () => {
    expect(asked('system:serviceaccount:prod:${aws:username}')).toBe('cannot-decide');
    expect(asked('system:serviceaccount:dev:${aws:username}')).toBe('denied');
    const inCapitals = (operator: string, value: string) =>
      decide(withCondition({ StringEquals: AUD, [operator]: { [KEY]: value } })).verdict;
    expect(inCapitals('StringEqualsIgnoreCase', 'SYSTEM:SERVICEACCOUNT:PROD:${aws:username}')).toBe('cannot-decide');
    expect(inCapitals('StringEqualsIgnoreCase', 'SYSTEM:SERVICEACCOUNT:DEV:${aws:username}')).toBe('denied');
    // What cannot be resolved may make the whole statement invalid.
    expect(inCapitals('StringNotEquals', 'system:serviceaccount:dev:${aws:username}')).toBe('cannot-decide');
    const beside = policyOf(statement({ Condition: { StringLike: { [KEY]: ['${aws:username}', SUBJECT] } } }));
    expect(decide(beside).verdict).toBe('cannot-decide');
    expect(inCapitals('ArnLike', 'system:serviceaccount:dev:${aws:username}')).toBe('cannot-decide');
    expect(asked(`\${aws:username}\${${NAME}:email}`)).toBe('denied');
    expect(asked(`\${${NAME}:email}\${aws:username}`)).toBe('denied');
    const negated = withCondition({ StringEquals: SUB, StringNotLike: { [KEY]: `\${${NAME}:email}` } });
    expect(decide(negated).verdict).toBe('cannot-decide');
  });

  it('are plain text in the old version', () => {
    expect(asked(`\${${KEY}}`, '2008-10-17')).toBe('denied');
    expect(asked('${*}', '2008-10-17', { sub: '${anything}' })).toBe('allowed');
  });
});

describe('what depends on the request', () => {
  const VPC = { StringEquals: { ...SUB, ...AUD }, StringLike: { 'aws:SourceVpc': '*' } };
  const OTHERS = { StringEquals: { [KEY]: 'system:serviceaccount:prod:web' }, StringLike: { 'AWS:SourceVpc': '*' } };

  it.each([
    ['an Allow', policyOf(statement({ Condition: VPC })), 'cannot-decide'],
    ['an Allow for others', policyOf(statement({ Condition: OTHERS })), 'denied'],
    ['an Allow beside one that holds', policyOf(statement({ Condition: VPC }), statement()), 'allowed'],
    ['a Deny', policyOf(statement(), statement({ Effect: 'Deny', Condition: VPC })), 'cannot-decide'],
    ['a Deny for others', policyOf(statement(), statement({ Effect: 'Deny', Condition: OTHERS })), 'allowed'],
    ['a Deny without an Allow', policyOf(statement({ Effect: 'Deny', Condition: VPC })), 'denied'],
    [
      'a Deny beside one that holds',
      policyOf(statement(), statement({ Effect: 'Deny', Condition: VPC }), statement({ Effect: 'Deny' })),
      'denied',
    ],
    [
      'IfExists',
      withCondition({ StringEquals: SUB, StringEqualsIfExists: { 'sts:RoleSessionName': 'x' } }),
      'cannot-decide',
    ],
    ['a tag of the role', withCondition({ StringEquals: { ...SUB, 'iam:ResourceTag/team': 'x' } }), 'cannot-decide'],
    ['Null', withCondition({ StringEquals: SUB, Null: { 'aws:TokenIssueTime': 'true' } }), 'cannot-decide'],
    [
      'ForAllValues',
      withCondition({ StringEquals: SUB, 'ForAllValues:StringEquals': { 'aws:TagKeys': 'x' } }),
      'cannot-decide',
    ],
    ['the key of a service that is not asked', withCondition({ StringEquals: { ...SUB, 's3:prefix': 'x' } }), 'denied'],
  ])('%s is %s', (_, text, want) => {
    expect(decide(text).verdict).toBe(want);
  });
});

describe('the decision', () => {
  it('names the clause that refuses, with both values', () => {
    const text = withCondition({ StringEquals: { ...AUD, [KEY]: ['system:serviceaccount:default:api', 'x'] } });
    const path = `Statement[0].Condition.StringEquals["${KEY}"]`;
    const policy = 'system:serviceaccount:default:api or x';
    expect(decide(text)).toMatchObject({
      verdict: 'denied',
      reason: `${path}: token has ${SUBJECT}, policy allows ${policy}`,
      stsError: REFUSED,
      clause: { path, truth: 'no', token: SUBJECT, policy },
    });
  });

  it('names the statement that comes furthest', () => {
    const other = statement({ Principal: { Federated: OTHER_ARN } });
    const wrong = statement({ Condition: { StringEquals: { ...AUD, [KEY]: 'system:serviceaccount:prod:web' } } });
    expect(decide(policyOf(other, wrong, other)).reason).toBe(
      `Statement[1].Condition.StringEquals["${KEY}"]: token has ${SUBJECT}, policy allows system:serviceaccount:prod:web`,
    );
  });

  it.each([
    [
      'a principal',
      policyOf(statement({ Principal: { Federated: OTHER_ARN } })),
      `Statement[0].Principal: token has ${PROVIDER_ARN}, policy allows ${OTHER_ARN}`,
    ],
    [
      'an action',
      policyOf(statement({ Action: ['sts:AssumeRole'] })),
      'Statement[0].Action: token has sts:AssumeRoleWithWebIdentity, policy allows sts:AssumeRole',
    ],
    [
      'a negated clause',
      withCondition({ StringNotLike: { [KEY]: '*' } }),
      `Statement[0].Condition.StringNotLike["${KEY}"]: token has ${SUBJECT}, policy allows anything but *`,
    ],
    [
      'a key that is not there',
      withCondition({ StringLike: { x: [] } }),
      'Statement[0].Condition.StringLike["x"]: the token gives STS no such key, policy allows nothing',
    ],
    [
      'no Allow',
      policyOf(statement({ Effect: 'Deny', Action: 'sts:AssumeRole' })),
      'no statement allows sts:AssumeRoleWithWebIdentity',
    ],
    [
      'a Deny',
      policyOf(statement({ Effect: 'Deny', Principal: '*', Condition: {} })),
      'Statement[0] denies it, whatever other statements allow: Statement[0].Action: token has sts:AssumeRoleWithWebIdentity, policy asks for sts:AssumeRoleWithWebIdentity',
    ],
  ])('says why %s refuses', (_, text, reason) => {
    expect(decide(text)).toMatchObject({ verdict: 'denied', reason, stsError: REFUSED });
  });

  it('says what cannot be decided', () => {
    expect(decide(withCondition({ StringEquals: { 'aws:SourceVpc': 'vpc-1' } }))).toMatchObject({
      verdict: 'cannot-decide',
      reason:
        'Statement[0].Condition.StringEquals["aws:SourceVpc"]: whether it holds depends on what a token does not tell; the policy asks for vpc-1',
      stsError: null,
    });
  });

  it('says what allows', () => {
    expect(decide(policyOf(statement({ Condition: { Null: { [`${NAME}:email`]: true } } }))).reason).toBe(
      `Statement[0] allows it: Statement[0].Condition.Null["${NAME}:email"]: the token gives STS no such key, policy asks for true`,
    );
    expect(decide(JSON.stringify({ Version: '2012-10-17', Statement: statement() })).reason).toBe(
      `Statement allows it: Statement.Condition.StringEquals["${KEY}"]: token has ${SUBJECT}, policy asks for ${SUBJECT}`,
    );
  });

  it('does not know a role by something else', () => {
    expect(decide(policyOf(statement()), { roleArn: 'arn:aws:iam::1:role/app' })).toMatchObject({
      verdict: 'denied',
      stsError: { code: 'ValidationError', message: 'Request ARN is invalid' },
    });
  });
});

describe('the checks of STS itself', () => {
  const noProvider = (issuer: string) => ({
    code: 'InvalidIdentityToken',
    message: `No OpenIDConnect provider found in your account for ${issuer}`,
  });
  const wrong = policyOf(statement({ Action: 'sts:AssumeRole' }));

  it.each([
    ['no provider', null, noProvider(ISSUER)],
    ['the provider of another issuer', { ...PROVIDER, url: 'other.example' }, noProvider(ISSUER)],
    ['a slash too many', { ...PROVIDER, url: `${NAME}/` }, noProvider(ISSUER)],
    ['the provider of another account', { ...PROVIDER, arn: PROVIDER_ARN.replace('1111', '4444') }, noProvider(ISSUER)],
    [
      'the provider of another partition',
      { ...PROVIDER, arn: PROVIDER_ARN.replace('aws', 'aws-cn') },
      noProvider(ISSUER),
    ],
    [
      'other audiences',
      { ...PROVIDER, clientIds: ['x', 'y'] },
      { code: 'InvalidIdentityToken', message: 'Incorrect token audience' },
    ],
    [
      'no audiences',
      { ...PROVIDER, clientIds: [] },
      { code: 'InvalidIdentityToken', message: 'Incorrect token audience' },
    ],
    ['the right provider', { ...PROVIDER, url: ISSUER }, REFUSED],
  ])('come before the policy: %s', (_, provider, stsError) => {
    expect(decide(wrong, { provider })).toMatchObject({ verdict: 'denied', stsError });
  });

  it.each([
    ['no issuer', { iss: undefined }, { code: 'InvalidIdentityToken', message: 'Missing a required claim: iss' }],
    ['no subject', { sub: '' }, { code: 'InvalidIdentityToken', message: 'Missing a required claim: sub' }],
    ['no audience', { aud: [] }, { code: 'InvalidIdentityToken', message: 'Missing a required claim: aud' }],
    [
      'an audience of numbers',
      { aud: [1] },
      { code: 'InvalidIdentityToken', message: 'The web identity token provided could not be validated' },
    ],
    [
      'an issuer of a number',
      { iss: 1 },
      { code: 'InvalidIdentityToken', message: 'The web identity token provided could not be validated' },
    ],
    [
      'a time of text',
      { exp: '1' },
      { code: 'InvalidIdentityToken', message: 'The web identity token provided could not be validated' },
    ],
    [
      'an end in the past',
      { exp: NOW },
      {
        code: 'ExpiredTokenException',
        message: `Token expired: current date/time ${NOW} must be before the expiration date/time ${NOW}`,
      },
    ],
    [
      'a great age',
      { iat: NOW - 441_398, exp: NOW + 1 },
      { code: 'ExpiredTokenException', message: 'Token too old: 441398' },
    ],
    [
      'a beginning in the future',
      { nbf: NOW + 301 },
      { code: 'InvalidIdentityToken', message: 'The web identity token provided could not be validated' },
    ],
    ['an unencrypted issuer', { iss: ISSUER.replace('https', 'http') }, noProvider(ISSUER.replace('https', 'http'))],
  ])('begin with the token: %s', (_, payload, stsError) => {
    expect(decide(policyOf(statement()), { claims: claims(payload) })).toMatchObject({ verdict: 'denied', stsError });
  });

  it('ask for another token where it is the API server’s own, and not for a provider that takes every pod’s', () => {
    const own = claims({ aud: [ISSUER] });
    const adviceOf = (provider: typeof PROVIDER | null): string | undefined =>
      decide(policyOf(statement()), { claims: own, provider }).findings[0]?.message.split('; ').at(-1);
    expect([adviceOf(PROVIDER), adviceOf({ ...PROVIDER, clientIds: [] }), adviceOf(null)]).toEqual([
      'it is a token for the API server, and every pod has one: take one for sts.amazonaws.com, by kubectl create token --audience',
      'it is a token for the API server, and every pod has one: take one for sts.amazonaws.com, by kubectl create token --audience',
      `create it in account 111122223333: aws iam create-open-id-connect-provider --url ${ISSUER} --client-id-list sts.amazonaws.com`,
    ]);
  });

  it('quote what somebody else wrote, for the shell', () => {
    const iss = "https://x.example/'$(id)";
    const { findings } = decide(policyOf(statement()), { claims: claims({ iss, aud: [] }), provider: null });
    expect(findings.map(({ message }) => message.split('; create it in account 111122223333: ')[1])).toEqual([
      undefined,
      "aws iam create-open-id-connect-provider --url 'https://x.example/'\\''$(id)' --client-id-list sts.amazonaws.com",
      undefined,
    ]);
  });

  it('say of a claim that is not there only that', () => {
    const unmatched = { ...PROVIDER, url: OTHER, clientIds: [] };
    const rules = (payload: Record<string, unknown>, provider: typeof PROVIDER) =>
      decide(policyOf(statement()), { claims: claims(payload), provider }).findings.map(({ rule }) => rule);
    expect(rules({ aud: [] }, { ...PROVIDER, clientIds: [] })).toEqual(['missing-claim']);
    expect(rules({ iss: undefined }, unmatched)).toEqual(['missing-claim']);
  });

  it('show no claim that is nested', () => {
    const reasonOf = (payload: Record<string, unknown>) =>
      decide(policyOf(statement()), { claims: claims(payload) }).reason;
    const deep: unknown = JSON.parse(`${'['.repeat(9000)}${']'.repeat(9000)}`);
    expect([reasonOf({ aud: deep }), reasonOf({ sub: { deep } }), reasonOf({ exp: '1' })]).toEqual([
      'the claim aud is a list of something else; want text, or a list of texts',
      'the claim sub is an object; want text',
      'the claim exp is "1"; want a whole number of seconds since 1970',
    ]);
  });

  it('know of an issuer that no account has a provider for, also where the provider is not known', () => {
    const asked = { policy: parseTrustPolicy(policyOf(statement())), roleArn: ROLE, nowSeconds: NOW };
    const iss = ISSUER.replace('https', 'http');
    const { verdict, stsError } = evaluateTrustPolicy({ ...asked, claims: claims({ iss }) });
    expect([verdict, stsError]).toEqual([
      'denied',
      { code: 'InvalidIdentityToken', message: `No OpenIDConnect provider found in your account for ${iss}` },
    ]);
  });

  it('want an action of its own for the tags and the source identity of a token', () => {
    const asked = (name: string, changes: Parameters<typeof statement>[0]) => {
      const { verdict, findings } = decide(policyOf(statement(changes)), { claims: claims({ [name]: { a: 'b' } }) });
      return [verdict, ...findings.map(({ rule }) => rule)];
    };
    const tags = 'https://aws.amazon.com/tags';
    const both = { Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] };
    expect(asked(tags, {})).toEqual(['cannot-decide', 'companion-action']);
    expect(asked(`${tags}/principal_tags`, {})).toEqual(['cannot-decide', 'companion-action']);
    expect(asked('https://aws.amazon.com/source_identity', both)).toEqual(['cannot-decide', 'companion-action']);
    expect(asked(tags, both)).toEqual(['allowed']);
    const denied = statement({ Effect: 'Deny', Action: 'sts:TagSession' });
    const { verdict } = decide(policyOf(statement(both), denied), { claims: claims({ [tags]: {} }) });
    expect(verdict).toBe('cannot-decide');
    expect(asked(tags, { Effect: 'Deny' })).toEqual(['denied', 'deny-statement', 'companion-action']);
    expect(asked(`${tags}x`, {})).toEqual(['allowed']);
  });

  it('do not say how to make a provider that cannot be', () => {
    const { reason } = decide(policyOf(statement()), { claims: claims({ iss: 'kubernetes/serviceaccount' }) });
    expect(reason).toBe(
      `the token's issuer is kubernetes/serviceaccount, the provider's is ${ISSUER}, and they must be equal to the last slash; STS takes issuers that begin with https:// only`,
    );
  });

  it('look at the length of a token first, and at its algorithm last', () => {
    const errorOf = (form: Partial<TokenForm>, payload = {}) =>
      decide(policyOf(statement()), { claims: claims(payload), form: { isSigned: true, length: 100, ...form } })
        .stsError?.message;
    expect([
      errorOf({ algorithm: 'ES256', length: 20_000 }),
      errorOf({ algorithm: 'RS256', length: 20_001 }, { exp: NOW }),
      errorOf({ algorithm: 'HS256' }),
      errorOf({}),
      errorOf({ algorithm: 'none' }, { aud: 'x' }),
      errorOf({ algorithm: 'none', isSigned: false }),
      errorOf({ algorithm: 'RS256', isSigned: false }, { exp: NOW }),
    ]).toEqual([
      undefined,
      "1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: Member must have length less than or equal to 20000",
      'The web identity token provided could not be validated',
      'The web identity token provided could not be validated',
      'Incorrect token audience',
      'The web identity token provided could not be validated',
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    ]);
  });

  it('let times be that are not there, but in a token', () => {
    expect(decide(policyOf(statement()), { claims: claims({ nbf: NOW + 300 }) }).verdict).toBe('allowed');
    expect(decide(policyOf(statement()), { claims: claims(), timesRequired: true })).toMatchObject({
      verdict: 'denied',
      stsError: { code: 'InvalidIdentityToken', message: 'Missing a required claim: exp' },
      findings: [{ rule: 'missing-claim' }, { rule: 'missing-claim' }],
    });
  });
});
