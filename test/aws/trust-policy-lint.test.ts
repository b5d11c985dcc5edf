import { describe, expect, it } from '@jest/globals';
import { claimsFrom, claimsOfServiceAccount } from '../../src/aws/token.ts';
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
  rulesOf,
  statement,
  SUB,
  SUBJECT,
  withCondition,
} from './trust-policies.ts';

const sub = (value: unknown, name = NAME) => ({ [`${name}:sub`]: value });
const aud = (value: unknown, name = NAME) => ({ [`${name}:aud`]: value });

const HEALTHY: readonly (readonly [string, string])[] = [
  ['as the EKS guide writes it', policyOf(statement())],
  [
    'with several accounts',
    withCondition({ StringEquals: { ...AUD, ...sub([SUBJECT, 'system:serviceaccount:a:b']) } }),
  ],
  ['for all of a namespace', withCondition({ StringEquals: AUD, StringLike: sub('system:serviceaccount:prod:*') })],
  ['for a pattern of names', withCondition({ StringEquals: AUD, StringLike: sub('system:serviceaccount:prod:a?i*') })],
  [
    'for several clusters',
    policyOf(
      statement({
        Principal: { Federated: OTHER_ARN },
        Condition: { StringEquals: { ...aud('x', OTHER), ...sub(SUBJECT, OTHER) } },
      }),
      statement(),
    ),
  ],
  ['of one statement without a list', JSON.stringify({ Version: '2012-10-17', Statement: statement() })],
  ['with a session tag', policyOf(statement({ Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] }))],
  [
    'with the tag in its own statement',
    policyOf(statement(), statement({ Action: 'sts:TagSession', Condition: undefined })),
  ],
  [
    'beside EKS Pod Identity',
    policyOf(statement(), {
      Effect: 'Allow',
      Principal: { Service: 'pods.eks.amazonaws.com' },
      Action: ['sts:AssumeRole', 'sts:TagSession'],
    }),
  ],
  [
    'beside another role',
    policyOf(
      { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 'sts:AssumeRole' },
      statement(),
    ),
  ],
  [
    'beside a CI service',
    policyOf(
      statement({
        Principal: { Federated: 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com' },
        Condition: {
          StringEquals: aud('sts.amazonaws.com', 'token.actions.githubusercontent.com'),
          StringLike: sub('repo:octo/app:*', 'token.actions.githubusercontent.com'),
        },
      }),
      statement(),
    ),
  ],
  [
    'beside SAML and Cognito',
    policyOf(
      {
        Effect: 'Allow',
        Principal: { Federated: 'arn:aws:iam::111122223333:saml-provider/x' },
        Action: 'sts:AssumeRoleWithSAML',
      },
      {
        Effect: 'Allow',
        Principal: { Federated: 'cognito-identity.amazonaws.com' },
        Action: 'sts:AssumeRoleWithWebIdentity',
      },
      statement(),
    ),
  ],
  [
    'of a subject in any capitals',
    withCondition({ StringEquals: AUD, StringEqualsIgnoreCase: sub('SYSTEM:ServiceAccount:Prod:API') }),
  ],
  [
    'of a namespace that is named behind a wildcard',
    withCondition({ StringEquals: AUD, StringLike: sub(['*:prod:api', 'system:*:prod:*']) }),
  ],
  [
    'with a variable in the subject',
    withCondition({ StringEquals: { ...AUD, ...sub([SUBJECT, `\${${NAME}:email, 'x'}`]) } }),
  ],
  [
    'with any actions that take a role',
    policyOf(
      statement({
        Action: ['sts:AssumeRoleWithWebIdentity', 'STS:setsourceidentity', 'sts:SetContext', 'sts:TagSession'],
      }),
    ),
  ],
  [
    'with an exception',
    withCondition({
      StringEquals: AUD,
      StringLike: sub('system:serviceaccount:prod:*'),
      StringNotEquals: sub('system:serviceaccount:prod:admin'),
    }),
  ],
  [
    'with a Deny for others',
    policyOf(
      statement(),
      statement({ Effect: 'Deny', Condition: { StringNotLike: sub('system:serviceaccount:prod:*') } }),
    ),
  ],
  [
    'with keys in other capitals',
    withCondition({ StringEquals: { [`${NAME.toUpperCase()}:AUD`]: 'sts.amazonaws.com', ...SUB } }),
  ],
  ['with a pattern of other actions', policyOf(statement({ Action: ['sts:AssumeRoleWithWebIdentity', 'sts:Tag*'] }))],
  ['with Sids', policyOf(statement({ Sid: '' }), statement({ Sid: '' }), statement({ Sid: 'A' }))],
  [
    'with a list for everything',
    policyOf(statement({ Principal: { Federated: [PROVIDER_ARN] }, Action: ['sts:assumerolewithwebidentity'] })),
  ],
  ['with a check that the subject is there', withCondition({ StringEquals: { ...AUD, ...SUB }, Null: sub('false') })],
];

/** What is planted, and everything that is found. */
const PLANTED: readonly (readonly [about: string, text: string, want: readonly string[]])[] = [
  [
    'every value of a claim that is not there',
    withCondition({ StringEquals: { ...AUD, ...SUB }, 'ForAllValues:StringLike': { [`${NAME}:amr`]: 'x' } }),
    ['allowed', 'warning rare-key', 'warning forallvalues'],
  ],
  [
    'a claim that is not there, if it exists',
    withCondition({ StringEquals: { ...AUD, ...SUB }, StringEqualsIfExists: { [`${NAME}:email`]: 'x' } }),
    ['allowed', 'warning rare-key', 'warning ifexists'],
  ],
  [
    'the opposite of a claim that is not there',
    withCondition({ StringEquals: { ...AUD, ...SUB }, StringNotEquals: { [`${NAME}:amr`]: 'x' } }),
    ['allowed', 'error negated-operator', 'warning rare-key'],
  ],
  [
    'a subject that is compared with itself',
    withCondition({ StringEquals: { ...AUD, ...sub(`\${${NAME}:Sub}`) } }),
    ['allowed', 'error wildcard-all-accounts'],
  ],
  [
    'a subject that is not itself',
    withCondition({ StringEquals: { ...AUD, ...SUB }, StringNotEquals: sub(`\${${NAME}:sub}`) }),
    ['denied'],
  ],
  [
    'a variable of an old version',
    withCondition({ StringEquals: { ...AUD, ...sub(`\${${NAME}:sub}`) } }).replace('2012', '2008'),
    ['denied', 'warning variables-need-version'],
  ],
  [
    'an operator for numbers',
    withCondition({ StringEquals: AUD, NumericEquals: sub(1) }),
    ['denied', 'error unsuitable-operator'],
  ],
  [
    'only the wrong action left out',
    policyOf(statement({ Action: undefined, NotAction: 'sts:AssumeRoleWithWebIdentity' })),
    ['denied', 'error not-action'],
  ],
  [
    'a Deny of names with a wildcard that is none',
    policyOf(
      statement(),
      statement({ Effect: 'Deny', Condition: { StringEquals: sub('system:serviceaccount:evil:*') } }),
    ),
    ['allowed', 'error stringequals-with-wildcard'],
  ],
  [
    'a Deny of a key that never is',
    policyOf(
      statement(),
      statement({ Effect: 'Deny', Condition: { StringEquals: { [`https://${NAME}:sub`]: SUBJECT } } }),
      statement({
        Effect: 'Deny',
        Principal: '*',
        Condition: { StringEquals: { [`${OTHER}:sub`]: SUBJECT, [`arn:aws:iam::1:oidc-provider/${NAME}:sub`]: 'x' } },
      }),
      statement({ Effect: 'Deny', Condition: { StringEquals: { [`${OTHER}:sub`]: SUBJECT, 'aws:SourceVpc': 'x' } } }),
    ),
    ['allowed', 'error https-in-key', 'error arn-in-key', 'error key-for-other-provider'],
  ],
  ['no subject', withCondition({ StringEquals: AUD }), ['allowed', 'error no-sub-condition']],
  [
    'only that there is a subject',
    withCondition({ StringEquals: AUD, Null: sub('false') }),
    ['allowed', 'error no-sub-condition'],
  ],
  ['no audience', withCondition({ StringEquals: SUB }), ['allowed', 'warning no-aud-condition']],
  [
    'no condition',
    policyOf(statement({ Condition: undefined })),
    ['allowed', 'error no-sub-condition', 'warning no-aud-condition'],
  ],
  [
    'any subject',
    withCondition({ StringEquals: AUD, StringLike: sub('*') }),
    ['allowed', 'error wildcard-all-accounts'],
  ],
  [
    'any account',
    withCondition({ StringEquals: AUD, StringLike: sub('system:serviceaccount:*') }),
    ['allowed', 'error wildcard-all-accounts'],
  ],
  [
    'any account of any namespace',
    withCondition({ StringEquals: AUD, StringLike: sub('system:serviceaccount:*:*') }),
    ['allowed', 'error wildcard-all-accounts'],
  ],
  [
    'any namespace',
    withCondition({ StringEquals: AUD, StringLike: sub('system:serviceaccount:*:api') }),
    ['allowed', 'warning unanchored-namespace-wildcard'],
  ],
  [
    'an open namespace',
    withCondition({ StringEquals: AUD, StringLike: sub('system:serviceaccount:pr*:api') }),
    ['allowed', 'warning unanchored-namespace-wildcard'],
  ],
  [
    'an open beginning',
    withCondition({ StringEquals: AUD, StringLike: sub('*:api') }),
    ['allowed', 'warning unanchored-namespace-wildcard'],
  ],
  [
    'StringEquals with a wildcard',
    withCondition({ StringEquals: { ...AUD, ...sub('system:serviceaccount:prod:*') } }),
    ['denied', 'error stringequals-with-wildcard'],
  ],
  [
    'ForAllValues',
    withCondition({ StringEquals: AUD, 'ForAllValues:StringEquals': SUB }),
    ['allowed', 'error forallvalues'],
  ],
  [
    'ForAllValues of the audience',
    withCondition({ StringEquals: SUB, 'ForAllValues:StringLike': AUD }),
    ['allowed', 'warning forallvalues'],
  ],
  ['IfExists', withCondition({ StringEquals: AUD, StringLikeIfExists: SUB }), ['allowed', 'error ifexists']],
  [
    'a negated operator',
    withCondition({ StringEquals: AUD, StringNotEquals: sub('system:serviceaccount:prod:web') }),
    ['allowed', 'error negated-operator'],
  ],
  ['another action', policyOf(statement({ Action: 'sts:AssumeRole' })), ['denied', 'error wrong-action']],
  ['every action', policyOf(statement({ Action: 'sts:*' })), ['allowed', 'warning overbroad-action']],
  [
    'https:// in the keys',
    withCondition({ StringEquals: { ...AUD, ...sub(SUBJECT, ISSUER) } }),
    ['denied', 'error https-in-key'],
  ],
  [
    'an ARN in the key',
    withCondition({ StringEquals: { ...AUD, ...sub(SUBJECT, PROVIDER_ARN) } }),
    ['denied', 'error arn-in-key'],
  ],
  [
    'a slash in the key',
    withCondition({ StringEquals: { ...AUD, ...sub(SUBJECT, `${NAME}/`) } }),
    ['denied', 'error trailing-slash'],
  ],
  [
    'a slash in the provider',
    policyOf(statement({ Principal: { Federated: `${PROVIDER_ARN}/` } })),
    ['denied', 'error trailing-slash'],
  ],
  [
    'keys of another provider',
    withCondition({ StringEquals: { ...AUD, ...sub(SUBJECT, OTHER) } }),
    ['denied', 'error key-for-other-provider'],
  ],
  [
    'keys of two providers in one statement',
    policyOf(
      statement({
        Principal: { Federated: [PROVIDER_ARN, OTHER_ARN] },
        Condition: { StringEquals: { ...AUD, ...SUB, ...sub(SUBJECT, OTHER) } },
      }),
    ),
    ['denied', 'error key-for-other-provider'],
  ],
  [
    'a claim that is no key',
    withCondition({ StringEquals: { ...AUD, ...SUB, [`${NAME}:namespace`]: 'prod' } }),
    ['denied', 'error unknown-key-suffix'],
  ],
  [
    'a key without a claim',
    withCondition({ StringEquals: { ...AUD, ...SUB, [NAME]: 'prod' } }),
    ['denied', 'error unknown-key-suffix'],
  ],
  [
    'a key that these tokens lack',
    withCondition({ StringEquals: { ...AUD, ...SUB, [`${NAME}:email`]: 'a@b' } }),
    ['denied', 'warning rare-key'],
  ],
  [
    'a short subject',
    withCondition({ StringEquals: { ...AUD, ...sub('prod:api') } }),
    ['denied', 'error sub-without-prefix'],
  ],
  [
    'a short pattern',
    withCondition({ StringEquals: AUD, StringLike: sub('prod:*') }),
    ['denied', 'error sub-without-prefix'],
  ],
  [
    'a plural',
    withCondition({ StringEquals: { ...AUD, ...sub('system:serviceaccounts:prod:api') } }),
    ['denied', 'error sub-without-prefix'],
  ],
  [
    'a slash in the subject',
    withCondition({ StringEquals: { ...AUD, ...sub('system:serviceaccount:prod/api') } }),
    ['denied', 'error sub-malformed'],
  ],
  [
    'name before namespace',
    withCondition({ StringEquals: { ...AUD, ...sub('system:serviceaccount:api:prod') } }),
    ['denied', 'error sub-swapped'],
  ],
  [
    'the subject as audience',
    withCondition({ StringEquals: { ...aud(SUBJECT), ...SUB } }),
    ['denied', 'error aud-is-subject'],
  ],
  [
    'another spelling of the audience',
    withCondition({ StringEquals: { ...aud('sts.amazon.com'), ...SUB } }),
    ['denied', 'warning unusual-audience'],
  ],
  [
    'any audience',
    withCondition({ StringEquals: SUB, StringLike: aud('*') }),
    ['allowed', 'warning wildcard-audience'],
  ],
  [
    'an exact name and a pattern',
    withCondition({ StringEquals: { ...AUD, ...SUB }, StringLike: sub('system:serviceaccount:web:*') }),
    ['denied', 'warning sub-in-two-operators'],
  ],
  ['an operator for ARNs', withCondition({ StringEquals: AUD, ArnLike: SUB }), ['denied', 'error unsuitable-operator']],
  ['no value', withCondition({ StringEquals: { ...AUD, ...sub([]) } }), ['cannot-decide', 'error empty-values']],
  [
    'ForAllValues on a key that STS never has',
    withCondition({ StringEquals: { ...AUD, ...SUB }, 'ForAllValues:StringEquals': { [`${NAME}:subject`]: 'x' } }),
    ['allowed', 'error unknown-key-suffix', 'error forallvalues'],
  ],
  [
    'IfExists on a key that STS never has',
    withCondition({ StringEquals: { ...AUD, ...SUB }, StringEqualsIfExists: { [`${NAME}:subject`]: 'x' } }),
    ['allowed', 'error unknown-key-suffix', 'error ifexists'],
  ],
  [
    'a condition on the request',
    withCondition({ StringEquals: { ...AUD, ...SUB, 'aws:SourceVpc': 'vpc-1' } }),
    ['cannot-decide', 'info request-condition'],
  ],
  [
    'the URL as provider',
    policyOf(statement({ Principal: { Federated: ISSUER } })),
    ['denied', 'error federated-is-url'],
  ],
  [
    'host and path as provider',
    policyOf(statement({ Principal: { Federated: NAME } })),
    ['denied', 'error federated-is-url'],
  ],
  [
    'https:// in the ARN',
    policyOf(statement({ Principal: { Federated: PROVIDER_ARN.replace('/', '/https://') } })),
    ['denied', 'error federated-is-url'],
  ],
  [
    'an ARN of something else',
    policyOf(statement({ Principal: { Federated: 'arn:aws:iam::111122223333:role/app' } })),
    ['denied', 'error federated-not-a-provider'],
  ],
  [
    'another partition',
    policyOf(statement({ Principal: { Federated: PROVIDER_ARN.replace('aws', 'aws-cn') } })),
    ['denied', 'error wrong-partition'],
  ],
  [
    'another account',
    policyOf(statement({ Principal: { Federated: PROVIDER_ARN.replace('1111', '4444') } })),
    ['denied', 'error federated-other-account'],
  ],
  [
    'another cluster',
    policyOf(statement({ Principal: { Federated: OTHER_ARN } })),
    ['denied', 'error federated-other-provider'],
  ],
  [
    'a host in the wrong order',
    policyOf(statement({ Principal: { Federated: PROVIDER_ARN.replace('oidc.eks.eu-west-1', 'oidc.eu-west-1.eks') } })),
    ['denied', 'error federated-other-provider', 'warning eks-host-order'],
  ],
  ['everyone', policyOf(statement({ Principal: '*' })), ['allowed', 'error wildcard-principal']],
  ['everyone of AWS', policyOf(statement({ Principal: { AWS: '*' } })), ['allowed', 'error wildcard-principal']],
  [
    'everyone for another action',
    policyOf(statement(), { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }),
    ['allowed', 'error wildcard-principal'],
  ],
  [
    'every provider',
    policyOf(statement({ Principal: { Federated: '*' } })),
    ['cannot-decide', 'error wildcard-principal'],
  ],
  [
    'a pattern of providers',
    policyOf(statement({ Principal: { Federated: 'arn:aws:iam::111122223333:oidc-provider/*' } })),
    ['denied', 'error wildcard-principal'],
  ],
  [
    'a service',
    policyOf(statement({ Principal: { Service: 'pods.eks.amazonaws.com' } })),
    ['denied', 'error service-principal-instead'],
  ],
  [
    'another service',
    policyOf(statement({ Principal: { Service: ['ec2.amazonaws.com'] } })),
    ['denied', 'error service-principal-instead'],
  ],
  [
    'an account',
    policyOf(statement({ Principal: { AWS: 'arn:aws:iam::111122223333:root' } })),
    ['denied', 'error aws-principal-instead'],
  ],
  ['a Deny', policyOf(statement(), statement({ Effect: 'Deny' })), ['denied', 'error deny-statement']],
  [
    'a Deny that may hold',
    policyOf(statement(), statement({ Effect: 'Deny', Condition: { StringNotEquals: { 'aws:SourceVpc': 'vpc-1' } } })),
    ['cannot-decide', 'warning deny-statement'],
  ],
  [
    'NotAction',
    policyOf(statement({ Action: undefined, NotAction: 'sts:AssumeRole' })),
    ['allowed', 'error not-action'],
  ],
  [
    'NotAction in a Deny',
    policyOf(statement(), statement({ Effect: 'Deny', Action: undefined, NotAction: 'sts:Assume*' })),
    ['allowed', 'warning not-action'],
  ],
  ['no version', JSON.stringify({ Statement: [statement()] }), ['allowed', 'warning missing-version']],
  [
    'variables of an old version',
    JSON.stringify({
      Version: '2008-10-17',
      Statement: statement({
        Condition: { StringEquals: { ...AUD, ...sub('system:serviceaccount:prod:${aws:username}') } },
      }),
    }),
    ['denied', 'warning variables-need-version'],
  ],
  [
    'more than the quota',
    withCondition({
      StringEquals: {
        ...AUD,
        ...sub([SUBJECT, ...Array.from({ length: 60 }, (_, at) => `system:serviceaccount:prod:app-${at}`)]),
      },
    }),
    ['allowed', 'warning too-long'],
  ],
  [
    'more than the raised quota',
    withCondition({
      StringEquals: {
        ...AUD,
        ...sub([SUBJECT, ...Array.from({ length: 160 }, (_, at) => `system:serviceaccount:prod:app-${at}`)]),
      },
    }),
    ['allowed', 'error too-long'],
  ],
];

/** IAM refuses to store these. */
const REFUSED: readonly (readonly [about: string, text: string, want: readonly string[]])[] = [
  ['no JSON', '{"Version": ', ['invalid-json']],
  ['no object', '[]', ['invalid-json']],
  ['what nobody can read', `${'['.repeat(5000)}${']'.repeat(5000)}`, ['invalid-json']],
  ['a mistyped action', policyOf(statement({ Action: ['sts:AssumeRoleWithWebIdendity'] })), ['wrong-action']],
  [
    'actions of another service',
    policyOf(statement({ Action: ['sts:AssumeRoleWithWebIdentity', 's3:GetObject', 'iam:*', ''] })),
    ['wrong-action', 'wrong-action', 'wrong-action'],
  ],
  [
    'Sids of more than letters and digits',
    policyOf(statement({ Sid: 'irsa_role' }), statement({ Sid: 'a b' }), statement({ Sid: 1 })),
    ['bad-sid', 'bad-sid', 'bad-sid'],
  ],
  [
    'NotPrincipal',
    policyOf(statement({ Principal: undefined, NotPrincipal: { Federated: OTHER_ARN } })),
    ['not-principal'],
  ],
  [
    'NotPrincipal in a Deny',
    policyOf(
      statement(),
      statement({ Effect: 'Deny', Principal: undefined, NotPrincipal: { Federated: PROVIDER_ARN } }),
    ),
    ['not-principal'],
  ],
  [
    'a dash that is no hyphen',
    withCondition({ StringEquals: { ...AUD, [`${NAME}:sub`]: 'system:serviceaccount:prod:a–b' } }),
    ['bad-character', 'sub-malformed'],
  ],
  ['a number for an Id', JSON.stringify({ Version: '2012-10-17', Id: 1, Statement: statement() }), ['bad-id']],
  [
    'a key that stands twice',
    policyOf(statement()).replace('"Effect"', '"Effect":"Deny","Effect"'),
    ['duplicate-keys'],
  ],
  [
    'an operator that stands twice',
    withCondition({ StringEquals: AUD, x: SUB }).replace('"x"', '"StringEquals"'),
    ['duplicate-keys'],
  ],
  [
    'a key that stands twice in other capitals',
    withCondition({ StringEquals: { ...AUD, ...SUB, [`${NAME}:SUB`]: SUBJECT } }),
    ['duplicate-keys'],
  ],
  ['a Sid that stands twice', policyOf(statement({ Sid: 'A' }), statement({ Sid: 'A' })), ['duplicate-sid']],
  [
    'a comment for an operator',
    withCondition({ StringEquals: { ...AUD, ...SUB }, __doc_comment: 'optional' }),
    ['unknown-operator'],
  ],
  ['an operator in other capitals', withCondition({ stringEquals: { ...AUD, ...SUB } }), ['unknown-operator']],
  ['Null with IfExists', withCondition({ NullIfExists: SUB }), ['unknown-operator']],
  ['a resource', policyOf(statement({ Resource: '*' })), ['resource-in-trust-policy']],
  ['an element of its own', policyOf(statement({ Comment: 'x' })), ['unknown-element']],
  [
    'an element of its own at the top',
    JSON.stringify({ Version: '2012-10-17', Comment: 'x', Statement: [statement()] }),
    ['unknown-element'],
  ],
  ['another version', JSON.stringify({ Version: '2012-10-18', Statement: [statement()] }), ['bad-version']],
  ['no statement', JSON.stringify({ Version: '2012-10-17' }), ['empty-statement']],
  ['an empty statement', JSON.stringify({ Version: '2012-10-17', Statement: [] }), ['empty-statement']],
  ['a statement that is none', JSON.stringify({ Version: '2012-10-17', Statement: ['x'] }), ['bad-statement']],
  ['no effect', policyOf(statement({ Effect: undefined })), ['missing-effect']],
  ['an effect in other capitals', policyOf(statement({ Effect: 'allow' })), ['bad-effect']],
  ['no principal', policyOf(statement({ Principal: undefined })), ['missing-principal']],
  ['two principals', policyOf(statement({ NotPrincipal: '*' })), ['exclusive-elements']],
  ['a bare principal', policyOf(statement({ Principal: PROVIDER_ARN })), ['bad-principal']],
  ['an empty principal', policyOf(statement({ Principal: {} })), ['bad-principal']],
  ['an unknown kind of principal', policyOf(statement({ Principal: { federated: PROVIDER_ARN } })), ['bad-principal']],
  ['a principal of a number', policyOf(statement({ Principal: { Federated: [1] } })), ['bad-principal']],
  ['no action', policyOf(statement({ Action: undefined })), ['missing-action']],
  ['an empty action', policyOf(statement({ Action: [] })), ['bad-action']],
  ['a condition of text', policyOf(statement({ Condition: 'x' })), ['bad-condition']],
  ['an operator of text', withCondition({ StringEquals: 'x' }), ['bad-condition']],
  ['a value of an object', withCondition({ StringEquals: { ...AUD, ...sub({}) } }), ['bad-condition']],
  ['a value of nothing', withCondition({ StringEquals: { ...AUD, ...sub(null) } }), ['bad-condition']],
];

describe('a healthy trust policy', () => {
  it.each(HEALTHY)('%s allows and has no finding', (_, text) => {
    expect(rulesOf(decide(text))).toEqual(['allowed']);
  });

  it('has one finding where the provider is not known', () => {
    const decision = evaluateTrustPolicy({
      policy: parseTrustPolicy(policyOf(statement())),
      roleArn: ROLE,
      claims: claimsOfServiceAccount({ namespace: 'prod', name: 'api', issuer: ISSUER, audience: 'sts.amazonaws.com' }),
      nowSeconds: NOW,
    });
    expect(rulesOf(decision)).toEqual(['allowed', 'info provider-not-checked']);
  });
});

describe('a trust policy', () => {
  it.each(PLANTED)('with %s is found out', (_, text, want) => {
    expect(rulesOf(decide(text))).toEqual(want);
  });

  it.each(REFUSED)('with %s is refused by IAM', (_, text, want) => {
    const decision = decide(text);
    expect(rulesOf(decision)).toEqual(['invalid-policy', ...want.map((rule) => `error ${rule}`)]);
    expect([decision.stsError, decision.reason]).toEqual([
      null,
      `IAM refuses the policy: ${decision.findings[0]?.message}`,
    ]);
  });

  it('must have the slash that the issuer ends in', () => {
    const claims = claimsOfServiceAccount({
      namespace: 'prod',
      name: 'api',
      issuer: `${ISSUER}/`,
      audience: 'sts.amazonaws.com',
    });
    const { findings } = decide(policyOf(statement()), {
      claims,
      provider: { ...PROVIDER, arn: `${PROVIDER_ARN}/`, url: `${NAME}/` },
    });
    expect(findings.map(({ message }) => message)).toEqual([
      `Statement[0].Principal.Federated does not end in a slash, other than the issuer; write …oidc-provider/${NAME}/`,
      ...['aud', 'sub'].map(
        (suffix) =>
          `Statement[0].Condition.StringEquals["${NAME}:${suffix}"] differs from the provider by a slash at the end; write ${NAME}/:${suffix}`,
      ),
    ]);
  });

  it('is judged without provider and issuer', () => {
    const claims = claimsFrom({ sub: SUBJECT, aud: 'sts.amazonaws.com' });
    if (claims === undefined) throw new Error('want an object');
    const policy = parseTrustPolicy(policyOf(statement()));
    expect(rulesOf(evaluateTrustPolicy({ policy, roleArn: ROLE, claims, nowSeconds: NOW }))).toEqual([
      'denied',
      'error missing-claim',
      'info provider-not-checked',
    ]);
  });

  it('is judged as well as can be where the token names no issuer', () => {
    const claims = claimsFrom({ sub: SUBJECT, aud: 'sts.amazonaws.com' });
    const text = policyOf(statement({ Principal: { Federated: `${PROVIDER_ARN}/` } }), statement({ Principal: '*' }));
    expect(claims && rulesOf(decide(text, { claims }))).toEqual([
      'denied',
      'error missing-claim',
      'error trailing-slash',
      'error trailing-slash',
      'error trailing-slash',
      'error wildcard-principal',
    ]);
  });
});
