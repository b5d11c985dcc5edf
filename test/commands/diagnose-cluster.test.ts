// `diagnose pod` and `diagnose serviceaccount`: what a cluster has stored, what its issuer publishes, and what STS says.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../src/cli.ts';
import type { DiagnoseClusterOptions } from '../../src/commands/diagnose-cluster.ts';
import { runDiagnoseCluster } from '../../src/commands/diagnose-cluster.ts';
import { injectOptionsFrom } from '../../src/inject-from-flags.ts';
import type { KubeAnswer } from '../../src/kube/answer.ts';
import { bare, healthy } from '../diagnosis/manifests.ts';
import type { Manifests } from '../diagnosis/manifests.ts';
import { createTestIo } from '../support/command-io.ts';

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
const UNCHECKED = 'what the issuer publishes was not checked: ';
/** Of this machine: nobody publishes anything at that name. */
const NO_ISSUER = `${UNCHECKED}--issuer="${ISSUER}": ${ISSUER}/.well-known/openid-configuration cannot be reached from here: none\n`;

let sts: { readonly url: string; readonly bodies: string[]; answer: { status: number; body: string } };
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
    expect(await diagnose(healthy())).toEqual({ ids: [], err: NO_ISSUER, exit: 0 });
  });

  test('finds what manifests would tell', async () => {
    const manifests = bare();
    expect((await diagnose(manifests)).ids).toEqual(['webhook-down']);
    manifests.account.metadata.annotations = { 'eks.amazonaws.com/rolearn': 'x' };
    expect((await diagnose(manifests)).ids).toEqual(['annotation-key-typo', 'webhook-down']);
  });

  test('looks whether anybody answers at the Service of the webhook', async () => {
    const service = { namespace: 'eks', name: 'pod-identity-webhook' };
    const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
    const webhook = { name: 'iam-for-pods.amazonaws.com', clientConfig: { service, caBundle: 'WA==' }, rules: [rule] };
    const byUrl = { name: 'iam-for-pods-by-url', clientConfig: { url: 'https://127.0.0.1:23443/mutate' } };
    const slices = (ready: boolean): object => ({
      items: [
        {
          metadata: { namespace: 'eks', labels: { 'kubernetes.io/service-name': service.name } },
          endpoints: [{ conditions: { ready } }],
        },
      ],
    });
    const idsWhere = async (ready: boolean): Promise<readonly unknown[]> => {
      const path =
        '/apis/discovery.k8s.io/v1/namespaces/eks/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dpod-identity-webhook';
      const others = {
        [CONFIGURATIONS]: { items: [{ metadata: {}, webhooks: [webhook, byUrl] }] },
        [path]: slices(ready),
      };
      return (await diagnose(bare(), { others })).ids;
    };
    expect([await idsWhere(false), await idsWhere(true)]).toEqual([['webhook-down'], ['pod-not-mutated']]);
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
    expect((await diagnose(healthy(), { policy, provider: PROVIDER })).ids).toEqual([id]);
  });

  test('finds nothing in a trust policy that fits', async () => {
    expect((await diagnose(healthy(), { policy: trustPolicy('prod:app'), provider: PROVIDER })).ids).toEqual([]);
  });

  test.each([
    ['provider-missing', null],
    ['provider-audience', { ...PROVIDER, clientIds: ['other'] }],
  ])('finds %s', async (id, provider) => {
    expect((await diagnose(healthy(), { policy: trustPolicy('prod:app'), provider })).ids).toEqual([id]);
  });

  test('asks STS with a new token, and takes its word', async () => {
    sts.answer = { status: 200, body: '<Credentials>secret</Credentials>' };
    const stsEndpoint = sts.url;
    expect((await diagnose(healthy(), { stsEndpoint })).ids).toEqual([]);
    expect(Object.fromEntries(new URLSearchParams(sts.bodies.at(-1)))).toEqual({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::111122223333:role/app',
      RoleSessionName: 'diagnose',
      DurationSeconds: '900',
      WebIdentityToken: 'token of prod/app for sts.amazonaws.com',
    });
    const code = 'InvalidIdentityToken';
    const body = `<ErrorResponse><Error><Code>${code}</Code><Message>Incorrect token audience</Message></Error></ErrorResponse>`;
    sts.answer = { status: 400, body };
    expect((await diagnose(healthy(), { stsEndpoint })).ids).toEqual(['provider-audience']);
    sts.answer = { status: 502, body: 'Bad Gateway' };
    expect((await diagnose(healthy(), { stsEndpoint })).err).toBe(
      `STS was not asked: ${stsEndpoint} does not answer from here: it answers 502, and not as STS does\n${NO_ISSUER}`,
    );
  });

  test('finds an issuer that STS cannot read', async () => {
    const proof = { problem: undefined, isPrivate: false, thumbprint: '', certificates: 2, notAfter: '' };
    const fetch: DiagnoseClusterOptions['fetch'] = async (url) => ({ url, proof, status: 403, text: '' });
    const { ids } = await diagnose(healthy(), { fetch });
    expect([...new Set(ids)]).toEqual(['issuer-keys-unreachable']);
  });

  test('looks at all pods of a ServiceAccount', async () => {
    expect(await diagnose(bare(), { subject: 'serviceaccount', target: 'prod/app' })).toMatchObject({
      ids: ['webhook-down'],
      exit: 1,
    });
  });

  test.each([
    ['pod', 'web', '"web": want NAMESPACE/NAME, as in shop/orders-7d9c'],
    ['pod', 'prod/other', '"prod/other": there is no such pod in the cluster'],
    ['serviceaccount', 'prod/other', '"prod/other": there is no such ServiceAccount in the cluster'],
  ] as const)('is used wrongly with %s %s', async (subject, target, problem) => {
    await expect(diagnose(healthy(), { subject, target })).rejects.toMatchObject({ problems: [problem] });
  });
});

type Asked = Partial<DiagnoseClusterOptions> & {
  /** By their paths, beside pod and account. */
  readonly others?: Readonly<Record<string, object>>;
  readonly forbidden?: readonly string[];
  readonly provider?: typeof PROVIDER | null;
};

async function diagnose({ account, pod }: Manifests, { forbidden = [], provider, others = {}, ...asked }: Asked = {}) {
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
      subject: 'pod',
      target: 'prod/web',
      output: 'json',
      now: () => 0,
      policy: undefined,
      stsEndpoint: undefined,
      providerOf: () => provider,
      fetch: async (url) => ({ url, failure: 'none' }),
      readIssuer: async () => ({ issuer: ISSUER, jwksUri: `${ISSUER}/jwks`, keys: [], unusable: [] }),
      client: {
        get: async (path) => {
          if (forbidden.includes(path)) return answered(403, { message: 'forbidden' });
          const body = objects[path];
          return body === undefined ? answered(404, {}) : answered(200, body);
        },
        write: async (path, { body }) => {
          const [, , , , namespace, , name] = path.split('/');
          const audience = /"audiences":\["([^"]*)"\]/.exec(JSON.stringify(body))?.[1];
          return answered(201, { status: { token: `token of ${namespace}/${name} for ${audience}` } });
        },
      },
      ...asked,
    },
    io,
  );
  const { out, err } = io.written();
  return { ids: [...out.matchAll(/"id": "([^"]*)"/g)].map(([, id]) => id), err, exit };
}

function answered(status: number, body: object): KubeAnswer {
  return { status, body, retryAfterSeconds: undefined };
}
