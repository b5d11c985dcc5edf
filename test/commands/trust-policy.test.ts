// `trust-policy check` and `generate` as their users see them.
import { describe, expect, it } from '@jest/globals';
import { ownField, ownList } from '../../src/admission/json.ts';
import { parseCommandLine } from '../../src/cli.ts';
import { runTrustPolicyGenerate } from '../../src/commands/trust-policy-generate.ts';
import { runTrustPolicyCheck } from '../../src/commands/trust-policy-check.ts';
import type { ClientFrom } from '../../src/commands/trust-policy-subjects.ts';
import type { KubeAnswer } from '../../src/kube/answer.ts';
import { KubeError } from '../../src/kube/error.ts';
import { createTestIo } from '../support/command-io.ts';
import {
  AUD,
  ISSUER,
  NAME,
  NOW,
  policyOf,
  PROVIDER,
  PROVIDER_ARN,
  ROLE,
  statement,
  SUB,
  SUBJECT,
} from '../aws/trust-policies.ts';

type Files = Readonly<Record<string, string>>;

const noCluster: ClientFrom = () => {
  throw new Error('want no cluster');
};

async function run(files: Files, args: readonly string[], clientFrom = noCluster) {
  const commandLine = parseCommandLine(['trust-policy', ...args], {});
  if (commandLine.kind !== 'run') throw new Error('want a run');
  const io = createTestIo(files);
  const call = { ...commandLine, io };
  const exit = await (commandLine.command === 'trust-policy check'
    ? runTrustPolicyCheck(call, NOW)
    : runTrustPolicyGenerate(call, clientFrom));
  return { ...io.written(), exit };
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const PAYLOAD = { iss: ISSUER, sub: SUBJECT, aud: ['sts.amazonaws.com'] };
const POLICY = policyOf(statement());
const NOT_CHECKED = {
  rule: 'provider-not-checked',
  severity: 'info',
  message:
    'no --provider was given: whether the account has a provider for the issuer, and whether it takes the audience, was not checked',
};

describe('trust-policy check', () => {
  const check = async (files: Files, ...args: readonly string[]) =>
    run({ p: POLICY, ...files }, ['check', '--policy=p', `--role=${ROLE}`, '-o', 'json', ...args]);
  const ofAccount = ['--service-account=prod/api', `--issuer=${ISSUER}`];
  const verdictOf = async (files: Files, ...args: readonly string[]): Promise<unknown> => {
    const { out, err, exit } = await check(files, ...args);
    expect(err).toBe('');
    const decision: unknown = JSON.parse(out);
    return { exit, decision };
  };

  it('is one JSON document of verdict, reason, error and findings', async () => {
    const key = `Statement[0].Condition.StringEquals["${NAME}:sub"]`;
    expect(await verdictOf({}, ...ofAccount)).toEqual({
      exit: 0,
      decision: {
        verdict: 'allowed',
        reason: `Statement[0] allows it: ${key}: token has ${SUBJECT}, policy asks for ${SUBJECT}`,
        stsError: null,
        findings: [NOT_CHECKED],
      },
    });
    expect(await verdictOf({}, '--service-account=prod/web', `--issuer=${ISSUER}`)).toEqual({
      exit: 1,
      decision: {
        verdict: 'denied',
        reason: `${key}: token has system:serviceaccount:prod:web, policy allows ${SUBJECT}`,
        stsError: { code: 'AccessDenied', message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity' },
        findings: [NOT_CHECKED],
      },
    });
  });

  it('takes a token, claims, or an account, for an audience', async () => {
    const token = `${part({ alg: 'RS256' })}.${part({ ...PAYLOAD, exp: NOW + 1, iat: NOW })}.c2ln`;
    const old = `${part({ alg: 'RS256' })}.${part({ ...PAYLOAD, exp: NOW, iat: NOW })}.c2ln`;
    const timeless = `${part({ alg: 'RS256' })}.${part(PAYLOAD)}.c2ln`;
    const claims = JSON.stringify(PAYLOAD);
    const asked = [
      await verdictOf({ t: token }, '--token=t'),
      await verdictOf({ '-': token }, '--token', '-'),
      await verdictOf({ t: old }, '--token=t'),
      await verdictOf({ t: timeless }, '--token=t'),
      await verdictOf({ c: claims }, '--claims=c'),
      await verdictOf({ c: '{}' }, '--claims=c'),
      await verdictOf({}, ...ofAccount, '--audience=x'),
    ];
    expect(asked).toMatchObject([
      { exit: 0, decision: { verdict: 'allowed' } },
      { exit: 0, decision: { verdict: 'allowed' } },
      { exit: 1, decision: { stsError: { code: 'ExpiredTokenException' } } },
      { exit: 1, decision: { stsError: { message: 'Missing a required claim: exp' } } },
      { exit: 0, decision: { verdict: 'allowed' } },
      { exit: 1, decision: { stsError: { message: 'Missing a required claim: iss' } } },
      { exit: 1, decision: { stsError: { code: 'AccessDenied' } } },
    ]);
  });

  it('refuses a token that is signed as STS does not take it', async () => {
    const token = `${part({ alg: 'HS256' })}.${part({ ...PAYLOAD, exp: NOW + 1, iat: NOW })}.c2ln`;
    expect(await verdictOf({ t: token }, '--token=t')).toMatchObject({
      exit: 1,
      decision: {
        verdict: 'denied',
        stsError: { code: 'InvalidIdentityToken' },
        findings: [{ rule: 'algorithm' }, NOT_CHECKED],
      },
    });
  });

  it('refuses a token that was cut before its signature, with its dot and without', async () => {
    const cut = `${part({ alg: 'RS256' })}.${part({ ...PAYLOAD, exp: NOW + 1, iat: NOW })}`;
    expect(await verdictOf({ t: `${cut}.\n` }, '--token=t')).toMatchObject({
      exit: 1,
      decision: {
        verdict: 'denied',
        reason: 'the token has no signature; it may have been cut where it was copied: take the whole file',
        stsError: {
          code: 'InvalidIdentityToken',
          message: 'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
        },
        findings: [{ rule: 'unsigned' }, NOT_CHECKED],
      },
    });
    await expect(check({ t: cut }, '--token=t')).rejects.toMatchObject({
      problems: [expect.stringMatching(/^"t" holds no JSON Web Token; /)],
    });
  });

  it.each([
    ['as the file has it', PROVIDER],
    ['with https://', { ...PROVIDER, url: ISSUER }],
    ['as IAM prints it', { Url: NAME, ClientIDList: ['sts.amazonaws.com'], ThumbprintList: [] }],
  ])('checks the provider %s', async (_, provider) => {
    expect(await verdictOf({ i: JSON.stringify(provider) }, ...ofAccount, '--provider=i')).toMatchObject({
      exit: 0,
      decision: { verdict: 'allowed', findings: [] },
    });
  });

  it('knows an account without a provider, and one that takes other audiences', async () => {
    expect([
      await verdictOf({ i: 'null' }, ...ofAccount, '--provider=i'),
      await verdictOf({ i: JSON.stringify({ ...PROVIDER, clientIds: [] }) }, ...ofAccount, '--provider=i'),
    ]).toMatchObject([
      { exit: 1, decision: { stsError: { message: `No OpenIDConnect provider found in your account for ${ISSUER}` } } },
      { exit: 1, decision: { stsError: { message: 'Incorrect token audience' } } },
    ]);
  });

  it('takes the policy out of a role as AWS prints it', async () => {
    const roles = [JSON.parse(POLICY), encodeURIComponent(POLICY), POLICY].map((document: unknown) =>
      JSON.stringify({ Role: { RoleName: 'app', AssumeRolePolicyDocument: document } }),
    );
    roles.push(JSON.stringify({ RoleName: 'app', AssumeRolePolicyDocument: JSON.parse(POLICY) as unknown }));
    roles.push(`\uFEFF${roles[0]}`, `\uFEFF${POLICY}`);
    const verdicts = await Promise.all(roles.map(async (p) => verdictOf({ p }, ...ofAccount)));
    expect(verdicts).toMatchObject(roles.map(() => ({ exit: 0, decision: { verdict: 'allowed' } })));
    const beside = {
      Role: { Description: '"AssumeRolePolicyDocument":{', AssumeRolePolicyDocument: JSON.parse(POLICY) as unknown },
    };
    const pretty = JSON.stringify({ ...beside, Tags: [{ Key: 'team–x', Value: '}' }] }, null, 2);
    expect(await verdictOf({ p: pretty }, ...ofAccount)).toMatchObject({ exit: 0, decision: { verdict: 'allowed' } });
    const doubled = `{"Role":{"AssumeRolePolicyDocument":${POLICY.replace('"Effect"', '"Effect":"Deny","Effect"')}}}`;
    const twice = `{"Role":{"AssumeRolePolicyDocument":{},"AssumeRolePolicyDocument":${POLICY}}}`;
    for (const p of [doubled, twice]) {
      expect(await verdictOf({ p }, ...ofAccount)).toMatchObject({
        exit: 1,
        decision: {
          verdict: 'invalid-policy',
          reason: expect.stringContaining(' stands twice in one object'),
        },
      });
    }
    const broken = JSON.stringify({ Role: { AssumeRolePolicyDocument: '%' } });
    const deep = `{"Role":{"AssumeRolePolicyDocument":${'['.repeat(9000)}${']'.repeat(9000)}}}`;
    for (const p of [broken, deep]) {
      expect(await verdictOf({ p }, ...ofAccount)).toMatchObject({ exit: 1, decision: { verdict: 'invalid-policy' } });
    }
  });

  it('says a policy that is none, and what cannot be decided, with exit code 1', async () => {
    const condition = { StringEquals: { ...AUD, ...SUB, 'aws:SourceVpc': 'vpc-1' } };
    expect([
      await verdictOf({ p: '{' }, ...ofAccount),
      await verdictOf({ p: policyOf(statement({ Condition: condition })) }, ...ofAccount),
    ]).toMatchObject([
      {
        exit: 1,
        decision: { verdict: 'invalid-policy', stsError: null, findings: [{ rule: 'invalid-json' }, NOT_CHECKED] },
      },
      { exit: 1, decision: { verdict: 'cannot-decide', stsError: null } },
    ]);
  });

  it('takes text that is no JSON for an invalid policy, and repeats nothing of it', async () => {
    const { out, exit } = await run({ p: '\u001b[2J\u009bx\n' }, [
      'check',
      '--policy=p',
      `--role=${ROLE}`,
      ...ofAccount,
    ]);
    expect([exit, out.split('\n')[0]]).toEqual([1, 'invalid-policy: IAM refuses the policy: the policy is not JSON']);
  });

  it('is readable', async () => {
    const { out } = await run({ p: policyOf(statement({ Action: 'sts:AssumeRole' })) }, [
      'check',
      '--policy=p',
      `--role=${ROLE}`,
      ...ofAccount,
    ]);
    expect(out).toBe(`denied: Statement[0].Action: token has sts:AssumeRoleWithWebIdentity, policy allows sts:AssumeRole
STS would answer AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity

error    wrong-action: Statement[0].Action has sts:AssumeRole; a ServiceAccount's token needs sts:AssumeRoleWithWebIdentity
info     provider-not-checked: ${NOT_CHECKED.message}
`);
    const fine = await run({ p: POLICY, i: JSON.stringify(PROVIDER) }, [
      'check',
      '--policy=p',
      `--role=${ROLE}`,
      ...ofAccount,
      '--provider=i',
    ]);
    expect(fine.out.split('\n').length).toBe(2);
  });

  const want =
    '{"arn": "arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH", "url": "HOST/PATH", "clientIds": ["…"]}, or null';

  it.each([
    [[], {}, ['give one of --token, --claims and --service-account (with --issuer); there is none']],
    [
      ['--token=t', '--claims=c'],
      {},
      ['give one of --token, --claims and --service-account (with --issuer); there is --token and --claims'],
    ],
    [
      ['--role=arn:aws:iam::1:role/app', '--token=t'],
      {},
      ['--role="arn:aws:iam::1:role/app": want arn:aws:iam::ACCOUNT:role/NAME, with an account of 12 digits'],
    ],
    [
      ['--policy=-', '--claims=-'],
      {},
      ['--policy and --claims: standard input can be read once; give the others files'],
    ],
    [['--policy=', '--token=t'], {}, ['--policy: give the file of the trust policy, or - for standard input']],
    [
      ['--service-account=prod'],
      {},
      [
        '--service-account="prod": want one, as NAMESPACE/NAME',
        "--issuer is missing: want the issuer of the cluster's tokens, https://HOST/PATH",
      ],
    ],
    [
      ['--service-account=a/*', `--issuer=${NAME}`, '--audience='],
      {},
      [
        '--service-account="a/*": want one, as NAMESPACE/NAME',
        `--issuer="${NAME}": want the issuer of the cluster's tokens, https://HOST/PATH`,
        '--audience="": want the audience of the tokens',
      ],
    ],
    [
      ['--service-account=a/b', '--service-account=a/c', `--issuer=${ISSUER}`],
      {},
      ['--service-account="a/b a/c": want one, as NAMESPACE/NAME'],
    ],
    [['--token=t', `--issuer=${ISSUER}`], {}, ['--issuer goes with --service-account: a token says its own']],
    [['--token=t', '--audience=x'], {}, ['--audience goes with --service-account: a token says its own']],
    [
      ['--token=t'],
      { t: 'garbage' },
      [
        '"t" holds no JSON Web Token; give the file that AWS_WEB_IDENTITY_TOKEN_FILE names, or the output of kubectl create token',
      ],
    ],
    [
      ['--token=nowhere'],
      {},
      ['--token="nowhere": there is no such file; give the path of a file, or - for standard input'],
    ],
    [
      ['--policy=d', '--token=t'],
      { 'd/x': '' },
      ['--policy="d": it is a directory; give the path of a file, or - for standard input'],
    ],
    ...['', ' \n'].map((p): [string[], Files, unknown[]] => [
      ofAccount,
      { p },
      ['--policy="p": it is empty; give the path of a file, or - for standard input'],
    ]),
    ...['{\0"\0', '\x7FELF\0', '\uFFFD\uFFFD{'].map((p): [string[], Files, unknown[]] => [
      ofAccount,
      { p },
      ['--policy="p": it is not UTF-8 text; save it as that, or give another file'],
    ]),
    [['--claims=c'], { c: '[]' }, ['--claims="c": want a JSON object, the payload of a token']],
    [['--claims=c'], { c: '{' }, ['--claims="c" is not JSON: see line 1, column 2']],
    [[...ofAccount, '--provider=i'], { i: '{}' }, [`--provider="i": want ${want}`]],
    [
      [...ofAccount, '--provider=i'],
      { i: JSON.stringify({ ...PROVIDER, arn: 'x' }) },
      [`--provider="i": want ${want}`],
    ],
    [
      [...ofAccount, '--provider=i'],
      { i: JSON.stringify({ ...PROVIDER, clientIds: [1] }) },
      [`--provider="i": want ${want}`],
    ],
    [
      [...ofAccount, '--policy=of-another'],
      {
        'of-another': JSON.stringify({
          Role: {
            Arn: 'arn:aws:iam::111122223333:role/other',
            AssumeRolePolicyDocument: JSON.parse(POLICY) as unknown,
          },
        }),
      },
      [
        '--policy="of-another" is the policy of "arn:aws:iam::111122223333:role/other", and --role is "arn:aws:iam::111122223333:role/app": give the policy of that role',
      ],
    ],
  ])('refuses %j with %j', async (args, files, problems) => {
    await expect(check(files, ...args)).rejects.toMatchObject({ code: 'usage', problems });
  });
});

describe('trust-policy generate', () => {
  const base = [`--issuer=${ISSUER}`, '--account=111122223333'];
  const generate = async (args: readonly string[], files: Files = {}, clientFrom = noCluster) =>
    run(files, ['generate', ...args], clientFrom);
  const account = (namespace: string, name: string, annotations: Readonly<Record<string, string>>): string =>
    JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name, annotations } });
  const MANIFESTS = [
    account('prod', 'api', { 'eks.amazonaws.com/role-arn': ROLE }),
    account('prod', 'web', { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/web' }),
    account('prod', 'odd', { 'eks.amazonaws.com/role-arn': 'app' }),
    account('prod', 'none', {}),
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { annotations: { 'eks.amazonaws.com/role-arn': ROLE } },
    }),
  ].join('\n');

  it('writes the policy of the guides', async () => {
    expect(await generate([...base, '--service-account=prod/api'])).toEqual({
      out: `${JSON.stringify({ Version: '2012-10-17', Statement: [statement()] }, null, 2)}\n`,
      err: '',
      exit: 0,
    });
  });

  it('takes several accounts, partition and audience', async () => {
    const { out } = await generate([
      ...base,
      '--service-account=a/b',
      '--service-account=c/d,e/f',
      '--partition=aws-cn',
      '--audience=x',
    ]);
    expect(JSON.parse(out)).toMatchObject({
      Statement: [
        {
          Principal: { Federated: PROVIDER_ARN.replace('aws', 'aws-cn') },
          Condition: {
            StringEquals: {
              [`${NAME}:aud`]: 'x',
              [`${NAME}:sub`]: ['a:b', 'c:d', 'e:f'].map((one) => `system:serviceaccount:${one}`),
            },
          },
        },
      ],
    });
  });

  it('takes the names that the server has for account and partition', async () => {
    const names = ['--aws-account-id=111122223333', '--aws-partition=aws'];
    const { out } = await generate([`--issuer=${ISSUER}`, ...names, '--service-account=prod/api']);
    expect(JSON.parse(out)).toEqual({ Version: '2012-10-17', Statement: [statement()] });
  });

  it('warns of a partition that is not known, and of an issuer that is often the mistake', async () => {
    const args = ['--issuer=https://OIDC.example.com', '--account=111122223333', '--service-account=a/b'];
    const { err, exit } = await generate([...args, '--partition=aws-foo']);
    expect([err, exit]).toEqual([
      `warning: --issuer="https://OIDC.example.com": its host has capital letters, which then belong to it in tokens, IAM and trust policies alike; compare them byte by byte
warning: partition "aws-foo" is none of aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-eusc: correct it
`,
      0,
    ]);
  });

  it('knows the partition of an EKS issuer, and of a role', async () => {
    const china = await generate([
      '--issuer=https://oidc.eks.cn-north-1.amazonaws.com.cn/id/A',
      '--account=111122223333',
      '--service-account=a/b',
    ]);
    expect(JSON.parse(china.out)).toMatchObject({
      Statement: [
        {
          Principal: {
            Federated: 'arn:aws-cn:iam::111122223333:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/A',
          },
        },
      ],
    });
    const role = await generate([
      '--issuer=https://issuer.example',
      '--role=arn:aws-us-gov:iam::444455556666:role/x',
      '--service-account=a/b',
    ]);
    expect(JSON.parse(role.out)).toMatchObject({
      Statement: [{ Principal: { Federated: 'arn:aws-us-gov:iam::444455556666:oidc-provider/issuer.example' } }],
    });
  });

  it('warns of a pattern that reaches other namespaces, and refuses one that reaches all', async () => {
    const { err, exit } = await generate([...base, '--service-account=team-*/app']);
    expect([exit, err]).toEqual([0, expect.stringMatching(/^warning {2}unanchored-namespace-wildcard: /)]);
    await expect(generate([...base, '--service-account=*/*'])).rejects.toMatchObject({
      problems: [
        '--service-account="*/*" trusts accounts of every namespace, also of those that others create; name the namespaces, or give --allow-wide',
      ],
    });
    const wide = await generate([...base, '--service-account=*/*', '--allow-wide']);
    expect([wide.exit, wide.err]).toEqual([0, expect.stringMatching(/^error {4}wildcard-all-accounts: /)]);
  });

  it('warns of a policy above the quota', async () => {
    const accounts = Array.from({ length: 60 }, (_, at) => `prod/app-${at}`).join();
    const { err } = await generate([...base, `--service-account=${accounts}`]);
    expect(err).toMatch(/^warning {2}too-long: the policy has \d+ characters, the quota is 2048/);
  });

  it('merges into a policy, and writes Terraform', async () => {
    const { out } = await generate([...base, '--service-account=prod/web', '--merge=p', '--output=terraform'], {
      p: `\uFEFF${POLICY}`,
    });
    expect(out).toMatch(/^data "aws_iam_policy_document" "trust" \{\n {2}statement \{\n/);
    expect(out).toContain(`values   = ["${SUBJECT}", "system:serviceaccount:prod:web"]`);
  });

  it('trusts the accounts of manifests that are annotated with the role', async () => {
    const web = 'arn:aws:iam::111122223333:role/web';
    const issuer = `--issuer=${ISSUER}`;
    const { out } = await generate([issuer, `--role=${ROLE}`, '-f', 'm'], { m: MANIFESTS });
    expect(JSON.parse(out)).toEqual({ Version: '2012-10-17', Statement: [statement()] });
    const one = await generate([issuer, '-f', 'm'], {
      m: account('prod', 'api', { 'eks.amazonaws.com/role-arn': ` ${ROLE}` }),
    });
    expect(one.out).toBe(out);
    await expect(generate([issuer, '-f', 'm'], { m: MANIFESTS })).rejects.toMatchObject({
      problems: [
        `the accounts are annotated with 2 roles, and each has its own policy: choose with --role=${ROLE} or ${web}`,
      ],
    });
    const other = account('prod', 'api', { 'x.example/role-arn': ROLE, 'x.example/audience': 'x' });
    const audience = await generate([issuer, '-f', 'm', '--annotation-prefix=x.example'], { m: other });
    expect(JSON.parse(audience.out)).toMatchObject({
      Statement: [{ Condition: { StringEquals: { [`${NAME}:aud`]: 'x' } } }],
    });
  });

  it('trusts the annotated accounts of a cluster, whose issuer it asks for', async () => {
    let closed = 0;
    const answers: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer: ISSUER },
      '/api/v1/serviceaccounts': {
        items: MANIFESTS.split('\n').map((text): unknown => JSON.parse(text)),
        metadata: { resourceVersion: '1' },
      },
    };
    const client = (status = 200) => ({
      get: async (path: string): Promise<KubeAnswer> =>
        status !== 200 && path.startsWith('/.well')
          ? { status, body: { message: 'not you' }, retryAfterSeconds: undefined }
          : { status: 200, body: answers[path.split('?')[0] ?? ''], retryAfterSeconds: undefined },
      // oxlint-disable-next-line require-yield
      async *stream(): AsyncGenerator<unknown, void> {
        throw new Error('want no watch');
      },
      close: () => void (closed += 1),
    });
    const { out } = await generate(['--from-cluster', `--role=${ROLE}`], {}, () => client());
    expect(JSON.parse(out)).toEqual({ Version: '2012-10-17', Statement: [statement()] });
    const given = await generate(['--from-cluster', `--role=${ROLE}`, `--issuer=${ISSUER}`], {}, () => client(403));
    expect(given.out).toBe(out);
    await expect(generate(['--from-cluster', `--role=${ROLE}`], {}, () => client(403))).rejects.toMatchObject({
      problems: [
        '--from-cluster: the API server answered 403 to /.well-known/openid-configuration: not you; the caller needs the ClusterRole system:service-account-issuer-discovery; or give --issuer',
      ],
    });
    await expect(
      generate(['--from-cluster', '--role=arn:aws:iam::111122223333:role/x'], {}, () => client(404)),
    ).rejects.toMatchObject({
      problems: [
        'no ServiceAccount to trust: none that was read has eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/x; name it by --service-account=NAMESPACE/NAME',
        '--from-cluster: the API server answered 404 to /.well-known/openid-configuration: not you; or give --issuer',
        expect.stringMatching(/^for example: /),
      ],
    });
    const lost = { ...client(), get: async (): Promise<KubeAnswer> => Promise.reject(new Error('no route')) };
    await expect(generate(['--from-cluster', `--role=${ROLE}`], {}, () => lost)).rejects.toMatchObject({
      code: 'usage',
      problems: ['--from-cluster: no route'],
    });
    const forbidden = new KubeError('forbidden', { code: 'refused', status: 403 });
    const stranger = { ...client(), get: async (): Promise<KubeAnswer> => Promise.reject(forbidden) };
    await expect(generate(['--from-cluster', `--role=${ROLE}`], {}, () => stranger)).rejects.toMatchObject({
      problems: ['--from-cluster: forbidden; the caller needs list of serviceaccounts in all namespaces'],
    });
    expect(closed).toBe(6);
  });

  it.each([
    [[...base, '--service-account=Prod/api'], ['--service-account="Prod/api": want NAMESPACE/NAME, in small letters']],
    [
      ['--account=11112222333', `--issuer=${ISSUER}`, '--service-account=a/b'],
      ['--account="11112222333": want an AWS account id, 12 digits'],
    ],
    [
      [`--issuer=${ISSUER}`, '--service-account=a/b'],
      ['--account: give the AWS account of the role, or --role with its ARN'],
    ],
    [
      ['--account=444455556666', `--role=${ROLE}`, `--issuer=${ISSUER}`, '--service-account=a/b'],
      [`--account="444455556666": the role ${ROLE} is of account 111122223333; leave --account out`],
    ],
    [
      ['--partition=aws-cn', `--role=${ROLE}`, `--issuer=${ISSUER}`, '--service-account=a/b'],
      [`--partition="aws-cn": the role ${ROLE} is of partition aws; leave --partition out`],
    ],
    [
      [...base, '--partition=amazon', '--service-account=a/b'],
      ['--partition="amazon": want aws, aws-cn, aws-us-gov or another partition of AWS'],
    ],
    [
      [`--issuer=${ISSUER}`, '--role=app', '--service-account=a/b'],
      ['--role="app": want arn:aws:iam::ACCOUNT:role/NAME, with an account of 12 digits'],
    ],
    [
      ['--account=111122223333', '--issuer=http://x', '--service-account=a/b'],
      ['--issuer="http://x": it is no URL that begins with https://'],
    ],
    [
      [...base, '--service-account=a/b', '--audience='],
      ['--audience="": want the audience of the tokens, sts.amazonaws.com for AWS'],
    ],
    [[...base, '-f', 'nowhere'], ['nowhere: there is no such file; correct the path']],
    [
      [...base, '--service-account=a/b', '--merge=nowhere'],
      ['--merge="nowhere": there is no such file; give the path of a file, or - for standard input'],
    ],
  ])('refuses %j', async (args, problems) => {
    await expect(generate(args)).rejects.toMatchObject({ code: 'usage', problems });
  });

  it('names all that is missing at once, whom to trust first, with an example that works', async () => {
    const noSubject =
      'no ServiceAccount to trust: give --service-account=NAMESPACE/NAME, or annotated ones by -f FILE or --from-cluster';
    const problemsOf = async (args: readonly string[], files: Files = {}): Promise<unknown> =>
      generate(args, files).then(
        () => undefined,
        (error: unknown) => ownField(error, 'problems'),
      );
    const example = expect.stringMatching(/^for example: pod-identity-webhook trust-policy generate --/);
    expect(await problemsOf(base)).toEqual([noSubject, example]);
    expect(await problemsOf([...base, '-f', 'm'], { m: account('prod', 'none', {}) })).toEqual([
      'no ServiceAccount to trust: none that was read has the ARN of a role in eks.amazonaws.com/role-arn; name it by --service-account=NAMESPACE/NAME',
      example,
    ]);
    const all = await problemsOf([]);
    expect(all).toEqual([
      noSubject,
      '--issuer: give the issuer of the cluster’s tokens, as kubectl get --raw /.well-known/openid-configuration names it',
      '--account: give the AWS account of the role, or --role with its ARN',
      example,
    ]);
    const pasted = String(ownList({ all }, 'all').at(-1)).split(' trust-policy generate ')[1] ?? '';
    expect(await generate(pasted.split(' '))).toMatchObject({ err: '', exit: 0 });
  });

  it('refuses to merge into what IAM refuses', async () => {
    await expect(
      generate([...base, '--service-account=a/b', '--merge=p'], { p: '{"Version":"2012-10-17"}' }),
    ).rejects.toMatchObject({
      problems: ['--merge="p": there is no Statement; IAM wants at least one'],
    });
  });
});
