// How a pod becomes a role, from the annotation to the ARN that AWS prints: the official SDK runs in the environment of stored
// pods and says who it is. boto3 and the AWS CLI say the same where this machine has them.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import { tokenClaims } from '../../src/aws/token.ts';
import { otherClients, sdk, startSdk } from '../support/sts-clients.ts';
import { startAws } from './support/credentials.ts';
import type { Aws } from './support/credentials.ts';

const checkout = /^arn:aws:sts::111122223333:assumed-role\/checkout\/aws-sdk-js-session-\d{13}$/;

describe('with a control plane that signs by RSA', () => {
  let aws: Aws;
  beforeAll(async () => {
    aws = await startAws();
  });
  afterAll(async () => aws?.close());

  test('the SDK gets the role by what the webhook has put into the pod, and by nothing else', async () => {
    const pod = await aws.create({ account: 'checkout' });
    const [container] = ownList(ownField(pod.stored, 'spec'), 'containers');
    expect(ownField(container, 'env')).toEqual([
      { name: 'AWS_ENDPOINT_URL_STS', value: aws.sts.url },
      { name: 'AWS_EC2_METADATA_DISABLED', value: 'true' },
      { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' },
      { name: 'AWS_DEFAULT_REGION', value: 'eu-west-1' },
      { name: 'AWS_REGION', value: 'eu-west-1' },
      { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/team/checkout' },
      { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' },
    ]);
    const before = aws.sts.calls().length;
    expect(await sdk.ask(pod.process())).toEqual({ arn: expect.stringMatching(checkout) });
    const { algorithm, claims } = tokenClaims(readFileSync(pod.tokenFile, 'utf8')) ?? {};
    expect(algorithm).toBe('RS256');
    expect(aws.sts.calls().slice(before)).toEqual([
      {
        action: 'AssumeRoleWithWebIdentity',
        roleArn: 'arn:aws:iam::111122223333:role/team/checkout',
        sessionName: expect.stringMatching(/^aws-sdk-js-session-\d{13}$/),
        tokenId: claims?.payload['jti'],
        outcome: 'ok',
      },
      { action: 'GetCallerIdentity', region: 'eu-west-1', outcome: 'ok' },
    ]);
  });

  for (const client of otherClients()) {
    const describeClient = client.missing === undefined ? describe : describe.skip;
    describeClient(`${client.name}${client.missing === undefined ? '' : ` (not run: ${client.missing})`}`, () => {
      test('gets the role too', async () => {
        const pod = await aws.create({ account: 'checkout' });
        expect(await client.ask(pod.process())).toEqual({
          arn: expect.stringMatching(/^arn:aws:sts::111122223333:assumed-role\/checkout\/botocore-session-\d{10}$/),
        });
      });

      test('gets a role from the agent too', async () => {
        const pod = await aws.create({
          account: 'associated',
          name: `associated-${client.name.slice(-3).toLowerCase()}`,
        });
        const before = aws.sts.calls().length;
        expect(await client.ask(pod.process())).toEqual({
          arn: expect.stringMatching(
            /^arn:aws:sts::111122223333:assumed-role\/associated\/eks-shop-associated-[\w-]+$/,
          ),
        });
        expect(aws.sts.calls().slice(before)).toEqual([
          { action: 'GetCallerIdentity', region: 'eu-west-1', outcome: 'ok' },
        ]);
      });
    });
  }

  test('a pod of an account that fits a pattern of the trust policy gets the role', async () => {
    const pod = await aws.create({ account: 'nightly-7' });
    expect(await sdk.ask(pod.process())).toEqual({
      arn: expect.stringMatching(/^arn:aws:sts::111122223333:assumed-role\/nightly\/aws-sdk-js-session-\d{13}$/),
    });
  });

  test('the session has the name of the pod where the account asks for that', async () => {
    const pod = await aws.create({ account: 'named', name: 'named-6d4cf56db6-x2xvr' });
    expect(await sdk.ask(pod.process())).toEqual({
      arn: 'arn:aws:sts::111122223333:assumed-role/named/named-6d4cf56db6-x2xvr',
    });
  });

  test('a pod of an associated account gets its role from the agent, and STS is asked for none', async () => {
    const pod = await aws.create({ account: 'associated', name: 'associated-pod' });
    const before = aws.sts.calls().length;
    expect(await sdk.ask(pod.process())).toEqual({
      arn: expect.stringMatching(
        /^arn:aws:sts::111122223333:assumed-role\/associated\/eks-shop-associated-pod-[\da-f-]{36}$/,
      ),
    });
    expect(aws.agent.calls().at(-1)).toBe('system:serviceaccount:shop:associated');
    expect(aws.sts.calls().slice(before)).toEqual([
      { action: 'GetCallerIdentity', region: 'eu-west-1', outcome: 'ok' },
    ]);
  });

  test("a role comes before an agent that the pod's author names", async () => {
    const before = aws.agent.calls().length;
    const env = [{ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: aws.agent.url }];
    const pod = await aws.create({ account: 'checkout', env });
    expect(await sdk.ask(pod.process())).toEqual({ arn: expect.stringMatching(checkout) });
    expect(aws.agent.calls().length).toBe(before);
  });

  test('a token of ten minutes is replaced at 80 % of its life, and the next process uses the new one', async () => {
    const pod = await aws.create({
      account: 'checkout',
      annotations: { 'eks.amazonaws.com/token-expiration': '600' },
    });
    const used = async (): Promise<unknown> => {
      const before = aws.sts.calls().length;
      await sdk.ask(pod.process());
      return aws.sts.calls()[before]?.tokenId;
    };
    const idInFile = (): unknown => tokenClaims(readFileSync(pod.tokenFile, 'utf8'))?.claims.payload['jti'];
    const first = idInFile();
    expect(await used()).toBe(first);
    // At most 10 s of jitter, and a second because tokens count in seconds.
    aws.ahead.kubelet = 460_000;
    await pod.sync();
    expect(idInFile()).toBe(first);
    aws.ahead.kubelet = 481_000;
    await pod.sync();
    const second = idInFile();
    expect(second).not.toBe(first);
    expect(await used()).toBe(second);
    aws.ahead.kubelet = 0;
  });

  test('a process that lives on uses the new token as soon as its credentials end', async () => {
    const pod = await aws.create({ account: 'checkout' });
    const process = startSdk(pod.process());
    try {
      const startedMs = Date.now();
      const before = aws.sts.calls().length;
      expect(await process.askAt(startedMs)).toEqual({ arn: expect.stringMatching(checkout) });
      aws.ahead.kubelet = 0.8 * 86_400_000 + 1000;
      await pod.sync();
      aws.ahead.sts = 3_601_000;
      expect(await process.askAt(startedMs + 3_601_000)).toEqual({ arn: expect.stringMatching(checkout) });
      const ids = aws.sts
        .calls()
        .slice(before)
        .flatMap(({ tokenId }) => tokenId ?? []);
      const inFile = tokenClaims(readFileSync(pod.tokenFile, 'utf8'))?.claims.payload['jti'];
      expect([ids.length, ids[0] === ids[1], ids[1]]).toEqual([2, false, inFile]);
    } finally {
      aws.ahead.kubelet = 0;
      aws.ahead.sts = 0;
      await process.close();
    }
  });
});

describe('with a control plane that signs by ES256', () => {
  let aws: Aws;
  beforeAll(async () => {
    aws = await startAws({ serviceAccountKey: 'ec' });
  });
  afterAll(async () => aws?.close());

  test('the SDK gets the role', async () => {
    const pod = await aws.create({ account: 'checkout' });
    expect(tokenClaims(readFileSync(pod.tokenFile, 'utf8'))?.algorithm).toBe('ES256');
    expect(await sdk.ask(pod.process())).toEqual({ arn: expect.stringMatching(checkout) });
    const { outcome } = aws.sts.calls().find(({ action }) => action === 'AssumeRoleWithWebIdentity') ?? {};
    expect(outcome).toBe('ok');
    expect(ownString(aws.sts.calls().at(-1), 'action')).toBe('GetCallerIdentity');
  });
});
