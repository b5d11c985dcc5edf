// The ways on which a pod does not become a role, and what AWS's own clients print on each: the text that a user finds in the
// log of the pod. One thing is wrong in each test; everything else is as in credentials.test.ts.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { otherClients, sdk, sdkScript } from '../support/sts-clients.ts';
import type { Client, ClientName } from '../support/sts-clients.ts';
import { discoveryOf, documentPaths } from '../support/sts-issuer.ts';
import { createSigner, signerFrom } from '../support/sts-signer.ts';
import { issuer, startAws } from './support/credentials.ts';
import type { Aws, PodWish, StoredPod } from './support/credentials.ts';
import { shownOn } from './support/page.ts';

const roleArn = 'arn:aws:iam::111122223333:role/team/checkout';
const paths = documentPaths(issuer);
const region = { name: 'AWS_REGION', value: 'eu-west-1' };
const otherRegion = { name: 'AWS_DEFAULT_REGION', value: 'eu-west-1' };

let aws: Aws;
beforeAll(async () => {
  aws = await startAws();
});
afterEach(() => {
  aws.publish();
  aws.ahead.sts = 0;
});
afterAll(async () => aws?.close());

const clients: readonly Client[] = [sdk, ...otherClients()];
const note = clients
  .filter(({ missing }) => missing !== undefined)
  .map(({ name, missing }) => ` (${name} not run: ${missing ?? ''})`)
  .join('');

type Lines = Readonly<Record<ClientName, string>>;

interface Story {
  readonly what: string;
  readonly pod: PodWish;
  /** What goes wrong after the pod was stored. */
  readonly befalls?: (pod: StoredPod) => unknown;
  readonly lines: Lines | ((pod: Pick<StoredPod, 'tokenFile'>) => Lines);
  /** Whether STS is asked for the role at all. Default: true. */
  readonly asks?: boolean;
}

/** How the three print a refusal of STS. Where the service model has no class for a code, boto3 has one for all. */
function refusal(code: string, message: string): Lines {
  const isModelled = code !== 'AccessDenied';
  const name = isModelled && !code.endsWith('Exception') ? `${code}Exception` : code;
  // Of all these, the one that botocore would try again.
  const retried = code === 'IDPCommunicationError' ? ' (reached max retries: 0)' : '';
  const text = `An error occurred (${code}) when calling the AssumeRoleWithWebIdentity operation${retried}: ${message}`;
  return {
    'the SDK for JavaScript': `${name}: ${message}`,
    boto3: `${isModelled ? name : 'ClientError'}: ${text}`,
    'the AWS CLI': text,
  };
}

const accessDenied = refusal('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
const noKey = refusal(
  'InvalidIdentityToken',
  "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity " +
    'documentation for requirements',
);
const nobody: Lines = {
  'the SDK for JavaScript': 'CredentialsProviderError: Could not load credentials from any providers',
  boto3: 'NoCredentialsError: Unable to locate credentials',
  'the AWS CLI': 'Unable to locate credentials. You can configure credentials by running "aws configure".',
};

function noFile(path: string): Lines {
  const text = `[Errno 2] No such file or directory: '${path}'`;
  return {
    'the SDK for JavaScript': `Error: ENOENT: no such file or directory, open '${path}'`,
    boto3: `FileNotFoundError: ${text}`,
    'the AWS CLI': text,
  };
}

const stories: readonly Story[] = [
  { what: 'a role that trusts another account', pod: { account: 'other' }, lines: accessDenied },
  { what: 'a role that does not exist', pod: { account: 'ghost' }, lines: accessDenied },
  {
    what: 'an audience that the provider does not take',
    pod: { account: 'china' },
    lines: refusal('InvalidIdentityToken', 'Incorrect token audience'),
  },
  {
    what: 'a role of an account without a provider',
    pod: { account: 'abroad' },
    lines: refusal('InvalidIdentityToken', `No OpenIDConnect provider found in your account for ${issuer}`),
  },
  {
    what: 'a key that is not published',
    pod: { account: 'checkout' },
    befalls: () => aws.published.publish({ [paths.keys]: { keys: [createSigner('RS256').jwk] } }),
    lines: noKey,
  },
  {
    what: 'keys that may not be read by everybody',
    pod: { account: 'checkout' },
    befalls: () => aws.published.publish({ [paths.keys]: undefined }),
    lines: noKey,
  },
  {
    what: 'another key under the published id',
    pod: { account: 'checkout' },
    befalls: () => {
      const other = { ...createSigner('RS256').jwk, kid: clusterSigner().keyId };
      aws.published.publish({ [paths.keys]: { keys: [other] } });
    },
    lines: refusal('InvalidIdentityToken', 'The web identity token provided could not be validated'),
  },
  {
    what: 'a published issuer with a slash too many',
    pod: { account: 'checkout' },
    befalls: () => aws.published.publish({ [paths.discovery]: discoveryOf(issuer, { issuer: `${issuer}/` }) }),
    lines: noKey,
  },
  {
    what: 'keys at an address that only the cluster knows',
    // STS asks to be called again here; how often and after how many seconds, clients do not agree on.
    pod: { account: 'checkout', env: [{ name: 'AWS_MAX_ATTEMPTS', value: '1' }] },
    befalls: () => {
      const jwksUri = { jwks_uri: 'https://kubernetes.default.svc/openid/v1/jwks' };
      aws.published.publish({ [paths.discovery]: discoveryOf(issuer, jwksUri) });
    },
    lines: refusal('IDPCommunicationError', 'IDPCommunicationError'),
  },
  {
    what: 'the token of a Secret, which has no audience',
    pod: { account: 'checkout' },
    befalls: async ({ tokenFile }) => {
      const sub = 'system:serviceaccount:shop:checkout';
      writeFileSync(tokenFile, await clusterSigner().sign({ iss: 'kubernetes/serviceaccount', sub }));
    },
    lines: refusal('InvalidIdentityToken', 'Missing a required claim: aud'),
  },
  {
    what: 'a token file with a line of a log in it',
    pod: { account: 'checkout' },
    befalls: ({ tokenFile }) => writeFileSync(tokenFile, `rotated the token\n${readFileSync(tokenFile, 'utf8')}`),
    lines: refusal(
      'InvalidIdentityToken',
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    ),
  },
  {
    what: 'a token file that is not there',
    pod: { account: 'checkout' },
    befalls: ({ tokenFile }) => rmSync(tokenFile),
    lines: ({ tokenFile }) => noFile(tokenFile),
    asks: false,
  },
  {
    what: 'variables copied by hand, in a container without the volume',
    pod: {
      account: 'checkout',
      annotations: { 'eks.amazonaws.com/skip-containers': 'app' },
      env: [
        region,
        otherRegion,
        { name: 'AWS_ROLE_ARN', value: roleArn },
        { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' },
      ],
    },
    lines: noFile('/var/run/secrets/eks.amazonaws.com/serviceaccount/token'),
    asks: false,
  },
  {
    what: 'an account without a role',
    pod: { account: 'plain', env: [region, otherRegion] },
    lines: nobody,
    asks: false,
  },
  {
    what: 'a role without a token file, by hand',
    pod: { account: 'plain', env: [region, otherRegion, { name: 'AWS_ROLE_ARN', value: roleArn }] },
    lines: nobody,
    asks: false,
  },
  {
    what: 'a token file without a role, by hand',
    pod: { account: 'plain', env: [region, otherRegion, { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/token' }] },
    lines: {
      ...nobody,
      boto3:
        'InvalidConfigError: The provided profile or the current environment is configured to assume role with web ' +
        'identity but has no role ARN configured. Ensure that the profile has the role_arnconfiguration set or the ' +
        'AWS_ROLE_ARN env var is set.',
      'the AWS CLI':
        'The provided profile or the current environment is configured to assume role with web identity but has no ' +
        'role ARN configured. Ensure that the profile has the role_arnconfiguration set or the AWS_ROLE_ARN env var ' +
        'is set.',
    },
    asks: false,
  },
  {
    what: 'keys of a user, which beat every role',
    pod: {
      account: 'checkout',
      env: [
        { name: 'AWS_ACCESS_KEY_ID', value: 'AKIAXXXXXXXXXXXXXXXX' },
        { name: 'AWS_SECRET_ACCESS_KEY', value: 'of a user that has left' },
      ],
    },
    lines: {
      'the SDK for JavaScript': 'InvalidClientTokenId: The security token included in the request is invalid.',
      boto3:
        'ClientError: An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: ' +
        'The security token included in the request is invalid.',
      'the AWS CLI':
        'An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: ' +
        'The security token included in the request is invalid.',
    },
    asks: false,
  },
];

describe(`AWS's clients print why${note}`, () => {
  test.each(stories.map((story): [string, Story] => [story.what, story]))('%s', async (_what, story) => {
    const pod = await aws.create(story.pod);
    await story.befalls?.(pod);
    const wanted = typeof story.lines === 'function' ? story.lines(pod) : story.lines;
    expect(await printedBy(pod)).toEqual({ asks: story.asks ?? true, ...whereRun(wanted) });
  });

  test('a token that has expired', async () => {
    const pod = await aws.create({ account: 'checkout' });
    aws.ahead.sts = 86_500_000;
    const message = 'Token expired: current date/time N must be before the expiration date/time N';
    const { asks, ...lines } = await printedBy(pod);
    const withoutTimes = Object.entries(lines).map(([name, line]) => [name, String(line).replaceAll(/\d{10}/g, 'N')]);
    expect({ asks, ...Object.fromEntries(withoutTimes) }).toEqual({
      asks: true,
      ...whereRun(refusal('ExpiredTokenException', message)),
    });
  });
});

test('the page of the way lists them, with what the SDK prints', () => {
  const rows = stories.map(({ what, lines }) => {
    const tokenFile = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';
    const line = typeof lines === 'function' ? lines({ tokenFile }) : lines;
    return `| ${what} | \`${line['the SDK for JavaScript']}\` |`;
  });
  const text = ['| What is wrong | What the SDK prints |', '| --- | --- |', ...rows].join('\n');
  expect(shownOn({ page: 'how-a-pod-becomes-a-role.md', name: 'refusals', text })).toBe(text);
});

// The kubelet gives the file to the one user of all containers; a program that then becomes another user cannot read it.
const stranger = 1000;
const obstacle = obstacleToStranger();
const describeStranger = obstacle === undefined ? describe : describe.skip;
describeStranger(`a token of another user${obstacle === undefined ? '' : ` (not run: ${obstacle})`}`, () => {
  test('ends the search of the SDK', async () => {
    const pod = await aws.create({ account: 'checkout', securityContext: { runAsUser: 1001 } });
    chmodSync(aws.controlPlane.workspace.directory, 0o711);
    expect([statSync(pod.tokenFile).uid, statSync(pod.tokenFile).mode & 0o777]).toEqual([1001, 0o600]);
    expect(await sdk.ask({ ...pod.process(), uid: stranger })).toEqual({
      error: `Error: EACCES: permission denied, open '${pod.tokenFile}'`,
    });
    expect(await sdk.ask({ ...pod.process(), uid: 1001 })).toEqual({
      arn: expect.stringMatching(/^arn:aws:sts::111122223333:assumed-role\/checkout\/aws-sdk-js-session-\d{13}$/),
    });
  });
});

test('a pod whose name is too long for a session keeps the name that the SDK makes up, and its role', async () => {
  const pod = await aws.create({ account: 'named', name: 'n'.repeat(65) });
  expect(await sdk.ask(pod.process())).toEqual({
    arn: expect.stringMatching(/^arn:aws:sts::111122223333:assumed-role\/named\/aws-sdk-js-session-\d{13}$/),
  });
});

type Printed = Readonly<Record<string, string | boolean>>;

/** What each client prints, and whether STS was asked for the role. */
async function printedBy(pod: StoredPod): Promise<Printed> {
  const before = aws.sts.calls().length;
  const lines = await Promise.all(
    clients
      .filter(({ missing }) => missing === undefined)
      .map(async (client): Promise<[string, string]> => {
        const answer = await client.ask(pod.process());
        return [client.name, 'error' in answer ? answer.error : answer.arn];
      }),
  );
  const asks = aws.sts
    .calls()
    .slice(before)
    .some(({ action }) => action === 'AssumeRoleWithWebIdentity');
  return { asks, ...Object.fromEntries<string>(lines) };
}

function whereRun(lines: Lines): object {
  return Object.fromEntries(
    clients.filter(({ missing }) => missing === undefined).map(({ name }) => [name, lines[name]]),
  );
}

/** What signs the tokens of the cluster. */
function clusterSigner(): ReturnType<typeof signerFrom> {
  const pem = readFileSync(join(aws.controlPlane.workspace.directory, 'service-accounts.key'), 'utf8');
  return signerFrom(createPrivateKey(pem), 'RS256');
}

function obstacleToStranger(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can be another user';
  const tried = spawnSync(process.execPath, ['--check', sdkScript], { uid: stranger, cwd: '/' });
  return tried.status === 0 ? undefined : `user ${stranger} may not read ${sdkScript} or run ${process.execPath}`;
}
