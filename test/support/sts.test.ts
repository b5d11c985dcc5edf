// The strict STS itself: it takes what AWS takes, and refuses everything else in AWS' words. Were it lenient, the tests that
// use it would prove nothing.
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { ownString } from '../../src/admission/json.ts';
import { STS_STATUS } from './sts-answers.ts';
import { claimsFrom } from '../../src/aws/token.ts';
import { evaluateTrustPolicy, parseTrustPolicy } from '../../src/aws/trust-policy.ts';
import { startSts } from './sts.ts';
import type { Role, Sts } from './sts.ts';
import { discoveryOf, documentPaths, publishIssuer } from './sts-issuer.ts';
import type { PublishedIssuer } from './sts-issuer.ts';
import { createSigner } from './sts-signer.ts';
import type { Algorithm } from './sts-signer.ts';

const issuer = 'https://oidc.example.com/clusters/shop';
const name = issuer.slice('https://'.length);
const roleArn = 'arn:aws:iam::111122223333:role/team/checkout';
const providerArn = `arn:aws:iam::111122223333:oidc-provider/${name}`;
const nowMs = Date.UTC(2030, 0, 1);
const nowSeconds = nowMs / 1000;
const signer = createSigner('RS256');
const paths = documentPaths(issuer);

const policy = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Federated: providerArn },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: {
        StringEquals: { [`${name}:aud`]: 'sts.amazonaws.com', [`${name}:sub`]: 'system:serviceaccount:shop:checkout' },
      },
    },
  ],
};

const claims = {
  iss: issuer,
  sub: 'system:serviceaccount:shop:checkout',
  aud: ['sts.amazonaws.com'],
  iat: nowSeconds,
  nbf: nowSeconds,
  exp: nowSeconds + 600,
};

let published: PublishedIssuer;
let sts: Sts;
const roles: Role[] = [];
const clock = { ms: nowMs };

beforeAll(async () => {
  published = await publishIssuer({ issuer, keySet: { keys: [signer.jwk] } });
  const providers = [{ arn: providerArn, url: issuer, clientIds: ['sts.amazonaws.com'] }];
  sts = await startSts({ providers, roles, fetchPage: published.fetchPage, now: () => clock.ms });
});

beforeEach(() => {
  roles.splice(0, roles.length, { arn: roleArn, trustPolicy: policy });
  published.publish({ [paths.discovery]: discoveryOf(issuer), [paths.keys]: { keys: [signer.jwk] } });
  clock.ms = nowMs;
});

afterAll(async () => {
  await sts.close();
  await published.close();
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function posted(form: Readonly<Record<string, string>>): Promise<Answer> {
  const response = await fetch(sts.url, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, text: await response.text() };
}

/** With parameters that are good but for the changed ones; one that is '-' is left out. */
async function assume(token: string, change: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const form = {
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: roleArn,
    RoleSessionName: 'checkout-7d9f',
    WebIdentityToken: token,
    ...change,
  };
  return posted(Object.fromEntries(Object.entries(form).filter(([, value]) => value !== '-')));
}

/** `status code: message`, or the whole answer where it is no refusal. */
function verdict({ status, text }: Answer): string {
  const match = /<Code>(.*)<\/Code>\n    <Message>(.*)<\/Message>/.exec(text);
  return match === null ? `${status} ${text}` : `${status} ${match[1] ?? ''}: ${match[2] ?? ''}`;
}

const noKey =
  "400 InvalidIdentityToken: Couldn't retrieve verification key from your identity provider, please reference " +
  'AssumeRoleWithWebIdentity documentation for requirements';
const notValidated = '400 InvalidIdentityToken: The web identity token provided could not be validated';
const notAJwt =
  '400 InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)';
const accessDenied = '403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity';
const incorrectAudience = '400 InvalidIdentityToken: Incorrect token audience';

/** What users are told that STS would answer. */
function foretold(given: object): string {
  const tokenOfUser = claimsFrom(given);
  if (tokenOfUser === undefined) throw new Error('Claims are an object.');
  const { stsError } = evaluateTrustPolicy({
    policy: parseTrustPolicy(JSON.stringify(policy)),
    roleArn,
    claims: tokenOfUser,
    provider: { arn: providerArn, url: issuer, clientIds: ['sts.amazonaws.com'] },
    nowSeconds,
    timesRequired: true,
  });
  return stsError === null ? 'no refusal' : `${STS_STATUS[stsError.code]} ${stsError.code}: ${stsError.message}`;
}

function fieldsOf({ text }: Answer): Record<string, string> {
  const leaves = [...text.matchAll(/<(\w+)>([^<\n]*)<\/\1>/g)];
  return Object.fromEntries(leaves.map(([, field = '', value = '']) => [field, value]));
}

test('gives credentials for a token that everything speaks for, in the XML of AWS', async () => {
  const answer = await assume(await signer.sign(claims));
  expect({ status: answer.status, ...fieldsOf(answer) }).toEqual({
    status: 200,
    Audience: 'sts.amazonaws.com',
    AssumedRoleId: expect.stringMatching(/^AROA[A-Z2-7]{16}:checkout-7d9f$/),
    Arn: 'arn:aws:sts::111122223333:assumed-role/checkout/checkout-7d9f',
    Provider: providerArn,
    AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
    SecretAccessKey: expect.stringMatching(/^[\w+/]{40}$/),
    SessionToken: expect.stringMatching(/^[\w+/]{320}$/),
    Expiration: '2030-01-01T01:00:00Z',
    SubjectFromWebIdentityToken: 'system:serviceaccount:shop:checkout',
    RequestId: expect.stringMatching(/^[\da-f-]{36}$/),
  });
  expect(sts.calls().at(-1)).toEqual({
    action: 'AssumeRoleWithWebIdentity',
    roleArn,
    sessionName: 'checkout-7d9f',
    outcome: 'ok',
  });
});

const taken: Algorithm[] = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
test.each(taken)('takes %s', async (algorithm) => {
  const other = createSigner(algorithm);
  published.publish({ [paths.keys]: { keys: [signer.jwk, other.jwk] } });
  expect((await assume(await other.sign(claims))).status).toBe(200);
});

const notTaken: Algorithm[] = ['PS256', 'EdDSA'];
test.each(notTaken)('refuses %s, although the key is published', async (algorithm) => {
  const other = createSigner(algorithm);
  published.publish({ [paths.keys]: { keys: [other.jwk] } });
  expect(verdict(await assume(await other.sign(claims)))).toBe(notValidated);
});

describe('refuses parameters', () => {
  const detected = '400 ValidationError: 1 validation error detected: Value ';
  const pattern = 'satisfy regular expression pattern: [\\w+=,.@-]*';
  test.each<[what: string, change: Record<string, string>, wanted: string]>([
    ['no role', { RoleArn: '-' }, `${detected}null at 'roleArn' failed to satisfy constraint: Member must not be null`],
    [
      'an ARN of no role',
      { RoleArn: 'arn:aws:iam::111122223333:user/x' },
      '400 ValidationError: Request ARN is invalid',
    ],
    [
      'a session name of a character',
      { RoleSessionName: 'x' },
      `${detected}'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2`,
    ],
    [
      'a session name of 65 characters',
      { RoleSessionName: 'x'.repeat(65) },
      `${detected}'${'x'.repeat(65)}' at 'roleSessionName' failed to satisfy constraint: ` +
        'Member must have length less than or equal to 64',
    ],
    [
      'a session name with a blank',
      { RoleSessionName: 'x y' },
      `${detected}'x y' at 'roleSessionName' failed to satisfy constraint: Member must ${pattern}`,
    ],
    [
      'a token of 20,001 characters',
      { WebIdentityToken: 'x'.repeat(20_001) },
      `${detected}'***' at 'webIdentityToken' failed to satisfy constraint: Member must have length less than or equal to 20000`,
    ],
    [
      'a session of 899 s',
      { DurationSeconds: '899' },
      `${detected}'899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900`,
    ],
    [
      'a session that is longer than the role allows',
      { DurationSeconds: '3601' },
      '400 ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    ],
    [
      'another version',
      { Version: '2010-01-01' },
      '400 InvalidAction: Could not find operation AssumeRoleWithWebIdentity for version 2010-01-01',
    ],
    [
      'another action',
      { Action: 'AssumeRole' },
      '400 InvalidAction: Could not find operation AssumeRole for version 2011-06-15',
    ],
  ])('%s', async (_what, change, wanted) => {
    expect(verdict(await assume(await signer.sign(claims), change))).toBe(wanted);
  });
});

describe('refuses a token', () => {
  const without = (claim: string): object =>
    Object.fromEntries(Object.entries(claims).filter(([key]) => key !== claim));
  test.each<[what: string, claims: object, wanted: string]>([
    ['without an audience', without('aud'), '400 InvalidIdentityToken: Missing a required claim: aud'],
    ['without a time of issue', without('iat'), '400 InvalidIdentityToken: Missing a required claim: iat'],
    ['without an end', without('exp'), '400 InvalidIdentityToken: Missing a required claim: exp'],
    ['whose end is no integer', { ...claims, exp: nowSeconds + 600.5 }, notValidated],
    [
      'of another issuer',
      { ...claims, iss: 'https://oidc.example.com/clusters/other' },
      '400 InvalidIdentityToken: No OpenIDConnect provider found in your account for https://oidc.example.com/clusters/other',
    ],
    [
      'of the issuer with a slash',
      { ...claims, iss: `${issuer}/` },
      `400 InvalidIdentityToken: No OpenIDConnect provider found in your account for ${issuer}/`,
    ],
    ['for another audience', { ...claims, aud: ['sts.amazonaws.com.cn'] }, incorrectAudience],
    ['of the future', { ...claims, iat: nowSeconds + 301 }, notValidated],
    ['that counts later', { ...claims, nbf: nowSeconds + 301 }, notValidated],
    ['of six days', { ...claims, iat: nowSeconds - 518_400 }, '400 ExpiredTokenException: Token too old: 518400'],
    ['of another account', { ...claims, sub: 'system:serviceaccount:shop:other' }, accessDenied],
  ])('%s, as is foretold', async (_what, given, wanted) => {
    expect(verdict(await assume(await signer.sign({ ...given })))).toBe(wanted);
    expect(foretold(given)).toBe(wanted);
  });

  // AWS does not say what it does with them, so nothing is foretold: users are warned.
  test('for two audiences', async () => {
    const token = await signer.sign({ ...claims, aud: ['sts.amazonaws.com', 'other'] });
    expect(verdict(await assume(token))).toBe(incorrectAudience);
  });

  test('that has expired, from the second on', async () => {
    const token = await signer.sign(claims);
    clock.ms = nowMs + 599_999;
    expect((await assume(token)).status).toBe(200);
    clock.ms = nowMs + 600_000;
    const end = nowSeconds + 600;
    expect(verdict(await assume(token))).toBe(
      `400 ExpiredTokenException: Token expired: current date/time ${end} must be before the expiration date/time ${end}`,
    );
  });

  test.each(['not a token', 'a.b.c', '{"iss":"x"}'])('that is %j', async (token) => {
    expect(verdict(await assume(token))).toBe(notAJwt);
  });

  test('with a line of a log before it, or a line end behind it', async () => {
    const token = await signer.sign(claims);
    expect(verdict(await assume(`rotated the token\n${token}`))).toBe(notAJwt);
    expect(verdict(await assume(`${token}\n`))).toBe(notAJwt);
  });

  test('whose signature was changed', async () => {
    const [header = '', payload = ''] = (await signer.sign(claims)).split('.');
    const [, , signature = ''] = (await signer.sign({ ...claims, sub: 'other' })).split('.');
    expect(verdict(await assume(`${header}.${payload}.${signature}`))).toBe(notValidated);
  });

  test('that is not signed at all', async () => {
    const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const token = `${encoded({ alg: 'none', kid: signer.keyId })}.${encoded(claims)}.`;
    expect(verdict(await assume(token))).toBe(notValidated);
  });

  test('whose public key was taken for a shared secret', async () => {
    const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const text = `${encoded({ alg: 'HS256', kid: signer.keyId })}.${encoded(claims)}`;
    const signature = createHmac('sha256', JSON.stringify(signer.jwk)).update(text).digest('base64url');
    expect(verdict(await assume(`${text}.${signature}`))).toBe(notValidated);
  });

  test('that names its own keys', async () => {
    const other = createSigner('RS256');
    const token = await other.sign(claims, { jwk: other.jwk, jku: 'https://oidc.example.com/other' });
    const before = published.asked.length;
    expect(verdict(await assume(token))).toBe(noKey);
    expect(published.asked.slice(before)).toEqual([paths.discovery, paths.keys]);
  });

  test('whose key id belongs to another key', async () => {
    const other = createSigner('RS256');
    expect(verdict(await assume(await other.sign(claims, { kid: signer.keyId })))).toBe(notValidated);
  });
});

describe('refuses an issuer', () => {
  test.each<[what: string, documents: Record<string, unknown>, wanted: string]>([
    ['that does not publish the key', { [paths.keys]: { keys: [createSigner('RS256').jwk] } }, noKey],
    ['that publishes no key', { [paths.keys]: { keys: [] } }, noKey],
    ['that publishes 101 keys', { [paths.keys]: { keys: Array.from({ length: 101 }, () => signer.jwk) } }, noKey],
    ['whose keys may not be read', { [paths.keys]: undefined }, noKey],
    ['whose discovery document may not be read', { [paths.discovery]: undefined }, noKey],
    ['whose discovery document is no JSON', { [paths.discovery]: '<html>' }, noKey],
    ['that calls itself otherwise', { [paths.discovery]: discoveryOf(issuer, { issuer: `${issuer}/` }) }, noKey],
    [
      'whose keys are where nobody answers',
      { [paths.discovery]: discoveryOf(issuer, { jwks_uri: 'https://kubernetes.default.svc/openid/v1/jwks' }) },
      '400 IDPCommunicationError: IDPCommunicationError',
    ],
  ])('%s', async (_what, documents, wanted) => {
    published.publish(documents);
    expect(verdict(await assume(await signer.sign(claims)))).toBe(wanted);
  });

  test('whose certificate is of another name', async () => {
    const other = await publishIssuer({ issuer, keySet: { keys: [signer.jwk] }, certificateName: 'other.example.com' });
    const providers = [{ arn: providerArn, url: issuer, clientIds: ['sts.amazonaws.com'] }];
    const strange = await startSts({ providers, roles, fetchPage: other.fetchPage, now: () => clock.ms });
    const body = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'checkout',
      WebIdentityToken: await signer.sign(claims),
    });
    const response = await fetch(strange.url, { method: 'POST', body });
    const answer = { status: response.status, text: await response.text() };
    await strange.close();
    await other.close();
    expect(verdict(answer)).toBe(
      "400 InvalidIdentityToken: OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
    );
  });
});

describe('refuses by IAM', () => {
  test('a role that does not exist, in the words of a policy that does not match', async () => {
    const change = { RoleArn: 'arn:aws:iam::111122223333:role/checkout' };
    expect(verdict(await assume(await signer.sign(claims), change))).toBe(accessDenied);
  });

  test("a role of an account that has no provider, although another account's policy would match", async () => {
    const arn = 'arn:aws:iam::444455556666:role/checkout';
    roles.push({ arn, trustPolicy: policy });
    expect(verdict(await assume(await signer.sign(claims), { RoleArn: arn }))).toBe(
      `400 InvalidIdentityToken: No OpenIDConnect provider found in your account for ${issuer}`,
    );
  });

  test.each<[what: string, from: string, to: string]>([
    ['a pattern where only equal text counts', 'system:serviceaccount:shop:checkout', 'system:serviceaccount:shop:*'],
    ['another action', 'sts:AssumeRoleWithWebIdentity', 'sts:AssumeRole'],
    ['another provider', providerArn, `${providerArn}/`],
    ['keys with https://', `${name}:sub`, `${issuer}:sub`],
    ['a denial', '"Allow"', '"Deny"'],
    ['an operator that does not exist', 'StringEquals', 'StringResembles'],
  ])('%s in the trust policy', async (_what, from, to) => {
    roles.splice(0, 1, { arn: roleArn, trustPolicy: JSON.parse(JSON.stringify(policy).replace(from, to)) as unknown });
    expect(verdict(await assume(await signer.sign(claims)))).toBe(accessDenied);
  });
});

describe('GetCallerIdentity', () => {
  interface Keys {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
  }

  async function keys(): Promise<Keys> {
    const fields = fieldsOf(await assume(await signer.sign(claims)));
    return {
      accessKeyId: fields['AccessKeyId'] ?? '',
      secretAccessKey: fields['SecretAccessKey'] ?? '',
      sessionToken: fields['SessionToken'] ?? '',
    };
  }

  /** What the official SDK makes of the answer. */
  async function askedWith(credentials: Keys): Promise<unknown> {
    const client = new STSClient({ region: 'eu-west-1', endpoint: sts.url, credentials, maxAttempts: 1 });
    try {
      const { Arn, Account } = await client.send(new GetCallerIdentityCommand({}));
      return { Arn, Account };
    } catch (error) {
      return ownString(error, 'name');
    } finally {
      client.destroy();
    }
  }

  test('names the role to whoever signs with what was given', async () => {
    expect(await askedWith(await keys())).toEqual({
      Arn: 'arn:aws:sts::111122223333:assumed-role/checkout/checkout-7d9f',
      Account: '111122223333',
    });
    expect(sts.calls().at(-1)).toEqual({ action: 'GetCallerIdentity', region: 'eu-west-1', outcome: 'ok' });
  });

  test.each<[what: string, change: Partial<Keys>, wanted: string]>([
    ['another secret', { secretAccessKey: 'x'.repeat(40) }, 'SignatureDoesNotMatch'],
    ['another session token', { sessionToken: 'x' }, 'InvalidClientTokenId'],
    ['a key that was never given', { accessKeyId: 'ASIAXXXXXXXXXXXXXXXX' }, 'InvalidClientTokenId'],
  ])('refuses %s', async (_what, change, wanted) => {
    expect(await askedWith({ ...(await keys()), ...change })).toBe(wanted);
  });

  test('refuses credentials that have expired', async () => {
    const given = await keys();
    clock.ms += 3_600_000;
    expect(await askedWith(given)).toBe('ExpiredToken');
  });

  test('refuses a request without a signature', async () => {
    expect(verdict(await posted({ Action: 'GetCallerIdentity', Version: '2011-06-15' }))).toBe(
      '403 MissingAuthenticationToken: Request is missing Authentication Token',
    );
  });
});
