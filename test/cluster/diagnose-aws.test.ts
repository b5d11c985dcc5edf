// `diagnose pod` where the pod is as it should be and something beyond it is not: the trust policy, the provider, the issuer,
// STS itself. Each fault is planted into a real control plane, a published issuer or the IAM of a strict STS.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { discoveryOf, documentPaths } from '../support/sts-issuer.ts';
import { createSigner } from '../support/sts-signer.ts';
import { issuer, startAws } from './support/credentials.ts';
import type { Aws } from './support/credentials.ts';
import { diagnose } from './support/diagnose.ts';
import type { Diagnosis } from './support/diagnose.ts';

const paths = documentPaths(issuer);
const PROVIDER = 'arn:aws:iam::111122223333:oidc-provider/oidc.example.com/clusters/shop';

let aws: Aws;
let files: Readonly<Record<'policy' | 'provider' | 'authority', string>>;

beforeAll(async () => {
  aws = await startAws();
  const { directory } = aws.controlPlane.workspace;
  files = {
    policy: join(directory, 'policy.json'),
    provider: join(directory, 'provider.json'),
    authority: join(directory, 'issuer-ca.pem'),
  };
  writeFileSync(files.authority, aws.published.caPem);
  await aws.create({ account: 'checkout', name: 'web' });
  await aws.create({ account: 'ghost', name: 'ghost' });
  await aws.create({ account: 'other', name: 'other' });
  const env = [{ name: 'AWS_ROLE_SESSION_NAME', value: 'x' }];
  await aws.create({ account: 'checkout', name: 'short', env });
});

const mending: (() => void)[] = [];
afterEach(() => {
  for (const mend of mending.splice(0)) mend();
  aws.publish();
  aws.ahead.sts = 0;
});
afterAll(async () => aws?.close());

/** Everything that can be given is given; what STS reads is what the files say unless a test says otherwise. */
async function asked(target = 'shop/web', { policy, provider }: Given = {}): Promise<Diagnosis> {
  writeFileSync(files.policy, JSON.stringify(policy ?? aws.checkoutTrustPolicy));
  writeFileSync(files.provider, JSON.stringify(provider === undefined ? aws.iam.providers[0] : provider));
  return diagnose(target, {
    kubeconfig: aws.controlPlane.kubeconfig,
    args: [...byStsAlone(), `--policy=${files.policy}`, `--provider=${files.provider}`],
  });
}

interface Given {
  readonly policy?: unknown;
  readonly provider?: unknown;
}

function byStsAlone(): string[] {
  return [
    '--aws-default-region=eu-west-1',
    `--certificate-authority=${files.authority}`,
    `--connect-to=${aws.published.address}`,
    `--sts-endpoint=${aws.sts.url}`,
  ];
}

async function askedOfSts(target = 'shop/web', ...more: readonly string[]): Promise<Diagnosis> {
  return diagnose(target, { kubeconfig: aws.controlPlane.kubeconfig, args: [...byStsAlone(), ...more] });
}

/** As IAM has it until the end of the test. */
function iamHas(trustPolicy: unknown): unknown {
  const [first] = aws.iam.roles;
  if (first === undefined) throw new Error('want a role');
  aws.iam.roles[0] = { ...first, trustPolicy };
  mending.push(() => void (aws.iam.roles[0] = first));
  return trustPolicy;
}

function providersAre(...providers: Aws['iam']['providers']): void {
  const before = aws.iam.providers.splice(0, aws.iam.providers.length, ...providers);
  mending.push(() => void aws.iam.providers.splice(0, aws.iam.providers.length, ...before));
}

function trusting(change: { subject?: string; audience?: string; action?: string }): object {
  const {
    subject = 'shop:checkout',
    audience = 'sts.amazonaws.com',
    action = 'sts:AssumeRoleWithWebIdentity',
  } = change;
  const name = 'oidc.example.com/clusters/shop';
  const condition = { [`${name}:sub`]: `system:serviceaccount:${subject}`, [`${name}:aud`]: audience };
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: PROVIDER },
    Action: action,
    Condition: { StringEquals: condition },
  };
  return { Version: '2012-10-17', Statement: [statement] };
}

describe('diagnose pod', () => {
  test('finds nothing where nothing is wrong, and leaves no credentials behind but those that STS gave', async () => {
    const before = aws.sts.calls().length;
    expect(await asked()).toEqual({ ids: [], problems: [], hints: [], exit: 0 });
    expect(aws.sts.calls().slice(before)).toEqual([
      {
        action: 'AssumeRoleWithWebIdentity',
        roleArn: 'arn:aws:iam::111122223333:role/team/checkout',
        sessionName: 'diagnose',
        tokenId: expect.any(String),
        outcome: 'ok',
      },
    ]);
  });

  test.each([
    ['subject-mismatch', { subject: 'default:checkout' }],
    ['audience-mismatch', { audience: 'sts.amazonaws.com.cn' }],
    ['wrong-action', { action: 'sts:AssumeRole' }],
  ] as const)('finds %s in the trust policy, and STS says the same', async (id, change) => {
    const { problems, exit } = await asked('shop/web', { policy: iamHas(trusting(change)) });
    expect({ problems, exit }).toEqual({
      problems: [
        expect.objectContaining({
          id,
          severity: 'error',
          predictedError: 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity',
          evidence: expect.stringContaining(`${aws.sts.url} refuses a new token of the account`),
        }),
      ],
      exit: 1,
    });
  });

  test('says so where STS gives the role in spite of the policy that was given', async () => {
    const { problems } = await asked('shop/web', { policy: trusting({ subject: 'shop:cart' }) });
    expect(problems).toEqual([
      expect.objectContaining({
        id: 'subject-mismatch',
        severity: 'warning',
        evidence: expect.stringContaining('gives the role to a new token of the account all the same'),
      }),
    ]);
  });

  test('finds the subject that is not trusted by the word of STS alone', async () => {
    expect((await askedOfSts('shop/other')).ids).toEqual(['subject-mismatch']);
  });

  test('finds a role that does not exist, where the policy that it should have would do', async () => {
    expect((await asked('shop/ghost', { policy: trusting({ subject: 'shop:ghost' }) })).ids).toEqual(['role-missing']);
  });

  test('finds a provider that is missing, by the file and by STS', async () => {
    providersAre();
    expect([(await asked('shop/web', { provider: null })).ids, (await askedOfSts()).ids]).toEqual([
      ['provider-missing'],
      ['provider-missing'],
    ]);
  });

  test('finds a provider that does not take the audience, by the file and by STS', async () => {
    const provider = { arn: PROVIDER, url: issuer, clientIds: ['sts.amazonaws.com.cn'] };
    providersAre(provider);
    expect([(await asked('shop/web', { provider })).ids, (await askedOfSts()).ids]).toEqual([
      ['provider-audience'],
      ['provider-audience'],
    ]);
  });

  test.each<[string, () => Readonly<Record<string, unknown>>, RegExp]>([
    ['that nobody may read', () => ({ [paths.keys]: undefined }), /openid\/v1\/jwks answers 403/],
    ['of another cluster', () => ({ [paths.keys]: { keys: [createSigner('RS256').jwk] } }), /is not published/],
    [
      'for an issuer with a slash too many',
      () => ({ [paths.discovery]: discoveryOf(issuer, { issuer: `${issuer}/` }) }),
      /the document says "https:\/\/oidc\.example\.com\/clusters\/shop\/"/,
    ],
    [
      'at an address that only the cluster knows',
      () => ({
        [paths.discovery]: discoveryOf(issuer, { jwks_uri: 'https://kubernetes.default.svc/openid/v1/jwks' }),
      }),
      /kubernetes\.default\.svc/,
    ],
  ])('finds keys %s', async (_, documents, evidence) => {
    aws.published.publish(documents());
    const { ids, problems } = await asked();
    expect(ids[0]).toBe('issuer-keys-unreachable');
    expect(problems[0]).toEqual(
      expect.objectContaining({ severity: 'error', evidence: expect.stringMatching(evidence) }),
    );
  });

  test('finds a certificate of the issuer that no public CA has signed', async () => {
    const { directory } = aws.controlPlane.workspace;
    const other = join(directory, 'other-ca.pem');
    writeFileSync(other, aws.controlPlane.caPem);
    expect((await askedOfSts('shop/web', `--certificate-authority=${other}`)).ids).toEqual(['thumbprint']);
  });

  test('finds a clock that is ahead at STS', async () => {
    aws.ahead.sts = 3_600_000;
    expect((await asked()).ids).toEqual(['token-expired']);
  });

  test('finds a session name that STS does not take', async () => {
    expect((await asked('shop/short')).ids).toEqual(['session-name-invalid']);
  });

  test('finds that nobody is there where STS was said to be', async () => {
    const { ids } = await diagnose('shop/web', {
      kubeconfig: aws.controlPlane.kubeconfig,
      args: [...byStsAlone(), '--sts-endpoint=http://127.0.0.1:1'],
    });
    expect(ids).toEqual(['network-to-sts']);
  });

  test('finds an issuer that does not answer', async () => {
    const args = [...byStsAlone(), '--sts-endpoint=none', '--connect-to=127.0.0.1:1'];
    const { problems } = await diagnose('shop/web', { kubeconfig: aws.controlPlane.kubeconfig, args });
    expect(problems).toEqual([
      expect.objectContaining({
        id: 'issuer-keys-unreachable',
        severity: 'warning',
        evidence: expect.stringMatching(/openid-configuration cannot be reached from here: connect ECONNREFUSED/),
      }),
    ]);
    expect((await askedOfSts('shop/web', '--connect-to=127.0.0.1:1')).ids).toEqual([]);
  });
});
