// What pods' logs say, in the words of every SDK and of the tools that wrap them, and what is most likely behind it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { CauseId } from '../../src/diagnosis/cause.ts';
import { causesOf, fixOf } from '../../src/diagnosis/error.ts';
import {
  INCORRECT_AUDIENCE,
  missingClaim,
  NO_VERIFICATION_KEY,
  noProvider,
  NOT_A_JWT,
  NOT_AUTHORIZED,
  NOT_VALIDATED,
  tokenExpired,
  tokenTooOld,
  WRONG_THUMBPRINT,
} from '../../src/aws/sts-errors.ts';
import { DURATION_TOO_LONG, ISSUER_UNREACHABLE } from '../support/sts-answers.ts';

/** Blocks between lines of ====: the first line of each is the id of the likeliest cause, with others that it has as well. */
const ALL = readFileSync(join(import.meta.dirname, 'error-lines.txt'), 'utf8')
  .replace(/\n$/, '')
  .split('\n====\n')
  .map((block) => {
    const [ids = '', ...lines] = block.split('\n');
    return { ids: ids.split(' '), log: lines.join('\n') };
  });
const BLOCKS = ALL.map(({ ids, log }): readonly [id: string, log: string] => [ids[0] ?? '', log]);
/** One log of each id. */
const ONE_EACH = [...new Map(BLOCKS).values()];

const idsOf = (log: string): readonly CauseId[] => causesOf(log).map(({ id }) => id);

describe('causesOf', () => {
  test.each(BLOCKS)('finds %s first in: %s', (id, log) => {
    expect(idsOf(log)[0]).toBe(id);
  });

  test.each(ALL.filter(({ ids }) => ids.length > 1))('finds all of $ids in: $log', ({ ids, log }) => {
    const found: readonly string[] = idsOf(log);
    expect(ids.filter((id) => !found.includes(id))).toEqual([]);
  });

  test.each(BLOCKS)('finds %s also where JSON quotes the log twice: %s', (id, log) => {
    expect(idsOf(JSON.stringify({ log: JSON.stringify({ message: log }) }))[0]).toBe(id);
  });

  test.each(BLOCKS.filter(([, log]) => /^[\x20-\x7E]+$/.test(log)))('finds %s also URL-encoded: %s', (id, log) => {
    expect(idsOf(`message=${encodeURIComponent(log)}`)[0]).toBe(id);
  });

  test('knows every id from several logs', () => {
    const counts = new Map<string, number>();
    for (const [id] of BLOCKS) counts.set(id, (counts.get(id) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count < 2)).toEqual([]);
    expect(counts.size).toBe(23);
  });

  test.each([
    [NOT_AUTHORIZED, ['subject-mismatch', 'audience-mismatch', 'role-missing', 'wrong-action']],
    [INCORRECT_AUDIENCE, ['provider-audience', 'audience-mismatch']],
    [NOT_VALIDATED, ['issuer-keys-unreachable', 'token-expired']],
    [NOT_A_JWT, ['token-file-missing']],
    [NO_VERIFICATION_KEY, ['issuer-keys-unreachable']],
    [WRONG_THUMBPRINT, ['thumbprint']],
    [ISSUER_UNREACHABLE, ['issuer-keys-unreachable']],
    [DURATION_TOO_LONG, ['duration-too-long']],
    [noProvider('https://issuer.example.com'), ['provider-missing']],
    [missingClaim('aud'), ['audience-mismatch']],
    [tokenExpired({ now: 2, expiresAt: 1 }), ['token-expired']],
    [tokenTooOld(441_398), ['token-expired']],
  ] as const)('knows what STS says: %j', ({ code, message }, ids) => {
    const line = `An error occurred (${code}) when calling the AssumeRoleWithWebIdentity operation: ${message}`;
    expect(idsOf(line)).toEqual(ids);
  });

  test('knows a log of which a narrow terminal broke each word that says something', () => {
    const broken =
      'An error occurred (InvalidIdentityTok\nen) when calling the AssumeRoleWithWebIden\ntity operation: Incorr\nect token audi\nence';
    expect(idsOf(broken)).toEqual(['provider-audience', 'audience-mismatch']);
  });

  test('names what the line names in check and fix', () => {
    const [cause] = causesOf(
      'role arn:aws:iam::111122223333:role/team/app: No OpenIDConnect provider found in your account for https://oidc.eks.eu-west-1.amazonaws.com/id/ABC.',
    );
    expect(cause).toEqual({
      id: 'provider-missing',
      why: 'the account of the role has no IAM OIDC provider for exactly this issuer; a role of another account needs the provider there too',
      check:
        'aws iam list-open-id-connect-providers; kubectl get --raw /.well-known/openid-configuration\n# as account 111122223333, want arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC byte for byte, and the issuer of the cluster',
      fix: 'aws iam create-open-id-connect-provider --url https://oidc.eks.eu-west-1.amazonaws.com/id/ABC --client-id-list sts.amazonaws.com\n# where it is the issuer of your cluster',
    });
  });

  test('names the provider and STS of the partition that the line is of', () => {
    const issuer = 'oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC';
    const [missing] = causesOf(`No OpenIDConnect provider found in your account for https://${issuer}`);
    expect(missing?.check).toBe(
      `aws iam list-open-id-connect-providers; kubectl get --raw /.well-known/openid-configuration\n# as account ACCOUNT_ID, want arn:aws-cn:iam::ACCOUNT_ID:oidc-provider/${issuer} byte for byte, and the issuer of the cluster`,
    );
    const status = 'a status of any number means that it is reachable';
    const checkOf = (url: string): string | undefined => causesOf(`Post "${url}": dial tcp: i/o timeout`)[0]?.check;
    const curl = `kubectl exec POD -n NAMESPACE -- curl -sS -m 5 -o /dev/null -w '%{http_code}'`;
    expect(checkOf('https://sts.cn-north-1.amazonaws.com.cn/')).toBe(
      `${curl} https://sts.cn-north-1.amazonaws.com.cn\n# ${status}`,
    );
    expect(checkOf('https://sts.amazonaws.com/')).toBe(`${curl} https://sts.amazonaws.com\n# ${status}`);
    expect(checkOf('https://vpce-0abc.sts.eu-west-1.vpce.amazonaws.com/')).toBe(
      `${curl} https://vpce-0abc.sts.eu-west-1.vpce.amazonaws.com\n# ${status}`,
    );
    const throughAgent =
      'operation error STS: GetCallerIdentity, arn:aws-cn:iam::111122223333:role/app: connection refused';
    expect(causesOf(throughAgent)[0]?.check).toBe(`${curl} https://sts.REGION.amazonaws.com.cn\n# ${status}`);
  });

  test('says what to do about one cause, with what a text names', () => {
    expect(fixOf('duration-too-long', 'arn:aws:iam::111122223333:role/team/app')).toBe(
      'aws iam update-role --role-name app --max-session-duration 43200\n# or ask for a shorter session, an hour where roles are chained',
    );
  });

  test('names the subject of the line', () => {
    const [cause] = causesOf(
      '{"user":"system:serviceaccount:prod:api","error":"AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity","role":"arn:aws:iam::111122223333:role/team/app"}',
    );
    expect(cause?.fix).toBe(
      'aws iam update-assume-role-policy --role-name app --policy-document file://trust-policy.json\n# with system:serviceaccount:prod:api as :sub, under StringLike where it has an asterisk',
    );
  });

  test('names the account of the line in every command that is about one', () => {
    const subject = 'system:serviceaccount:prod:api';
    const refused = causesOf(`AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity for ${subject}`);
    const annotate = 'kubectl annotate serviceaccount api -n prod';
    expect(refused.map(({ id, fix }) => [id, fix.startsWith(annotate)])).toEqual([
      ['subject-mismatch', false],
      ['audience-mismatch', true],
      ['role-missing', true],
      ['wrong-action', false],
    ]);
    const [bare] = causesOf(`Unable to locate credentials. You can configure credentials of aws, ${subject}`);
    expect(bare).toMatchObject({
      id: 'pod-not-mutated',
      check:
        'kubectl get pod POD -n prod -o yaml | grep -A1 AWS_; kubectl get serviceaccounts,pods -n prod -o yaml --show-managed-fields > stored.yaml; pod-identity-webhook diagnose manifests -f stored.yaml',
      fix: `${annotate} eks.amazonaws.com/role-arn=ARN && kubectl rollout restart deployment NAME -n prod\n# the account that the pod runs as`,
    });
  });

  test.each([
    ['dial tcp: lookup sts.eu-west-1.amazonaws.com: no such host, region=us-east-1', 'com.amazonaws.eu-west-1.sts'],
    ['AWS_REGION=eu-west-1 Post "https://sts.amazonaws.com/": dial tcp: i/o timeout', 'com.amazonaws.eu-west-1.sts'],
    ['{"region":"us-gov-west-1","error":"lookup sts: i/o timeout"}', 'com.amazonaws.us-gov-west-1.sts'],
    [
      'Post "https://sts.amazonaws.com/": EOF, cluster arn:aws:eks:ap-south-1:1:cluster/x',
      'com.amazonaws.ap-south-1.sts',
    ],
    ['Post "https://sts.amazonaws.com/": EOF, host ec2.eu-north-1.amazonaws.com', 'com.amazonaws.eu-north-1.sts'],
    ['lookup sts.cn-north-1.amazonaws.com.cn: no such host', 'cn.com.amazonaws.cn-north-1.sts'],
    ['Post "https://sts.amazonaws.com/": dial tcp: i/o timeout', 'com.amazonaws.REGION.sts'],
  ])('names the endpoint of the region that the line is of: %s', (log, service) => {
    const { id, fix } = causesOf(log)[0] ?? {};
    expect([id, /--service-name (\S+)/.exec(fix ?? '')?.[1]]).toEqual(['network-to-sts', service]);
  });

  test.each([
    ["AuthorizationHeaderMalformed: the region 'us-east-1' is wrong; expecting 'eu-west-1'", 'eu-west-1'],
    ["SignatureDoesNotMatch: Credential should be scoped to a valid region, not 'us-east-1'. ", 'REGION'],
  ])('sets no region that AWS has refused: %s', (log, region) => {
    const [cause] = causesOf(log).filter(({ id }) => id === 'region-missing');
    expect(cause?.fix.split('\n')[0]).toBe(
      `kubectl set env deployment NAME -n NAMESPACE AWS_REGION=${region} AWS_DEFAULT_REGION=${region}`,
    );
  });

  test('says of each cause why, how to make sure and how to mend it', () => {
    const causes = BLOCKS.flatMap(([, log]) => causesOf(log));
    expect(causes.filter(({ why, check, fix }) => [why, check, fix].some((text) => text.length < 20))).toEqual([]);
  });

  test.each([
    'arn:aws:iam::111122223333:role/$(evil)',
    'arn:aws:iam::111122223333:role/`evil`',
    'arn:aws:iam::111122223333:role/x;evil',
    'arn:aws:iam::111122223333:role/--evil',
    'system:serviceaccount:a;evil:b',
    'system:serviceaccount:--evil:b',
    'system:serviceaccount:a:b|evil',
    "system:serviceaccount:a:'evil",
    'system:serviceaccount:a:-evil',
    'account for https://--evil',
    'account for https://$(evil)/',
    'account for https://oidc.example.com/x;evil',
    'https://sts.evil.com/',
    'https://sts.amazonaws.com.evil.com/',
    '/var/run/secrets/eks.amazonaws.com/serviceaccount/;evil',
  ])('makes no command of what others wrote: %s', (text) => {
    const causes = ONE_EACH.flatMap((log) => causesOf(`${text} ${log}`));
    expect(causes.filter(({ check, fix }) => `${check} ${fix}`.includes('evil'))).toEqual([]);
  });

  test('finds an error anywhere in a long log', () => {
    const lines = 'level=info msg="read token file " path=/var/run/secrets/eks.amazonaws.com/x\n'.repeat(5_000);
    const chain = 'SystemPropertyCredentialsProvider(): Access key must be specified. '.repeat(40);
    const error = `WebIdentityTokenCredentialsProvider: ${chain} Not authorized to perform sts:AssumeRoleWithWebIdentity`;
    for (const log of [error + lines, lines + error, lines + error + lines]) {
      expect(idsOf(log)[0]).toBe('subject-mismatch');
    }
  });

  test('takes role and issuer of a long log from where the error is', () => {
    const lines = 'level=info msg="using arn:aws:iam::444455556666:role/other"\n'.repeat(2_000);
    const error =
      'role arn:aws:iam::111122223333:role/app: No OpenIDConnect provider found in your account for https://oidc.example.com\n';
    expect(causesOf(`${lines}${'-'.repeat(8_192)}\n${error}${'-'.repeat(8_192)}\n${lines}`)[0]?.check).toBe(
      'aws iam list-open-id-connect-providers; kubectl get --raw /.well-known/openid-configuration\n# as account 111122223333, want arn:aws:iam::111122223333:oidc-provider/oidc.example.com byte for byte, and the issuer of the cluster',
    );
  });

  test('puts no error together from words that are far apart', () => {
    const lines = 'level=info msg="GET /"\n'.repeat(1_000);
    expect(idsOf(`loading config profile a\n${lines}the page could not be found`)).toEqual(['unknown']);
    expect(idsOf(`web identity token file\n${lines}permission denied\n${lines}`)).toEqual(['unknown']);
  });

  test('puts the root of a trouble before what follows from it', () => {
    const symptoms = [
      'Unable to locate credentials. You can configure credentials by running "aws configure".',
      'NoCredentialProviders: no valid providers in chain. Deprecated.',
      'no EC2 IMDS role found, operation error ec2imds: GetMetadata, Get "http://169.254.169.254/latest/": i/o timeout',
    ];
    const roots = [
      ['subject-mismatch', 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'],
      [
        'token-file-permission',
        "PermissionError: [Errno 13] Permission denied: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token'",
      ],
      [
        'token-expired',
        'ExpiredTokenException: Token expired: current date/time 2 must be before the expiration date/time 1',
      ],
      ['network-to-sts', 'Post "https://sts.eu-west-1.amazonaws.com/": dial tcp 10.0.0.1:443: i/o timeout'],
      [
        'region-missing',
        'operation error STS: AssumeRoleWithWebIdentity, endpoint rule error, Invalid Configuration: Missing Region',
      ],
      ['pod-identity-agent', 'Get "http://169.254.170.23/v1/credentials": connect: connection refused'],
    ] as const;
    for (const symptom of symptoms) {
      for (const [id, root] of roots) {
        expect([idsOf(`${root}\n${symptom}`)[0], idsOf(`${symptom}\n${root}`)[0]]).toEqual([id, id]);
      }
    }
  });

  // Ten times what it takes on a busy machine: a pattern that reads a text again for each of its words takes minutes.
  test.each([
    'sts.',
    'thumbprint ',
    'open-id-connect-provider ',
    'provider ',
    'token file ',
    'service ',
    'profile ',
    'role ',
    'list ',
    'AssumeRoleWithWebIdentity ',
    'arn:aws:iam::',
    'IAM Role (arn:',
    'secrets/aws',
    'assumed-role/node',
    'https://sts',
    'error accessing AWS a',
    'operation error a',
    'failed to list ',
    'credentials ',
    'AWS_ROLE_ARN ',
    'C:\\a ',
    '%20',
    '\\u0041',
    '\\',
    '&amp;',
    '[',
    '|',
    ' ',
    '\n',
    'x',
  ])('reads a megabyte of %j in a time that its length bounds', (text) => {
    const log = text.repeat(Math.ceil(1_000_000 / text.length));
    const start = performance.now();
    const ids = idsOf(log);
    expect([ids, performance.now() - start < 2_000]).toEqual([['unknown'], true]);
  });

  test('leaves percent signs alone that encode nothing', () => {
    expect(idsOf('50%20 %FF of the calls: Rate exceeded, Throttling')).toEqual(['throttled']);
  });
});
