// `diagnose pod` and `diagnose serviceaccount`: what a cluster has stored, what its issuer publishes, and what STS says.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ownList, ownString } from '../../src/admission/json.ts';
import { REQUIRED_LABEL } from '../../src/admission/mutate.ts';
import type { Jwks } from '../../src/aws/jwks.ts';
import { parseJwks } from '../../src/aws/jwks.ts';
import { tokenClaims } from '../../src/aws/token.ts';
import { parseCommandLine } from '../../src/cli.ts';
import type { DiagnoseClusterOptions } from '../../src/commands/diagnose-cluster.ts';
import { runDiagnoseCluster, targetFrom } from '../../src/commands/diagnose-cluster.ts';
import { injectOptionsFrom } from '../../src/inject-from-flags.ts';
import type { KubeAnswer } from '../../src/kube/answer.ts';
import { bare, healthy } from '../diagnosis/manifests.ts';
import type { Entry, Manifests } from '../diagnosis/manifests.ts';
import { createSigner } from '../support/sts-signer.ts';
import { createAuthority } from '../support/certificates.ts';
import { createTestIo } from '../support/command-io.ts';

const given = (policy: string, roleArn?: string) => ({ text: policy, roleArn });
const YES = '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">';
const signer = createSigner('RS256');
const ISSUER = 'https://oidc.example.com/prod';
const PROVIDER = {
  arn: 'arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod',
  url: 'oidc.example.com/prod',
  clientIds: ['sts.amazonaws.com'],
};
const trustPolicy = (
  subject: string,
  audience = 'sts.amazonaws.com',
  action = 'sts:AssumeRoleWithWebIdentity',
): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: PROVIDER.arn },
        Action: action,
        Condition: {
          StringEquals: {
            'oidc.example.com/prod:sub': `system:serviceaccount:${subject}`,
            'oidc.example.com/prod:aud': audience,
          },
        },
      },
    ],
  });
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const WEBHOOK = {
  name: 'iam-for-pods.amazonaws.com',
  clientConfig: { service: { namespace: 'eks', name: 'pod-identity-webhook' }, caBundle: 'WA==' },
  rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
};
const SLICES =
  '/apis/discovery.k8s.io/v1/namespaces/eks/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dpod-identity-webhook';
const slice = ({ ready }: { readonly ready: boolean }): object => ({
  metadata: { namespace: 'eks', labels: { 'kubernetes.io/service-name': 'pod-identity-webhook' } },
  ports: [
    { name: 'metrics', port: 9443 - 1 },
    { name: 'https', port: 9443 },
  ],
  endpoints: [{ conditions: { ready }, targetRef: { kind: 'Pod', name: 'one' } }],
});

let sts: { readonly url: string; readonly bodies: string[]; answer: { status: number; body: string } };
const stsOf = () => ({ url: sts.url, isNamed: true });
let close: () => Promise<void>;

beforeAll(async () => {
  const bodies: string[] = [];
  const answer = { status: 200, body: '' };
  const server = createServer((request, response) => void answerTo(request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('want a port');
  sts = { url: `http://127.0.0.1:${address.port}`, bodies, answer };
  close = async () => new Promise((resolve) => void server.close(() => resolve()));
});

afterAll(() => close());

async function answerTo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  sts.bodies.push(await text(request));
  response.writeHead(sts.answer.status).end(sts.answer.body);
}

describe('diagnose pod', () => {
  test('finds nothing wrong with a healthy pod', async () => {
    expect(await diagnose(healthy())).toMatchObject({ ids: [], err: '', exit: 0 });
  });

  test('says what it has looked at', async () => {
    sts.answer = { status: 200, body: YES };
    const { out } = await diagnose(healthy(), {
      output: 'text',
      policy: given(trustPolicy('prod:app')),
      provider: PROVIDER,
      stsOf,
    });
    expect(out).toBe(
      `nothing is wrong with the identity of these pods\nasked: what is stored; the trust policy and the provider; the issuer ${ISSUER}; STS at ${sts.url}\n`,
    );
  });

  test('finds what manifests would tell', async () => {
    const manifests = bare();
    expect((await diagnose(manifests)).ids).toEqual(['webhook-down']);
    manifests.account.metadata.annotations = { 'eks.amazonaws.com/rolearn': 'x' };
    expect((await diagnose(manifests)).ids).toEqual(['annotation-key-typo', 'webhook-down']);
  });

  test('looks whether anybody answers at the Service of the webhook', async () => {
    const byUrl = { name: 'iam-for-pods-by-url', clientConfig: { url: 'https://127.0.0.1:23443/mutate' } };
    const idsWhere = async (ready: boolean): Promise<readonly unknown[]> => {
      const others = {
        [CONFIGURATIONS]: { items: [{ metadata: {}, webhooks: [WEBHOOK, byUrl] }] },
        [SLICES]: { items: [slice({ ready })] },
      };
      return (await diagnose(bare(), { others })).ids;
    };
    expect([await idsWhere(false), await idsWhere(true)]).toEqual([['webhook-down'], ['pod-not-mutated']]);
  });

  describe('with a new pod on trial', () => {
    const others = {
      [CONFIGURATIONS]: { items: [{ metadata: {}, webhooks: [WEBHOOK] }] },
      [SLICES]: { items: [slice({ ready: true })] },
    };
    const without = answered(201, { spec: { containers: [{ name: 'main' }] } });
    const withRole = answered(201, { spec: { containers: [{ env: [{ name: 'AWS_ROLE_ARN', value: 'x' }] }] } });
    const demands = (pod: string): boolean => pod.includes(REQUIRED_LABEL);

    test('says that it would get its identity now', async () => {
      const { ids, evidence } = await diagnose(bare(), { others, dryRun: () => withRole });
      expect({
        ids,
        now: evidence[0]?.endsWith('; a new pod of the account gets its identity now, as a dry run shows'),
      }).toEqual({ ids: ['pod-not-mutated'], now: true });
      expect((await diagnose(healthy(), { others, dryRun: () => withRole })).ids).toEqual([]);
    });

    test('tries it as the stored pod is', async () => {
      const tried: unknown[] = [];
      const manifests = bare();
      manifests.pod.metadata.labels = { app: 'web' };
      manifests.pod.metadata.annotations = { 'eks.amazonaws.com/skip-containers': 'x', other: 'y' };
      await diagnose(manifests, {
        others,
        dryRun: (pod) => {
          tried.push(JSON.parse(pod));
          return withRole;
        },
      });
      expect(tried).toEqual([
        expect.objectContaining({
          metadata: {
            generateName: 'diagnose-',
            namespace: 'prod',
            labels: { app: 'web' },
            annotations: { 'eks.amazonaws.com/skip-containers': 'x' },
          },
          spec: expect.objectContaining({
            serviceAccountName: 'app',
            containers: [expect.objectContaining({ name: 'main', image: 'registry.example.com/web:1' })],
          }),
        }),
      ]);
    });

    test('lets one demand its identity, to hear what is passed over for others', async () => {
      const message = `Internal error occurred: failed calling webhook "${WEBHOOK.name}": failed to call webhook: Post "https://x": context deadline exceeded`;
      const dryRun = (pod: string): KubeAnswer => (demands(pod) ? answered(500, { message }) : without);
      const { ids, evidence } = await diagnose(bare(), { others, dryRun });
      expect({ ids, evidence }).toEqual({
        ids: ['webhook-down'],
        evidence: [
          `a new pod of the account gets no identity now, as a dry run shows; the API server cannot call "${WEBHOOK.name}": failed to call webhook: Post "https://x": context deadline exceeded; MutatingWebhookConfiguration , webhook ${WEBHOOK.name}: its Service eks/pod-identity-webhook does not exist`,
        ],
      });
    });

    test('takes the word of the webhook', async () => {
      const message = `admission webhook "${WEBHOOK.name}" denied the request: no role`;
      const dryRun = (pod: string): KubeAnswer => (demands(pod) ? answered(403, { message }) : without);
      const { ids, evidence } = await diagnose(bare(), { others, dryRun });
      expect({ ids, evidence }).toEqual({
        ids: ['pod-not-mutated'],
        evidence: [`a new pod of the account gets no identity now, as a dry run shows; the webhook says: ${message}`],
      });
    });

    test('takes no other word for it', async () => {
      const message = 'admission webhook "policy.example.com" denied the request: no';
      const { ids, err } = await diagnose(bare(), { others, dryRun: () => answered(403, { message }) });
      expect({ ids, err }).toEqual({
        ids: ['pod-not-mutated'],
        err: `not tried with a new pod: ${message}\n`,
      });
    });

    test('looks at the certificate of each pod of the webhook, and says which it could not see', async () => {
      const service = { spec: { ports: [{ name: 'https', port: 443 }] } };
      const dialled: unknown[] = [];
      const { ids, err } = await diagnose(bare(), {
        others: { ...others, '/api/v1/namespaces/eks/services/pod-identity-webhook': service },
        dryRun: () => without,
        dial: {
          pod: async (port) => {
            dialled.push(port);
            throw new Error('pods "one" is forbidden');
          },
          url: () => undefined,
        },
      });
      expect({ ids, dialled, err }).toEqual({
        ids: ['webhook-down'],
        dialled: [{ namespace: 'eks', pod: 'one', port: 9443 }],
        err: `not checked: the certificate of pod-identity-webhook.eks.svc: pods "one" is forbidden\n`,
      });
    });

    test('says nothing of a container that was added to a pod with an identity', async () => {
      const manifests = healthy();
      manifests.pod.spec.containers.push({ name: 'vault-agent', image: 'x' });
      const { ids, evidence } = await diagnose(manifests, { others, dryRun: () => withRole });
      expect([ids, evidence[0]?.includes('dry run')]).toEqual([['pod-not-mutated'], false]);
    });

    test.each([
      [
        'has no such port',
        { spec: { ports: [{ name: 'https', port: 8443 }] } },
        'its Service eks/pod-identity-webhook has no port 443',
      ],
      ['has no pod that is known', { spec: { ports: [{ name: 'other', port: 443 }] } }, undefined],
    ])('says where the Service of the webhook %s', async (_, service, problem) => {
      const { evidence, err } = await diagnose(bare(), {
        others: { ...others, '/api/v1/namespaces/eks/services/pod-identity-webhook': service },
        dryRun: () => without,
      });
      const hint = 'not checked: the certificate of Service eks/pod-identity-webhook, behind which no pod is known\n';
      expect([evidence[0]?.endsWith(problem ?? 'left it alone'), err]).toEqual([
        true,
        problem === undefined ? hint : '',
      ]);
    });

    test('says where the webhook is at an address of another machine, or its Service may not be read', async () => {
      const byUrl = { ...WEBHOOK, clientConfig: { url: 'https://127.0.0.1:23443/mutate', caBundle: 'WA==' } };
      const { err } = await diagnose(bare(), {
        others: { ...others, [CONFIGURATIONS]: { items: [{ metadata: {}, webhooks: [WEBHOOK, byUrl] }] } },
        forbidden: ['/api/v1/namespaces/eks/services/pod-identity-webhook'],
        dryRun: () => without,
      });
      expect(err.split('\n')).toEqual([
        expect.stringMatching(/^not checked: the certificate of Service eks\/pod-identity-webhook: .* 403 /),
        "not checked: the certificate at https://127.0.0.1:23443, which is an address of the API server's own machine",
        '',
      ]);
    });

    test('takes no word of a webhook that knows no dry run', async () => {
      const message = `admission webhook "${WEBHOOK.name}" does not support dry run`;
      const { ids, err } = await diagnose(bare(), { others, dryRun: () => answered(400, { message }) });
      expect({ ids, err }).toEqual({ ids: ['pod-not-mutated'], err: `not tried with a new pod: ${message}\n` });
    });

    test('tries a pod that is not shut out, and says first what befalls all', async () => {
      const manifests = bare();
      const optedOut = structuredClone(manifests.pod);
      optedOut.metadata = {
        ...optedOut.metadata,
        name: 'out',
        labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': '' },
      };
      const pods = { '/api/v1/namespaces/prod/pods': { items: [optedOut, manifests.pod] } };
      const tried: string[] = [];
      const dryRun = (pod: string): KubeAnswer => {
        tried.push(pod);
        return without;
      };
      const target = targetFrom('prod/app', 'serviceaccount');
      const { ids } = await diagnose(manifests, { others: { ...others, ...pods }, dryRun, target });
      expect([ids, tried.some((pod) => pod.includes('skip-pod'))]).toEqual([
        ['webhook-down', 'opted-out-by-label'],
        false,
      ]);
    });

    test('says how to repair a caBundle', async () => {
      const authority = await createAuthority();
      const { keyPem, certPem } = await authority.issue({ names: ['pod-identity-webhook.eks.svc'] });
      const server = createTlsServer({ key: keyPem, cert: certPem });
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const other = Buffer.from((await createAuthority()).caPem, 'utf8').toString('base64');
      const entry = { ...WEBHOOK, clientConfig: { ...WEBHOOK.clientConfig, caBundle: other } };
      const service = { spec: { ports: [{ name: 'https', port: 443 }] } };
      const metadata = { name: 'pod-identity-webhook' };
      try {
        const { fixes } = await diagnose(bare(), {
          others: {
            ...others,
            [CONFIGURATIONS]: { items: [{ metadata, webhooks: [{ name: 'other.example.com' }, entry] }] },
            '/api/v1/namespaces/eks/services/pod-identity-webhook': service,
          },
          dryRun: () => without,
          dial: {
            pod: async () =>
              connect({ host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 }),
            url: () => undefined,
          },
        });
        expect(fixes).toEqual([
          `kubectl patch mutatingwebhookconfiguration pod-identity-webhook --type=json -p '[{"op":"replace","path":"/webhooks/1/clientConfig/caBundle","value":"BASE64_OF_ITS_CA"}]'\n# where the webhook itself or cert-manager writes the caBundle, kubectl logs -n eks deployment/pod-identity-webhook says why it did not, then create its pods again`,
        ]);
      } finally {
        server.close();
      }
    });

    test('tries none where it is known what keeps the webhook from it', async () => {
      const manifests = bare();
      manifests.pod.metadata.labels = { 'eks.amazonaws.com/skip-pod-identity-webhook': '' };
      const dryRun = (): KubeAnswer => {
        throw new Error('want none');
      };
      expect((await diagnose(manifests, { others, dryRun })).ids).toEqual(['opted-out-by-label']);
    });
  });

  test('says the rest where other accounts and the ConfigMap may not be read', async () => {
    const manifests = bare();
    manifests.account.metadata.annotations = {};
    const { ids, err } = await diagnose(manifests, {
      forbidden: ['/api/v1/namespaces/prod/serviceaccounts', '/api/v1/namespaces/eks/configmaps/pod-identity-webhook'],
      configMapNamespace: 'eks',
    });
    expect([ids, err.split('\n').filter((line) => line.startsWith('not checked: ')).length]).toEqual([
      ['annotation-missing', 'webhook-down'],
      2,
    ]);
  });

  test('says what it may not read, and the rest all the same', async () => {
    const { ids, err } = await diagnose(bare(), { forbidden: [CONFIGURATIONS, '/api/v1/namespaces/prod'] });
    expect(ids).toEqual(['pod-not-mutated']);
    expect(err.split('\n').filter((line) => line.startsWith('not checked: '))).toHaveLength(2);
  });

  test.each([
    ['subject-mismatch', trustPolicy('default:app')],
    ['audience-mismatch', trustPolicy('prod:app', 'other')],
    ['wrong-action', trustPolicy('prod:app', 'sts.amazonaws.com', 'sts:AssumeRole')],
  ])('finds %s in the trust policy', async (id, policy) => {
    expect((await diagnose(healthy(), { policy: given(policy), provider: PROVIDER })).ids).toEqual([id]);
  });

  test('finds nothing in a trust policy that fits', async () => {
    expect((await diagnose(healthy(), { policy: given(trustPolicy('prod:app')), provider: PROVIDER })).ids).toEqual([]);
  });

  test.each([
    ['provider-missing', null],
    ['provider-audience', { ...PROVIDER, clientIds: ['other'] }],
  ])('finds %s', async (id, provider) => {
    expect((await diagnose(healthy(), { policy: given(trustPolicy('prod:app')), provider })).ids).toEqual([id]);
  });

  test('asks STS with a new token, and takes its word', async () => {
    sts.answer = { status: 200, body: '<AssumeRoleWithWebIdentityResponse><Credentials>secret</Credentials>' };
    const asked = { stsOf };
    expect((await diagnose(healthy(), asked)).ids).toEqual([]);
    expect(Object.fromEntries(new URLSearchParams(sts.bodies.at(-1)))).toEqual({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::111122223333:role/app',
      RoleSessionName: 'diagnose',
      DurationSeconds: '900',
      WebIdentityToken: expect.any(String),
    });
    const { claims } = tokenClaims(new URLSearchParams(sts.bodies.at(-1)).get('WebIdentityToken') ?? '') ?? {};
    expect([claims?.subject, claims?.audiences]).toEqual(['system:serviceaccount:prod:app', ['sts.amazonaws.com']]);
    const code = 'InvalidIdentityToken';
    const body = `<ErrorResponse><Error><Code>${code}</Code><Message>Incorrect token audience</Message></Error></ErrorResponse>`;
    sts.answer = { status: 400, body };
    expect((await diagnose(healthy(), asked)).ids).toEqual(['provider-audience']);
    sts.answer = { status: 502, body: 'Bad Gateway' };
    expect((await diagnose(healthy(), asked)).err).toBe(
      `STS has not decided: ${sts.url}: it answers 502, and not as STS does\n`,
    );
  });

  test.each([
    ['no token may be made', 403, 'STS was not asked, for want of a token: '],
    ['it is busy', 200, 'it answers Throttling: Rate exceeded'],
  ])('asks STS for nothing that it does not say where %s', async (_, status, said) => {
    sts.answer = {
      status: 400,
      body: '<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>',
    };
    const { ids, err } = await diagnose(healthy(), {
      stsOf,
      ...(status === 403 ? { tokens: answered(403, { message: 'serviceaccounts "app" is forbidden' }) } : {}),
    });
    expect({ ids, said: err.includes(said) }).toEqual({ ids: [], said: true });
  });

  test('reads no more of an answer than STS would send', async () => {
    const refusal = '<Error><Code>AccessDenied</Code></Error>';
    sts.answer = { status: 400, body: `${' '.repeat(100_000)}${refusal}` };
    const { ids, err } = await diagnose(healthy(), { stsOf });
    expect([ids, err]).toEqual([[], `STS has not decided: ${sts.url}: it answers 400, and not as STS does\n`]);
  });

  test('asks for the session as the pod does, in its region', async () => {
    sts.answer = { status: 200, body: YES };
    const manifests = healthy();
    const session = async (entry: Entry): Promise<unknown> => {
      manifests.main.env.push(entry);
      const asked: unknown[] = [];
      await diagnose(manifests, {
        stsOf: (question) => {
          asked.push(question);
          return stsOf();
        },
      });
      expect(asked).toEqual([{ roleArn: 'arn:aws:iam::111122223333:role/app', region: 'eu-west-1' }]);
      manifests.main.env.pop();
      return new URLSearchParams(sts.bodies.at(-1)).get('RoleSessionName');
    };
    const name = 'AWS_ROLE_SESSION_NAME';
    const from = (valueFrom: object): Entry => ({ name, valueFrom });
    expect([
      await session({ name, value: 'orders' }),
      await session({ name, value: '$(POD_NAME)' }),
      await session(from({ fieldRef: { fieldPath: 'metadata.name' } })),
      await session(from({ fieldRef: { fieldPath: 'metadata.uid' } })),
      await session(from({ configMapKeyRef: { name: 'x', key: 'y' } })),
    ]).toEqual(['orders', 'diagnose', 'web', 'diagnose', 'diagnose']);
  });

  test('asks with a token for whom the pod’s own is, and with none that is for somebody else', async () => {
    sts.answer = { status: 200, body: YES };
    const audience = async (own: string): Promise<unknown> => {
      const manifests = healthy();
      manifests.token.audience = own;
      await diagnose(manifests, { stsOf });
      return tokenClaims(new URLSearchParams(sts.bodies.at(-1)).get('WebIdentityToken') ?? '')?.claims.audiences;
    };
    expect([await audience('amazonaws.com'), await audience('vault')]).toEqual([
      ['amazonaws.com'],
      ['sts.amazonaws.com'],
    ]);
  });

  test('asks no STS of AWS for a pod that asks another one', async () => {
    const manifests = healthy();
    manifests.main.env.push({ name: 'AWS_ENDPOINT_URL_STS', value: 'http://localstack:4566' });
    const before = sts.bodies.length;
    const { ids, err } = await diagnose(manifests, { stsOf: () => ({ url: sts.url, isNamed: false }) });
    expect({ ids, err, asked: sts.bodies.length - before }).toEqual({
      ids: [],
      err: 'STS was not asked: the pod asks another one, by AWS_ENDPOINT_URL_STS; name it by --sts-endpoint=URL\n',
      asked: 0,
    });
  });

  test('takes no page that says yes to everything for STS, and follows nobody elsewhere', async () => {
    sts.answer = { status: 200, body: '<html>Welcome</html>' };
    const page = await diagnose(healthy(), { stsOf });
    sts.answer = { status: 302, body: '' };
    const elsewhere = await diagnose(healthy(), { stsOf });
    expect([page.ids, page.err, elsewhere.ids, elsewhere.err]).toEqual([
      [],
      `STS has not decided: ${sts.url}: it answers 200, and not as STS does\n`,
      [],
      `STS has not decided: ${sts.url}: it answers 302, and not as STS does\n`,
    ]);
  });

  test('lets no STS command the terminal, nor choose the role of a command', async () => {
    const message = 'for arn:aws:iam::999999999999:role/evil of system:serviceaccount:kube-system:evil\u001B[2J\u202E';
    const body = `<ErrorResponse><Error><Code>AccessDenied</Code><Message>${message}</Message></Error></ErrorResponse>`;
    sts.answer = { status: 403, body };
    const { out } = await diagnose(healthy(), { stsOf, output: 'text' });
    // oxlint-disable-next-line eslint/no-control-regex
    expect([/[\u001B\u202E]/.test(out), /fix:.*evil/.test(out), /fix:.*role-name app /.test(out)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('judges no policy of another role', async () => {
    const policy = given(trustPolicy('default:app'), 'arn:aws:iam::111122223333:role/other');
    const { ids, err } = await diagnose(healthy(), { policy });
    expect([ids, err]).toEqual([
      [],
      'the trust policy was not judged: --policy is that of arn:aws:iam::111122223333:role/other, and the role is arn:aws:iam::111122223333:role/app\n',
    ]);
  });

  test('judges a provider without a policy', async () => {
    expect((await diagnose(healthy(), { provider: null })).ids).toEqual(['provider-missing']);
    expect((await diagnose(healthy(), { provider: PROVIDER })).ids).toEqual([]);
  });

  test('says what else gives the one text that STS has for all', async () => {
    sts.answer = {
      status: 403,
      body: '<Error><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error>',
    };
    const { ids, evidence } = await diagnose(healthy(), { stsOf });
    expect([ids, evidence[0]?.split('; ').at(-1), evidence[0]?.includes('role-missing')]).toEqual([
      ['subject-mismatch'],
      '--policy=FILE, of aws iam get-role, tells which',
      true,
    ]);
  });

  test('has the audience that the account has set itself taken away', async () => {
    const manifests = healthy();
    manifests.account.metadata.annotations['eks.amazonaws.com/audience'] = 'sts.amazonaws.com.cn';
    manifests.token.audience = 'sts.amazonaws.com.cn';
    const { ids, fixes } = await diagnose(manifests, { provider: PROVIDER, policy: given(trustPolicy('prod:app')) });
    expect([ids, fixes]).toEqual([
      ['provider-audience'],
      ['kubectl annotate serviceaccount app -n prod eks.amazonaws.com/audience-'],
    ]);
  });

  test('names issuer and account in what mends a provider', async () => {
    const { fixes } = await diagnose(healthy(), { provider: null });
    expect(fixes[0]).toContain('aws iam create-open-id-connect-provider --url https://oidc.example.com/prod ');
  });

  test('reads which names Secrets and ConfigMaps bring, and no value', async () => {
    const manifests = healthy();
    manifests.main.envFrom = [{ secretRef: { name: 'aws' } }, { configMapRef: { name: 'aws' } }];
    const others = {
      '/api/v1/namespaces/prod/secrets/aws': { data: { AWS_ACCESS_KEY_ID: 'U0VDUkVU' } },
      '/api/v1/namespaces/prod/configmaps/aws': { data: { AWS_PROFILE: 'prod' } },
    };
    const { ids, out } = await diagnose(manifests, { others });
    expect([ids, out.includes('U0VDUkVU')]).toEqual([['static-keys-win', 'profile-env-set'], false]);
    const forbidden = Object.keys(others);
    const { err } = await diagnose(manifests, { others, forbidden });
    expect(err.split('\n').filter((line) => line.startsWith('not checked: '))).toHaveLength(2);
  });

  test('takes no program of the default account for one of an account that another program runs as', async () => {
    const manifests = bare();
    const { account, pod } = manifests;
    const nginx = structuredClone(pod);
    nginx.metadata.name = 'nginx';
    nginx.spec.serviceAccountName = 'default';
    nginx.spec.containers = [{ name: 'nginx', image: 'nginx' }];
    const others = {
      '/api/v1/namespaces/prod/pods': { items: [pod, nginx] },
      '/api/v1/namespaces/prod/pods/nginx': nginx,
      '/api/v1/namespaces/prod/serviceaccounts': {
        items: [account, { metadata: { name: 'default', namespace: 'prod' } }],
      },
      '/api/v1/namespaces/prod/serviceaccounts/default': { metadata: { name: 'default', namespace: 'prod' } },
    };
    for (const target of [targetFrom('prod/nginx', 'pod'), targetFrom('prod/default', 'serviceaccount')]) {
      expect((await diagnose(manifests, { others, target })).ids).toEqual([]);
    }
  });

  test('asks STS nothing for a pod whose credentials come from the agent', async () => {
    const { ids } = await diagnose(healthy(), {
      containerCredentials: ['prod/app'],
      stsOf: () => {
        throw new Error('want no question');
      },
    });
    expect(ids).not.toContain('unknown');
  });

  test('names only what is below the path that it asks', async () => {
    const target = targetFrom('shop/..', 'pod');
    await expect(diagnose(healthy(), { target })).rejects.toMatchObject({
      problems: ['"shop/..": there is no such pod in the cluster'],
    });
  });

  test('finds an issuer that STS cannot read', async () => {
    const proof = { problem: undefined, isPrivate: false, thumbprint: '', certificates: 2, notAfter: '' };
    const fetch: DiagnoseClusterOptions['fetch'] = async (url) => ({ url, proof, status: 403, text: '' });
    const { ids } = await diagnose(healthy(), { fetch });
    expect([...new Set(ids)]).toEqual(['issuer-keys-unreachable']);
  });

  test('takes an issuer that is not reached from here for one that may be wrong, unless STS has reached it', async () => {
    const fetch: DiagnoseClusterOptions['fetch'] = async (url) => ({ url, failure: 'connect ETIMEDOUT' });
    const alone = await diagnose(healthy(), { fetch });
    sts.answer = { status: 200, body: YES };
    expect({
      ids: alone.ids,
      evidence: alone.evidence,
      bySts: (await diagnose(healthy(), { fetch, stsOf })).ids,
    }).toEqual({
      ids: ['issuer-keys-unreachable'],
      evidence: [`${ISSUER}/.well-known/openid-configuration cannot be reached from here: connect ETIMEDOUT`],
      bySts: [],
    });
  });

  test('finds an issuer whose name nobody else knows', async () => {
    const fetch: DiagnoseClusterOptions['fetch'] = async (url) => ({ url, failure: 'getaddrinfo ENOTFOUND' });
    const issuer = 'https://kubernetes.default.svc.cluster.local';
    const readIssuer = async () => ({ issuer, jwksUri: `${issuer}/jwks`, keys: [], unusable: [] });
    const { ids, evidence } = await diagnose(healthy(), { fetch, readIssuer });
    expect([ids, evidence]).toEqual([
      ['issuer-keys-unreachable'],
      [`${issuer}: its host is a name that only your network knows, and STS must reach it: want a public DNS name`],
    ]);
  });

  test('says where STS does not answer', async () => {
    const place = (isNamed: boolean) => ({ stsOf: () => ({ url: 'http://127.0.0.1:1', isNamed }) });
    const [named, chosen] = [await diagnose(healthy(), place(true)), await diagnose(healthy(), place(false))];
    expect([named.ids, chosen.ids, chosen.err.startsWith('STS does not answer: ')]).toEqual([
      ['network-to-sts'],
      [],
      true,
    ]);
  });

  test('looks at all pods of a ServiceAccount', async () => {
    expect(await diagnose(bare(), { target: targetFrom('prod/app', 'serviceaccount') })).toMatchObject({
      ids: ['webhook-down'],
      exit: 1,
    });
  });

  test.each([
    ['pod', 'web', '"web": want NAMESPACE/NAME, as in shop/orders-7d9c'],
    ['pod', 'prod/other', '"prod/other": there is no such pod in the cluster'],
    ['serviceaccount', 'prod/other', '"prod/other": there is no such ServiceAccount in the cluster'],
  ] as const)('is used wrongly with %s %s', async (subject, target, problem) => {
    const asking = async () => diagnose(healthy(), { target: targetFrom(target, subject) });
    await expect(asking()).rejects.toMatchObject({ problems: [problem] });
  });
});

type Asked = Partial<DiagnoseClusterOptions> & {
  /** By their paths, beside pod and account. */
  readonly others?: Readonly<Record<string, object>>;
  readonly forbidden?: readonly string[];
  /** The API server's answer to a pod that is only tried. */
  readonly dryRun?: (pod: string) => KubeAnswer;
  readonly provider?: typeof PROVIDER | null;
  /** The API server's answer to TokenRequests. */
  readonly tokens?: KubeAnswer;
};

async function diagnose(
  { account, pod }: Manifests,
  { forbidden = [], provider, others = {}, dryRun, tokens, ...asked }: Asked = {},
) {
  const objects: Readonly<Record<string, object>> = {
    '/api/v1/namespaces/prod': { metadata: { name: 'prod' } },
    '/api/v1/namespaces/prod/pods': { items: [pod, { ...pod, status: { phase: 'Failed' } }] },
    '/api/v1/namespaces/prod/pods/web': pod,
    '/api/v1/namespaces/prod/serviceaccounts': { items: [account] },
    '/api/v1/namespaces/prod/serviceaccounts/app': account,
    [CONFIGURATIONS]: { items: [] },
    ...others,
  };
  const io = createTestIo({});
  const commandLine = parseCommandLine(['diagnose', 'pod', 'prod/web'], {});
  if (commandLine.kind !== 'run') throw new Error(`want a run, got ${commandLine.kind}`);
  const exit = await runDiagnoseCluster(
    {
      ...(await injectOptionsFrom(commandLine.flags, io.readFile)),
      target: targetFrom('prod/web', 'pod'),
      output: 'json',
      now: () => 0,
      policy: undefined,
      stsOf: () => undefined,
      dial: {
        pod: async () => Promise.reject(new Error('no pod is reached')),
        url: () => undefined,
      },
      providerOf: () => provider,
      fetch: published,
      readIssuer: async () => ({ issuer: ISSUER, jwksUri: `${ISSUER}/jwks`, keys: jwksOf().keys, unusable: [] }),
      client: {
        get: async (path) => {
          if (forbidden.includes(path.replace(/\?limit=500$/, ''))) return answered(403, { message: 'forbidden' });
          const body = objects[path.replace(/\?limit=500$/, '')];
          if (body === undefined) return answered(404, {});
          return answered(200, 'items' in body ? { metadata: { resourceVersion: '1' }, ...body } : body);
        },
        write: async (path, { body }) => {
          if (path.endsWith('/pods?dryRun=All')) {
            return dryRun?.(JSON.stringify(body)) ?? answered(403, { message: 'pods is forbidden' });
          }
          if (tokens !== undefined) return tokens;
          const [, , , , namespace, , name] = path.split('/');
          const audience = /"audiences":\["([^"]*)"\]/.exec(JSON.stringify(body))?.[1];
          const sub = `system:serviceaccount:${namespace}:${name}`;
          const token = await signer.sign({ iss: ISSUER, sub, aud: [audience], exp: 600 });
          return answered(201, { status: { token } });
        },
      },
      ...asked,
    },
    io,
  );
  const { out, err } = io.written();
  const problems = asked.output === 'text' ? [] : ownList(JSON.parse(out), 'problems');
  const each = (field: string): (string | undefined)[] => problems.map((problem) => ownString(problem, field));
  return { ids: each('id'), evidence: each('evidence'), fixes: each('fix'), out, err, exit };
}

function jwksOf(): Jwks {
  const jwks = parseJwks({ keys: [signer.jwk] });
  if (jwks === undefined) throw new Error('want keys');
  return jwks;
}

/** What the issuer publishes, as it should. */
async function published(url: string): ReturnType<DiagnoseClusterOptions['fetch']> {
  const proof = { problem: undefined, isPrivate: false, thumbprint: '', certificates: 2, notAfter: '' };
  const documents = url.endsWith('/jwks') ? { keys: [signer.jwk] } : { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` };
  return { url, proof, status: 200, text: JSON.stringify(documents) };
}

function answered(status: number, body: object): KubeAnswer {
  return { status, body, retryAfterSeconds: undefined };
}
