// The whole way from an annotated ServiceAccount to AWS credentials, with stand-ins only for what no test can have: AWS itself
// and a node. The pods are mutated by our program and stored by a real API server, which also issues their tokens; the keys that
// STS fetches are its own, published where its issuer says.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownField, ownString } from '../../../src/admission/json.ts';
import { providerArnOf, providerName } from '../../../src/aws/oidc-provider.ts';
import { startAgent } from '../../support/agent.ts';
import type { Agent } from '../../support/agent.ts';
import { createKubelet } from '../../support/kubelet.ts';
import type { TokenSource } from '../../support/kubelet-tokens.ts';
import { startSts } from '../../support/sts.ts';
import type { Role, Sts } from '../../support/sts.ts';
import type { ClientProcess } from '../../support/sts-clients.ts';
import { documentPaths, publishIssuer } from '../../support/sts-issuer.ts';
import type { PublishedIssuer } from '../../support/sts-issuer.ts';
import type { Provider } from '../../support/sts-token.ts';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane, ControlPlaneOptions } from './control-plane.ts';
import { credentialsFileOf } from './kubelet-volume.ts';
import { startWebhook } from './webhook.ts';
import type { Webhook } from './webhook.ts';

export const issuer = 'https://oidc.example.com/clusters/shop';

/** A pod as its author writes it. */
export interface PodWish {
  readonly account: string;
  readonly name?: string;
  readonly env?: readonly object[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly securityContext?: object;
}

export interface StoredPod {
  readonly name: string;
  /** As the API server has stored it. */
  readonly stored: unknown;
  /** A new process of its container: only what the stored pod says. */
  process(): ClientProcess;
  /** Path of its token file. */
  readonly tokenFile: string;
  /** Lets the kubelet look after it. */
  sync(): Promise<void>;
}

export interface Aws {
  readonly controlPlane: ControlPlane;
  readonly published: PublishedIssuer;
  readonly sts: Sts;
  readonly agent: Agent;
  readonly webhook: Webhook;
  /** What IAM says of the role of shop/checkout. */
  readonly checkoutTrustPolicy: unknown;
  /** What STS reads; what a test changes, it puts back. */
  readonly iam: { readonly providers: Provider[]; readonly roles: Role[] };
  /** Milliseconds by which the clocks of STS and kubelet are ahead of the real one. */
  readonly ahead: { sts: number; kubelet: number };
  /** Publishes what the API server says of itself, again. */
  publish(): void;
  create(wish: PodWish): Promise<StoredPod>;
  close(): Promise<void>;
}

export async function startAws(options: Pick<ControlPlaneOptions, 'serviceAccountKey'> = {}): Promise<Aws> {
  const controlPlane = await startControlPlane({ ...options, serviceAccountIssuer: issuer });
  const { kubectl, workspace } = controlPlane;
  const paths = documentPaths(issuer);
  const documents = {
    [paths.discovery]: await kubectl(['get', '--raw', '/.well-known/openid-configuration']),
    [paths.keys]: await kubectl(['get', '--raw', '/openid/v1/jwks']),
  };
  const published = await publishIssuer({ issuer, keySet: { keys: [] } });
  published.publish(documents);
  const ahead = { sts: 0, kubelet: 0 };
  const now = (): number => Date.now() + ahead.sts;
  const { fetchPage } = published;
  const iam = { providers: [provider], roles: [...roles] };
  const sts = await startSts({ ...iam, fetchPage, now });
  const associations = { 'shop/associated': 'arn:aws:iam::111122223333:role/associated' };
  const agent = await startAgent({ associations, issuer, fetchPage, sessions: sts.sessions, now });
  const identities = join(workspace.directory, 'identities.json');
  writeFileSync(identities, credentialsFileOf(Object.keys(associations)));
  const webhook = await startWebhook({
    controlPlane,
    failurePolicy: 'Fail',
    flags: [
      '--aws-default-region=eu-west-1',
      '--sts-regional-endpoint',
      `--watch-container-credentials-config=${identities}`,
      `--container-credentials-full-uri=${agent.url}`,
    ],
  });
  await kubectl(['apply', '-f', join(import.meta.dirname, '../manifests/credentials.yaml')]);
  const kubelet = createKubelet({
    source: tokenRequests(controlPlane),
    directory: join(workspace.directory, 'pods'),
    now: () => Date.now() + ahead.kubelet,
    random: Math.random,
  });
  let count = 0;

  async function create(wish: PodWish): Promise<StoredPod> {
    count += 1;
    const { name = `${wish.account}-${count}` } = wish;
    await kubectl(['create', '-f', '-'], JSON.stringify(podOf({ ...wish, name }, sts.url)));
    const stored: unknown = JSON.parse(await kubectl(['get', 'pod', name, '-n', 'shop', '-o', 'json']));
    await kubelet.sync(stored);
    const environment = kubelet.environmentOf(stored, 'app');
    return {
      name,
      stored,
      tokenFile: environment['AWS_WEB_IDENTITY_TOKEN_FILE'] ?? '',
      sync: () => kubelet.sync(stored),
      process: () => {
        count += 1;
        const home = join(workspace.directory, `home-${count}`);
        mkdirSync(home);
        return { environment, home };
      },
    };
  }

  return {
    controlPlane,
    published,
    sts,
    agent,
    webhook,
    checkoutTrustPolicy: roles[0]?.trustPolicy,
    iam,
    ahead,
    publish: () => published.publish(documents),
    create,
    close: async () => {
      await agent.close();
      await sts.close();
      await published.close();
      await controlPlane.stop();
    },
  };
}

// What an administrator has set up in the AWS account of the roles.
const account = { partition: 'aws', accountId: '111122223333' };
const provider: Provider = {
  arn: providerArnOf(issuer, account),
  url: issuer,
  clientIds: ['sts.amazonaws.com'],
};
const roles = [
  role('team/checkout', { StringEquals: subject('checkout') }),
  role('named', { StringEquals: subject('named') }),
  role('nightly', { StringLike: subject('nightly-*') }),
];

function role(name: string, condition: object): { readonly arn: string; readonly trustPolicy: object } {
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: provider.arn },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: condition,
  };
  const trustPolicy = { Version: '2012-10-17', Statement: [statement] };
  return { arn: `arn:aws:iam::${account.accountId}:role/${name}`, trustPolicy };
}

function subject(name: string): object {
  const prefix = providerName(issuer);
  return { [`${prefix}:aud`]: 'sts.amazonaws.com', [`${prefix}:sub`]: `system:serviceaccount:shop:${name}` };
}

function podOf(wish: PodWish & { readonly name: string }, stsUrl: string): object {
  const { name, account: serviceAccountName, env = [], annotations = {}, securityContext = {} } = wish;
  const own = [
    { name: 'AWS_ENDPOINT_URL_STS', value: stsUrl },
    // An SDK that has found nothing else would look for a virtual machine's role, for seconds.
    { name: 'AWS_EC2_METADATA_DISABLED', value: 'true' },
    ...env,
  ];
  const container = { name: 'app', image: 'registry.example/app:1', env: own };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', annotations },
    spec: { serviceAccountName, securityContext, containers: [container] },
  };
}

/** The API server's TokenRequest, bound to the pod, as the kubelet asks for it. */
function tokenRequests({ api }: ControlPlane): TokenSource {
  return async ({ pod, serviceAccount, audience, expirationSeconds }) => {
    const { status, body } = await api.call({
      method: 'POST',
      path: `/api/v1/namespaces/${pod.namespace}/serviceaccounts/${serviceAccount}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          // Without an audience it is the API server's own, as for the token that every pod has.
          audiences: audience === '' ? [] : [audience],
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid },
        },
      },
    });
    const issued = ownField(body, 'status');
    const token = ownString(issued, 'token');
    const expires = ownString(issued, 'expirationTimestamp');
    if (status !== 201 || token === undefined || expires === undefined) {
      throw new Error(`${status}: ${JSON.stringify(body)}`);
    }
    return { token, expiresMs: Date.parse(expires) };
  };
}
