// The agent itself: it gives credentials for a pod's token and an association, and refuses everything else in its own words.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'node:http';
import { ownField } from '../../src/admission/json.ts';
import { startAgent } from './agent.ts';
import type { Agent } from './agent.ts';
import { publishIssuer } from './sts-issuer.ts';
import type { PublishedIssuer } from './sts-issuer.ts';
import { createSessions } from './sts-sessions.ts';
import { createSigner } from './sts-signer.ts';

const issuer = 'https://oidc.example.com/clusters/shop';
const nowSeconds = Date.UTC(2030, 0, 1) / 1000;
const now = (): number => nowSeconds * 1000;
const signer = createSigner('RS256');
const claims = {
  iss: issuer,
  sub: 'system:serviceaccount:shop:associated',
  aud: ['pods.eks.amazonaws.com'],
  iat: nowSeconds,
  exp: nowSeconds + 600,
  'kubernetes.io': { namespace: 'shop', pod: { name: 'associated-pod' } },
};

let published: PublishedIssuer;
let agent: Agent;

beforeAll(async () => {
  published = await publishIssuer({ issuer, keySet: { keys: [signer.jwk] } });
  const associations = { 'shop/associated': 'arn:aws:iam::111122223333:role/associated' };
  const sessions = createSessions({ now });
  agent = await startAgent({ associations, issuer, fetchPage: published.fetchPage, sessions, now });
});

afterAll(async () => {
  await agent.close();
  await published.close();
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function asked(headers: Readonly<Record<string, string>>): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(agent.url, { headers, agent: false }, (incoming) => {
    let text = '';
    incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
  });
  outgoing.on('error', reject);
  outgoing.end();
  return promise;
}

test('gives credentials for six hours to the pod of an associated account', async () => {
  const { status, text } = await asked({ Authorization: await signer.sign(claims) });
  expect({ status, body: JSON.parse(text) as unknown }).toEqual({
    status: 200,
    body: {
      AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
      SecretAccessKey: expect.stringMatching(/^[\w+/]{40}$/),
      Token: expect.stringMatching(/^[\w+/]{320}$/),
      AccountId: '111122223333',
      Expiration: '2030-01-01T06:00:00.000Z',
    },
  });
  expect(agent.calls().at(-1)).toBe('system:serviceaccount:shop:associated');
});

const parsed = 'Service account token cannot be parsed: ';
test.each<[what: string, change: object, wanted: Answer]>([
  ['another audience', { aud: ['sts.amazonaws.com'] }, { status: 400, text: `${parsed}Incorrect token audience` }],
  [
    'an end that has come',
    { exp: nowSeconds },
    {
      status: 400,
      text: `${parsed}Token expired: current date/time ${nowSeconds} must be before the expiration date/time ${nowSeconds}`,
    },
  ],
  [
    'an account without an association',
    { sub: 'system:serviceaccount:shop:constructor' },
    { status: 404, text: 'No association for shop/constructor' },
  ],
])('refuses a token with %s', async (_what, change, wanted) => {
  expect(await asked({ Authorization: await signer.sign({ ...claims, ...change }) })).toEqual(wanted);
});

test('refuses a token of a key that is not published', async () => {
  const { status, text } = await asked({ Authorization: await createSigner('RS256').sign(claims) });
  expect(status).toBe(400);
  expect(text.startsWith(`${parsed}Couldn't retrieve verification key`)).toBe(true);
});

test('wants the token raw', async () => {
  const token = await signer.sign(claims);
  expect(ownField(await asked({ Authorization: `Bearer ${token}` }), 'status')).toBe(400);
});

test('refuses a request without a token, and one that came by another address', async () => {
  expect(await asked({})).toEqual({ status: 400, text: 'Service account token cannot be empty' });
  expect(await asked({ Host: 'proxy.example.com' })).toEqual({
    status: 403,
    text: 'Access Denied. Called agent through invalid address proxy.example.com',
  });
});
