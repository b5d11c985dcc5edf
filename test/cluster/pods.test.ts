// What the API server stores for pods that it has shown to the running webhook: each of pods/*.yaml, whole. Then a dry
// run, the token that the stored volume asks for, the webhook's own rights, and its log.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import { startControlPlane } from './support/control-plane.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { roleArnsOf } from './support/objects.ts';
import { storedPod } from './support/stored.ts';
import { verifiedToken } from './support/token.ts';
import { logLines, startWebhook } from './support/webhook.ts';
import type { Webhook } from './support/webhook.ts';

interface Story {
  readonly about: string;
  readonly pod: unknown;
  readonly stored: unknown;
}

const directory = join(import.meta.dirname, 'pods');
const stories = readdirSync(directory).map((file): [name: string, story: Story] => {
  const story: unknown = parse(readFileSync(join(directory, file), 'utf8'));
  const about = ownString(story, 'about') ?? file;
  return [about, { about, pod: ownField(story, 'pod'), stored: ownField(story, 'stored') }];
});

let controlPlane: ControlPlane;
let webhook: Webhook;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  webhook = await startWebhook({ controlPlane, failurePolicy: 'Fail' });
  await controlPlane.kubectl(['apply', '-f', join(import.meta.dirname, 'manifests/shop.yaml')]);
});

afterAll(async () => controlPlane.stop());

describe('stores, whole,', () => {
  test.each(stories)('%s', async (_about, story) => {
    await controlPlane.kubectl(['create', '-f', '-'], JSON.stringify(story.pod));
    const name = ownString(ownField(story.pod, 'metadata'), 'name') ?? '';
    expect(await storedPod(controlPlane.kubectl, name)).toEqual(story.stored);
  });
});

test('shows the identity in a dry run, which stores nothing', async () => {
  const [, story] = stories.find(([, { pod }]) => ownString(ownField(pod, 'metadata'), 'name') === 'plain') ?? [];
  const manifest = JSON.stringify(story?.pod).replace('"name":"plain"', '"name":"dry"');
  const shown: unknown = parse(
    await controlPlane.kubectl(['apply', '--dry-run=server', '-o', 'yaml', '-f', '-'], manifest),
  );
  expect(roleArnsOf(shown)).toEqual(['arn:aws:iam::111122223333:role/checkout']);
  await expect(storedPod(controlPlane.kubectl, 'dry')).rejects.toMatchObject({
    message: 'Error from server (NotFound): pods "dry" not found',
  });
});

test('asks for a token that the published keys verify, for the right subject, audience and time', async () => {
  const { kubectl } = controlPlane;
  const stored: unknown = JSON.parse(await kubectl(['get', 'pod', 'plain', '-n', 'shop', '-o', 'json']));
  const account: unknown = JSON.parse(await kubectl(['get', 'serviceaccount', 'checkout', '-n', 'shop', '-o', 'json']));
  const volume = ownList(ownField(stored, 'spec'), 'volumes').find(
    (each) => ownField(each, 'name') === 'aws-iam-token',
  );
  const projection = ownField(ownList(ownField(volume, 'projected'), 'sources')[0], 'serviceAccountToken');
  const uid = ownString(ownField(stored, 'metadata'), 'uid') ?? '';
  // What the kubelet does for that volume (TokenRequest).
  const token = await kubectl([
    'create',
    'token',
    'checkout',
    '--namespace=shop',
    `--audience=${ownString(projection, 'audience') ?? ''}`,
    `--duration=${String(ownField(projection, 'expirationSeconds'))}s`,
    '--bound-object-kind=Pod',
    '--bound-object-name=plain',
    `--bound-object-uid=${uid}`,
  ]);
  const keySet: unknown = JSON.parse(await kubectl(['get', '--raw', '/openid/v1/jwks']));
  const { header, claims } = verifiedToken(token.trim(), keySet);
  const { iat, nbf, exp, jti, ...others } = claims;
  expect(header).toEqual({ alg: 'RS256', kid: expect.stringMatching(/^[\w-]{43}$/) });
  expect({ nbfAfterIat: Number(nbf) - Number(iat), lifetime: Number(exp) - Number(iat), jti, ...others }).toEqual({
    nbfAfterIat: 0,
    lifetime: 86_400,
    jti: expect.stringMatching(/^[\da-f-]{36}$/),
    iss: controlPlane.serviceAccountIssuer,
    sub: 'system:serviceaccount:shop:checkout',
    aud: ['sts.amazonaws.com'],
    'kubernetes.io': {
      namespace: 'shop',
      pod: { name: 'plain', uid },
      serviceaccount: { name: 'checkout', uid: ownString(ownField(account, 'metadata'), 'uid') },
    },
  });
});

test('needs no right but to read ServiceAccounts', async () => {
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace: 'shop' } };
  const answer: unknown = JSON.parse(
    await controlPlane.kubectl(
      [
        'create',
        '--raw',
        `/apis/authorization.k8s.io/v1/selfsubjectrulesreviews`,
        '-f',
        '-',
        `--kubeconfig=${webhook.kubeconfig}`,
      ],
      JSON.stringify(review),
    ),
  );
  // Beside the last one, what every authenticated client may do: ask about itself (ClusterRole system:basic-user).
  expect(new Set(ownList(ownField(answer, 'status'), 'resourceRules'))).toEqual(
    new Set([
      {
        verbs: ['create'],
        apiGroups: ['authorization.k8s.io'],
        resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
      },
      { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
      { verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['serviceaccounts'] },
    ]),
  );
});

describe('the log of all that', () => {
  test('is one JSON object per line, with one line for each pod', () => {
    const decisions = logLines(webhook).filter((line) => line['namespace'] === 'shop');
    expect(decisions.map((line) => [line['pod'], line['serviceAccount'], line['decision'], line['reason']])).toEqual([
      ['bare', 'default', 'skip', 'no-role'],
      ['own-variables', 'checkout', 'patch', 'injected'],
      ['plain', 'checkout', 'patch', 'injected'],
      ['sidecar', 'checkout', 'patch', 'injected'],
      ['windows', 'checkout', 'patch', 'injected'],
      ['dry', 'checkout', 'patch', 'injected'],
    ]);
  });

  test('has nothing to warn of', () => {
    expect(logLines(webhook).filter((line) => line['level'] !== 'info')).toEqual([]);
  });

  test("has no value of a pod's variables, no token and no key", () => {
    const secrets = ['planted-secret-value', webhook.token, 'PRIVATE KEY', '/own/token', 'Bearer'];
    expect(secrets.filter((secret) => webhook.output().includes(secret))).toEqual([]);
  });
});
