// The kubelet's part: which file a token is in, whose it is, and when it is replaced. And hours in the life of a process that
// uses the official SDK, in seconds: its credentials end, and the token that it started with has long expired.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKubelet } from './kubelet.ts';
import type { Kubelet } from './kubelet.ts';
import type { TokenWish } from './kubelet-tokens.ts';
import { startSts } from './sts.ts';
import { startSdk } from './sts-clients.ts';
import type { Answer } from './sts-clients.ts';
import { publishIssuer } from './sts-issuer.ts';
import { createSigner } from './sts-signer.ts';

const mountPath = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const issuer = 'https://oidc.example.com/clusters/shop';
const roleArn = 'arn:aws:iam::111122223333:role/checkout';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubelet-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** As the webhook leaves it and the API server stores it. */
function podWith({ spec = {}, env = [] }: { readonly spec?: object; readonly env?: readonly object[] } = {}): unknown {
  const serviceAccountToken = { audience: 'sts.amazonaws.com', expirationSeconds: 600, path: 'token' };
  return {
    metadata: { name: 'checkout-1', namespace: 'shop', uid: 'pod-uid', labels: { 'example.com/zone': 'a' } },
    spec: {
      serviceAccountName: 'checkout',
      volumes: [
        { name: 'cache', emptyDir: {} },
        { name: 'aws-iam-token', projected: { defaultMode: 0o644, sources: [{ serviceAccountToken }] } },
      ],
      containers: [
        {
          name: 'app',
          env: [
            ...env,
            { name: 'AWS_ROLE_ARN', value: roleArn },
            { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${mountPath}/token` },
          ],
          volumeMounts: [{ name: 'aws-iam-token', mountPath, readOnly: true }],
        },
      ],
      ...spec,
    },
  };
}

interface Node {
  readonly kubelet: Kubelet;
  readonly wishes: readonly TokenWish[];
  /** What is in the token file. */
  token(): string;
  readonly clock: { ms: number };
  /** While it is false, the API server gives no token. */
  readonly apiServer: { answers: boolean };
}

const file = (): string => join(directory, 'pods', 'pod-uid', 'aws-iam-token', 'token');

function createNode(random: number): Node {
  const clock = { ms: 0 };
  const wishes: TokenWish[] = [];
  const apiServer = { answers: true };
  const kubelet = createKubelet({
    directory: join(directory, 'pods'),
    now: () => clock.ms,
    random: () => random,
    source: async (wish) => {
      if (!apiServer.answers) throw new Error('connection refused');
      wishes.push(wish);
      return Promise.resolve({ token: `token ${wishes.length}`, expiresMs: clock.ms + wish.expirationSeconds * 1000 });
    },
  });
  return { kubelet, wishes, clock, apiServer, token: () => readFileSync(file(), 'utf8') };
}

describe('a token', () => {
  test('is asked for by what the stored volume says, and lies behind two links', async () => {
    const { kubelet, wishes, token } = createNode(0);
    await kubelet.sync(podWith());
    expect(wishes).toEqual([
      {
        pod: { name: 'checkout-1', namespace: 'shop', uid: 'pod-uid' },
        serviceAccount: 'checkout',
        audience: 'sts.amazonaws.com',
        expirationSeconds: 600,
      },
    ]);
    expect(token()).toBe('token 1');
    expect(lstatSync(file()).isSymbolicLink()).toBe(true);
    expect(statSync(file()).mode & 0o777).toBe(0o644);
  });

  test.each([
    [0, 480_000],
    [0.5, 475_000],
  ])('is replaced after 80 % of its life, less a jitter (random %d)', async (random, dueMs) => {
    const { kubelet, clock, token } = createNode(random);
    await kubelet.sync(podWith());
    clock.ms = dueMs;
    await kubelet.sync(podWith());
    expect(token()).toBe('token 1');
    clock.ms = dueMs + 1;
    await kubelet.sync(podWith());
    expect(token()).toBe('token 2');
  });

  test('stays while the API server gives no other, until it has expired', async () => {
    const { kubelet, clock, token, apiServer } = createNode(0);
    await kubelet.sync(podWith());
    apiServer.answers = false;
    clock.ms = 600_000;
    await kubelet.sync(podWith());
    expect(token()).toBe('token 1');
    clock.ms = 600_001;
    await expect(kubelet.sync(podWith())).rejects.toMatchObject({ message: 'connection refused' });
  });

  test('is replaced where the clock has gone back before its issue', async () => {
    const { kubelet, clock, token } = createNode(0);
    clock.ms = 10_000;
    await kubelet.sync(podWith());
    clock.ms = 9_999;
    await kubelet.sync(podWith());
    expect(token()).toBe('token 2');
  });

  test('belongs to the one user of all containers, where there is one and the node is run by root', async () => {
    const { kubelet } = createNode(0);
    const uid = process.getuid?.() ?? 0;
    await kubelet.sync(podWith({ spec: { securityContext: { runAsUser: uid } } }));
    expect([statSync(file()).uid, statSync(file()).mode & 0o777]).toEqual([uid, 0o600]);
  });
});

test('gives a container its variables, fields of the pod and paths below its mounts', () => {
  const { kubelet } = createNode(0);
  const fieldRef = (fieldPath: string): object => ({ fieldRef: { fieldPath } });
  const env = [
    { name: 'AWS_ROLE_SESSION_NAME', valueFrom: fieldRef('metadata.name') },
    { name: 'AWS_REGION', valueFrom: fieldRef("metadata.labels['example.com/zone']") },
    { name: 'LIKE_A_MOUNT', value: `${mountPath}-other/token` },
  ];
  expect(kubelet.environmentOf(podWith({ env }), 'app')).toEqual({
    AWS_ROLE_SESSION_NAME: 'checkout-1',
    AWS_REGION: 'a',
    LIKE_A_MOUNT: `${mountPath}-other/token`,
    AWS_ROLE_ARN: roleArn,
    AWS_WEB_IDENTITY_TOKEN_FILE: file(),
  });
});

describe('a process that lives for hours with a token of ten minutes', () => {
  const minuteMs = 60_000;

  interface Life {
    readonly first: Answer;
    readonly last: Answer;
    /** Action, the token's id and outcome of each call of STS. */
    readonly calls: readonly (readonly (string | undefined)[])[];
  }

  /** What the process is told at the start and after `minutes`, with a kubelet that works for the first `working` of them. */
  async function lives({ minutes, working }: { readonly minutes: number; readonly working: number }): Promise<Life> {
    const signer = createSigner('ES256');
    const published = await publishIssuer({ issuer, keySet: { keys: [signer.jwk] } });
    const clock = { ms: Date.UTC(2030, 0, 1) };
    const name = issuer.slice('https://'.length);
    const arn = `arn:aws:iam::111122223333:oidc-provider/${name}`;
    const sts = await startSts({
      providers: [{ arn, url: issuer, clientIds: ['sts.amazonaws.com'] }],
      roles: [{ arn: roleArn, trustPolicy: policyOf(arn, name) }],
      fetchPage: published.fetchPage,
      now: () => clock.ms,
    });
    let issued = 0;
    const kubelet = createKubelet({
      directory: join(directory, 'pods'),
      now: () => clock.ms,
      random: () => 0,
      source: async ({ audience, expirationSeconds }) => {
        issued += 1;
        const iat = Math.floor(clock.ms / 1000);
        const sub = 'system:serviceaccount:shop:checkout';
        const exp = iat + expirationSeconds;
        const token = await signer.sign({
          iss: issuer,
          sub,
          aud: [audience],
          iat,
          nbf: iat,
          exp,
          jti: `token ${issued}`,
        });
        return { token, expiresMs: exp * 1000 };
      },
    });
    const env = [
      { name: 'AWS_REGION', value: 'eu-west-1' },
      { name: 'AWS_ENDPOINT_URL_STS', value: sts.url },
      { name: 'AWS_EC2_METADATA_DISABLED', value: 'true' },
      { name: 'AWS_ROLE_SESSION_NAME', value: 'checkout-1' },
    ];
    const pod = podWith({ env });
    await kubelet.sync(pod);
    mkdirSync(join(directory, 'home'));
    const client = startSdk({ environment: kubelet.environmentOf(pod, 'app'), home: join(directory, 'home') });
    try {
      const first = await client.askAt(clock.ms);
      for (let minute = 1; minute <= minutes; minute += 1) {
        clock.ms += minuteMs;
        if (minute <= working) await kubelet.sync(pod);
      }
      const last = await client.askAt(clock.ms);
      const calls = sts.calls().map(({ action, tokenId, outcome }) => [action, tokenId, outcome]);
      return { first, last, calls };
    } finally {
      await client.close();
      await sts.close();
      await published.close();
    }
  }

  const me = { arn: 'arn:aws:sts::111122223333:assumed-role/checkout/checkout-1' };
  const begun = [
    ['AssumeRoleWithWebIdentity', 'token 1', 'ok'],
    ['GetCallerIdentity', undefined, 'ok'],
  ];

  test('asks for no new credentials while its own are good', async () => {
    expect(await lives({ minutes: 54, working: 54 })).toEqual({
      first: me,
      last: me,
      calls: [...begun, ['GetCallerIdentity', undefined, 'ok']],
    });
  });

  test('gets new ones with the token that is in the file by then', async () => {
    // Nine minutes after each token comes the next: 480 s are over, and the kubelet looks once a minute.
    expect(await lives({ minutes: 61, working: 61 })).toEqual({
      first: me,
      last: me,
      calls: [...begun, ['AssumeRoleWithWebIdentity', 'token 7', 'ok'], ['GetCallerIdentity', undefined, 'ok']],
    });
  });

  test('is refused where the kubelet has stopped to replace it', async () => {
    const { last } = await lives({ minutes: 61, working: 0 });
    expect(last).toEqual({
      error:
        `ExpiredTokenException: Token expired: current date/time ${Date.UTC(2030, 0, 1, 1, 1) / 1000} must be before ` +
        `the expiration date/time ${Date.UTC(2030, 0, 1, 0, 10) / 1000}`,
    });
  });
});

function policyOf(providerArn: string, name: string): object {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: providerArn },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: {
            [`${name}:aud`]: 'sts.amazonaws.com',
            [`${name}:sub`]: 'system:serviceaccount:shop:checkout',
          },
        },
      },
    ],
  };
}
