// How a pod becomes a role, on a real node and without a stand-in in the pod: the API server calls the webhook in its pod, the
// kubelet projects the token, and the pod's own process, the official SDK, trades it at a strict STS on this machine.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { ownField, ownList, ownString } from '../../src/admission/json.ts';
import { providerArnOf, providerName } from '../../src/aws/oidc-provider.ts';
import { createKubectl } from '../cluster/support/kubectl.ts';
import type { Kubectl } from '../cluster/support/kubectl.ts';
import { credentialsFileOf } from '../cluster/support/kubelet-volume.ts';
import { startAgent } from '../support/agent.ts';
import type { Agent } from '../support/agent.ts';
import { startSts } from '../support/sts.ts';
import type { Sts } from '../support/sts.ts';
import { publishIssuer } from '../support/sts-issuer.ts';
import type { PublishedIssuer } from '../support/sts-issuer.ts';
import { agentAddress, openAgentAddress, watchingIdentities } from './credentials-agent.ts';
import type { AgentAddress } from './credentials-agent.ts';
import { bringClientImage } from './credentials-image.ts';
import { bringImage } from './image.ts';
import { sysctl } from './support/changes.ts';
import { createInstallation, manifestsOf } from './support/installation.ts';
import type { Installation } from './support/installation.ts';
import { missingForNode, nodePaths } from './support/local-node.ts';
import { createWorkloads } from './support/workload.ts';

const missing = missingForNode();
const describeNode = missing === undefined ? describe : describe.skip;

// Of the node's API server, and so of its tokens.
const issuer = 'https://kubernetes.default.svc.cluster.local';
const namespace = 'becoming-a-role';
const identities = 'becoming-a-role-identities';
const roleArn = 'arn:aws:iam::111122223333:role/team/checkout';
const assumed = 'arn:aws:sts::111122223333:assumed-role/checkout';
const madeUp = new RegExp(`^${assumed}/aws-sdk-js-session-\\d{13}$`);

const annotations = { 'eks.amazonaws.com/role-arn': roleArn };
const named = { ...annotations, 'eks.amazonaws.com/role-session-name': 'true' };

function serviceAccount(name: string, annotated: object): object {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name, annotations: annotated } };
}

function trustPolicyOf(providerArn: string): object {
  const prefix = providerName(issuer);
  const subjects = ['checkout', 'named'].map((name) => `system:serviceaccount:${namespace}:${name}`);
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: providerArn },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { [`${prefix}:aud`]: 'sts.amazonaws.com', [`${prefix}:sub`]: subjects } },
      },
    ],
  };
}

describeNode(`on a real node${missing === undefined ? '' : ` (not run: ${missing})`}`, () => {
  let kubectl: Kubectl;
  let clientImage: string;
  let installation: Installation;
  let published: PublishedIssuer;
  let sts: Sts;
  let agent: Agent;
  let agentOnNode: AgentAddress;

  beforeAll(async () => {
    const { kubeconfig, images, hostAddress } = nodePaths();
    kubectl = createKubectl({ kubeconfig, home: images });
    const image = await bringImage(images);
    clientImage = await bringClientImage(images);
    const keySet: unknown = JSON.parse(await kubectl(['get', '--raw', '/openid/v1/jwks']));
    published = await publishIssuer({ issuer, keySet });
    const arn = providerArnOf(issuer, { partition: 'aws', accountId: '111122223333' });
    sts = await startSts({
      providers: [{ arn, url: issuer, clientIds: ['sts.amazonaws.com'] }],
      roles: [{ arn: roleArn, trustPolicy: trustPolicyOf(arn) }],
      fetchPage: published.fetchPage,
      host: hostAddress,
    });
    agent = await startAgent({
      associations: { [`${namespace}/associated`]: 'arn:aws:iam::111122223333:role/associated' },
      issuer,
      fetchPage: published.fetchPage,
      sessions: sts.sessions,
      host: hostAddress,
      calledBy: agentAddress,
    });
    agentOnNode = await openAgentAddress(agent.url);
    const objects = [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      serviceAccount('checkout', annotations),
      serviceAccount('named', named),
      serviceAccount('other', annotations),
      serviceAccount('associated', {}),
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: identities, namespace: 'default' },
        data: { 'identities.json': credentialsFileOf([`${namespace}/associated`]) },
      },
    ];
    await kubectl(['apply', '-f', '-'], manifestsOf(objects));
    const directory = join(import.meta.dirname, 'published', 'upstream');
    const secretName = 'pod-identity-webhook-cert';
    installation = await createInstallation({ kubectl, image, directory, namespace: 'default', secretName });
    await installation.apply({
      Deployment: [...(sysctl.Deployment ?? []), ...(watchingIdentities(identities).Deployment ?? [])],
    });
    await installation.available();
    await createWorkloads({ kubectl, image }).get({ name: 'probe', namespace, account: 'checkout' }, roleArn);
  });

  afterAll(async () => {
    await installation?.uninstall();
    await kubectl?.(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=60s']);
    await kubectl?.(['delete', 'configmap', identities, '-n', 'default', '--ignore-not-found']);
    await agentOnNode?.close();
    await agent?.close();
    await sts?.close();
    await published?.close();
  });

  interface Wish {
    readonly name: string;
    readonly account: string;
    /** Of the pod. */
    readonly securityContext?: object;
    /** The user of each container. Default: one container, of the pod's user. */
    readonly users?: readonly number[];
    /** Of the container's program. */
    readonly args?: readonly string[];
    readonly annotations?: object;
    /** Until the pod ends. Default: 90. */
    readonly timeoutSeconds?: number;
  }

  /** Runs the pod to its end; all lines that its containers have printed. */
  async function printed(wish: Wish): Promise<unknown[]> {
    const { name, account, securityContext = {}, users = [], args = [], timeoutSeconds = 90 } = wish;
    const env = [
      { name: 'AWS_ENDPOINT_URL_STS', value: `http://host.node:${new URL(sts.url).port}` },
      { name: 'AWS_REGION', value: 'eu-west-1' },
      { name: 'AWS_DEFAULT_REGION', value: 'eu-west-1' },
      { name: 'AWS_EC2_METADATA_DISABLED', value: 'true' },
    ];
    const container = { image: clientImage, imagePullPolicy: 'IfNotPresent', env, args };
    const containers =
      users.length === 0
        ? [{ name: 'app', ...container }]
        : users.map((runAsUser) => ({ name: `user-${runAsUser}`, ...container, securityContext: { runAsUser } }));
    const spec = { serviceAccountName: account, restartPolicy: 'Never', securityContext, containers };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, annotations: wish.annotations ?? {} },
      spec,
    };
    await kubectl(['create', '-f', '-'], JSON.stringify(pod));
    const ended = '--for=jsonpath={.status.phase}=Succeeded';
    await kubectl(['wait', ended, `pod/${name}`, '-n', namespace, `--timeout=${timeoutSeconds}s`]);
    const logs = containers.map(async (each) => kubectl(['logs', name, '-c', each.name, '-n', namespace]));
    return (await Promise.all(logs)).flatMap((log) => log.trim().split('\n')).map((line): unknown => JSON.parse(line));
  }

  test("a pod's own process gets the role with the token that the kubelet has projected", async () => {
    const before = sts.calls().length;
    expect(await printed({ name: 'plain', account: 'checkout' })).toEqual([{ arn: expect.stringMatching(madeUp) }]);
    expect(sts.calls().slice(before)).toEqual([
      {
        action: 'AssumeRoleWithWebIdentity',
        roleArn,
        sessionName: expect.stringMatching(/^aws-sdk-js-session-\d{13}$/),
        tokenId: expect.stringMatching(/^[\da-f-]{36}$/),
        outcome: 'ok',
      },
      { action: 'GetCallerIdentity', region: 'eu-west-1', outcome: 'ok' },
    ]);
    const stored: unknown = JSON.parse(await kubectl(['get', 'pod', 'plain', '-n', namespace, '-o', 'json']));
    const [container] = ownList(ownField(stored, 'spec'), 'containers');
    expect(ownList(container, 'env').slice(4)).toEqual([
      { name: 'AWS_ROLE_ARN', value: roleArn },
      { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' },
    ]);
  });

  test.each<[what: string, name: string, securityContext: object]>([
    ['as a user that is not root', 'user', { runAsUser: 1000, runAsNonRoot: true }],
    ['with a group of its files', 'group', { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 }],
  ])('it reads the token %s', async (_what, name, securityContext) => {
    expect(await printed({ name, account: 'checkout', securityContext })).toEqual([
      { arn: expect.stringMatching(madeUp) },
    ]);
  });

  test('containers of different users read it all the same', async () => {
    const arn: unknown = expect.stringMatching(madeUp);
    expect(await printed({ name: 'users', account: 'checkout', users: [1000, 1001] })).toEqual([{ arn }, { arn }]);
  });

  test('the session is called as the pod where the account asks for that', async () => {
    expect(await printed({ name: 'named-6d4cf56db6-x2xvr', account: 'named' })).toEqual([
      { arn: `${assumed}/named-6d4cf56db6-x2xvr` },
    ]);
  });

  test('a pod of an associated account gets its role from the agent on the node', async () => {
    const before = sts.calls().length;
    expect(await printed({ name: 'associated', account: 'associated' })).toEqual([
      {
        arn: expect.stringMatching(
          /^arn:aws:sts::111122223333:assumed-role\/associated\/eks-shop-associated-[\da-f-]{36}$/,
        ),
      },
    ]);
    expect(agent.calls()).toEqual([`system:serviceaccount:${namespace}:associated`]);
    expect(sts.calls().slice(before)).toEqual([{ action: 'GetCallerIdentity', region: 'eu-west-1', outcome: 'ok' }]);
  });

  test('a pod of an account that the role does not trust prints why', async () => {
    expect(await printed({ name: 'other', account: 'other' })).toEqual([
      { error: 'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity' },
    ]);
    expect(ownString(sts.calls().at(-1), 'outcome')).toBe('AccessDenied');
  });

  const patience = process.env['E2E_SLOW'] === '1' ? undefined : 'it takes ten minutes: E2E_SLOW=1 runs it';
  const describePatience = patience === undefined ? describe : describe.skip;
  describePatience(`in the long run${patience === undefined ? '' : ` (not run: ${patience})`}`, () => {
    const firstToken = 600;
    test(
      'the kubelet has replaced a token of ten minutes before it has expired',
      async () => {
        const before = sts.calls().length;
        const arn: unknown = expect.stringMatching(madeUp);
        const annotated = { 'eks.amazonaws.com/token-expiration': String(firstToken) };
        const args = [`--again=${firstToken + 5}`];
        const wish = { name: 'long', account: 'checkout', annotations: annotated, args, timeoutSeconds: 700 };
        expect(await printed(wish)).toEqual([{ arn }, { arn }]);
        const ids = sts
          .calls()
          .slice(before)
          .flatMap(({ tokenId }) => tokenId ?? []);
        expect([ids.length, new Set(ids).size]).toEqual([2, 2]);
      },
      (firstToken + 180) * 1000,
    );
  });
});
