// Installations as others publish them, run on a real node with nothing changed but the image: upstream's, kOps' and
// OpenShift's. Their Deployments become available, and a pod of an annotated ServiceAccount runs with its identity.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { createKubectl } from '../cluster/support/kubectl.ts';
import type { Kubectl } from '../cluster/support/kubectl.ts';
import { roleFor, serviceAccount } from '../cluster/support/objects.ts';
import { bringImage } from './image.ts';
import { assignedUser, port443IsReserved, port8443, port8443WithProbe, sysctl } from './support/changes.ts';
import { createInstallation, manifestsOf } from './support/installation.ts';
import type { Change, Installation, InstallationOptions } from './support/installation.ts';
import { missingForNode, nodePaths } from './support/local-node.ts';
import { createWorkloads } from './support/workload.ts';
import type { Identity, Workloads } from './support/workload.ts';

const missing = missingForNode();
const describeNode = missing === undefined ? describe : describe.skip;

const namespace = 'shop';
const mountPath = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const region = [
  { name: 'AWS_DEFAULT_REGION', value: 'us-east-1' },
  { name: 'AWS_REGION', value: 'us-east-1' },
];
const regionalSts = [{ name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' }];

type Publisher = Pick<InstallationOptions, 'directory' | 'namespace' | 'secretName'>;

interface Expected {
  readonly account: string;
  readonly audience: string;
  /** Variables beside the role's own two, in the order in which they stand. */
  readonly before?: readonly { readonly name: string; readonly value: string }[];
}

function identityWith({ account, audience, before = [] }: Expected): Identity {
  const env = [
    ...before,
    { name: 'AWS_ROLE_ARN', value: roleFor(account) },
    { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${mountPath}/token` },
  ];
  const serviceAccountToken = { audience, expirationSeconds: 86_400, path: 'token' };
  return {
    env,
    volumeMounts: [{ name: 'aws-iam-token', readOnly: true, mountPath }],
    volumes: [{ name: 'aws-iam-token', projected: { defaultMode: 420, sources: [{ serviceAccountToken }] } }],
    environment: Object.fromEntries(env.map(({ name, value }) => [name, value])),
    token: {
      aud: [audience],
      sub: `system:serviceaccount:${namespace}:${account}`,
      iss: 'https://kubernetes.default.svc.cluster.local',
    },
  };
}

describeNode(`as published${missing === undefined ? '' : ` (not run: ${missing})`}`, () => {
  let kubectl: Kubectl;
  let image: string;
  let workloads: Workloads;
  let installation: Installation;

  beforeAll(async () => {
    const paths = nodePaths();
    kubectl = createKubectl({ kubeconfig: paths.kubeconfig, home: paths.images });
    image = await bringImage(paths.images);
    workloads = createWorkloads({ kubectl, image });
    const objects = [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      serviceAccount({ namespace, name: 'checkout', roleArn: roleFor('checkout') }),
      // Of these two only kOps' ConfigMap knows a role.
      serviceAccount({ namespace, name: 'mapped' }),
      serviceAccount({ namespace, name: 'later' }),
    ];
    await kubectl(['apply', '-f', '-'], manifestsOf(objects));
  });

  afterAll(async () => {
    await kubectl?.(['delete', 'namespace', namespace, '--timeout=60s']);
  });

  // Each installation is a new one: in a rollout that changes a Service's targetPort, old pods get calls for the new port.
  function installed(publisher: Publisher, change: Change = {}): void {
    beforeAll(async () => {
      const directory = join(import.meta.dirname, 'published', publisher.directory);
      installation = await createInstallation({ kubectl, image, ...publisher, directory });
      await installation.apply(change);
    });
    afterAll(() => installation.uninstall());
  }

  /** Of a new pod of the account, after the installation gives such pods their role. */
  async function identityOf(account: string): Promise<Identity> {
    await installation.available();
    await workloads.get({ name: 'probe', namespace, account }, roleFor(account));
    pods += 1;
    return workloads.run({ name: `${account}-${pods}`, namespace, account });
  }
  let pods = 0;

  describe('by upstream', () => {
    const publisher = { directory: 'upstream', namespace: 'default', secretName: 'pod-identity-webhook-cert' };
    const expected = identityWith({ account: 'checkout', audience: 'sts.amazonaws.com' });

    describe('with nothing changed, where port 443 is reserved', () => {
      installed(publisher);
      test('it ends with a message of two cures', async () => {
        expect(await installation.exit()).toEqual(port443IsReserved);
      });
    });

    describe('with the sysctl that allows the port', () => {
      installed(publisher, sysctl);
      test('a pod runs with its identity', async () => {
        expect(await identityOf('checkout')).toEqual(expected);
      });
    });

    describe('with port 8443 in container and Service', () => {
      installed(publisher, port8443);
      test('a pod runs with its identity', async () => {
        expect(await identityOf('checkout')).toEqual(expected);
      });
    });
  });

  describe('by kOps', () => {
    const publisher = { directory: 'kops', namespace: 'kube-system', secretName: 'pod-identity-webhook-cert' };
    const given = { audience: 'amazonaws.com', before: [...regionalSts, ...region] };

    describe('with nothing changed, where port 443 is reserved', () => {
      installed(publisher);
      test('it ends with a message of two cures', async () => {
        expect(await installation.exit()).toEqual(port443IsReserved);
      });
    });

    describe('with port 8443 in container, probe and Service', () => {
      installed(publisher, port8443WithProbe);
      test('a pod runs with its identity', async () => {
        expect(await identityOf('checkout')).toEqual(identityWith({ account: 'checkout', ...given }));
      });
    });

    describe('with the sysctl that allows the port', () => {
      installed(publisher, sysctl);
      test('a pod runs with its identity', async () => {
        expect(await identityOf('checkout')).toEqual(identityWith({ account: 'checkout', ...given }));
      });

      test('a pod whose ServiceAccount stands in the ConfigMap runs with that role', async () => {
        expect(await identityOf('mapped')).toEqual(identityWith({ account: 'mapped', ...given }));
      });

      test('an entry that is put into the ConfigMap counts without a restart', async () => {
        const config = JSON.stringify({ [`${namespace}/later`]: { RoleARN: roleFor('later') } });
        const patch = JSON.stringify({ data: { config } });
        await kubectl(['patch', 'configmap', 'pod-identity-webhook', '-n', 'kube-system', '--type=merge', '-p', patch]);
        expect(await identityOf('later')).toEqual(identityWith({ account: 'later', ...given }));
      });
    });
  });

  describe('by OpenShift', () => {
    const publisher = {
      directory: 'openshift',
      namespace: 'openshift-cloud-credential-operator',
      secretName: 'pod-identity-webhook',
    };
    const expected = identityWith({ account: 'checkout', audience: 'sts.amazonaws.com', before: region });
    // Where OpenShift's operator runs it.
    const master = 'node-role.kubernetes.io/master';
    beforeAll(() => kubectl(['label', 'node', '--all', '--overwrite', `${master}=`]));
    afterAll(() => kubectl(['label', 'node', '--all', `${master}-`]));

    describe('with nothing changed', () => {
      installed(publisher);
      test('a pod runs with its identity', async () => {
        expect(await identityOf('checkout')).toEqual(expected);
      });
    });

    describe('as the user that the security context constraint restricted-v2 gives it', () => {
      installed(publisher, assignedUser);
      test('a pod runs with its identity', async () => {
        expect(await identityOf('checkout')).toEqual(expected);
      });
    });
  });
});
