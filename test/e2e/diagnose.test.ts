// `diagnose pod` on a real node, for what only a kubelet can do: the webhook's own pods are reached through the API server,
// and show the certificate that they serve.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { diagnose } from '../cluster/support/diagnose.ts';
import { createKubectl } from '../cluster/support/kubectl.ts';
import type { Kubectl } from '../cluster/support/kubectl.ts';
import { roleFor, serviceAccount } from '../cluster/support/objects.ts';
import { createAuthority } from '../support/certificates.ts';
import { bringImage } from './image.ts';
import { sysctl } from './support/changes.ts';
import { createInstallation, manifestsOf } from './support/installation.ts';
import type { Installation } from './support/installation.ts';
import { missingForNode, nodePaths } from './support/local-node.ts';
import { createWorkloads } from './support/workload.ts';

const missing = missingForNode();
const describeNode = missing === undefined ? describe : describe.skip;

const namespace = 'diagnosed-shop';

describeNode(`diagnose pod on a real node${missing === undefined ? '' : ` (not run: ${missing})`}`, () => {
  let kubeconfig: string;
  let kubectl: Kubectl;
  let installation: Installation;

  beforeAll(async () => {
    const paths = nodePaths();
    kubeconfig = paths.kubeconfig;
    kubectl = createKubectl({ kubeconfig, home: paths.images });
    const image = await bringImage(paths.images);
    const account = serviceAccount({ namespace, name: 'checkout', roleArn: roleFor('checkout') });
    const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    await kubectl(['apply', '-f', '-'], manifestsOf([shop, account]));
    const directory = join(import.meta.dirname, 'published', 'upstream');
    const secretName = 'pod-identity-webhook-cert';
    installation = await createInstallation({ kubectl, image, directory, namespace: 'default', secretName });
    await installation.apply(sysctl);
    await installation.available();
    await createWorkloads({ kubectl, image }).get(
      { name: 'probe', namespace, account: 'checkout' },
      roleFor('checkout'),
    );
    const app = { name: 'app', image: 'registry.example/app:1' };
    const web = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace },
      spec: { serviceAccountName: 'checkout', containers: [app] },
    };
    await kubectl(['create', '-f', '-'], JSON.stringify(web));
  });

  afterAll(async () => {
    await installation?.uninstall();
    await kubectl?.(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=60s']);
  });

  // The name of the node's issuer is one that no STS could reach.
  test('finds nothing wrong with the webhook where nothing is', async () => {
    expect((await diagnose(`${namespace}/web`, { kubeconfig })).ids).toEqual(['issuer-keys-unreachable']);
  });

  test('finds a certificate that the caBundle does not verify, and shows whose it is', async () => {
    const { caPem } = await createAuthority();
    const value = Buffer.from(caPem, 'utf8').toString('base64');
    const patch = JSON.stringify([{ op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value }]);
    const configuration = 'mutatingwebhookconfiguration/pod-identity-webhook';
    await kubectl(['patch', configuration, '--type=json', '-p', patch]);
    // The API server learns of registrations by a watch, within a second, and says nowhere that it has.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { problems } = await diagnose(`${namespace}/web`, { kubeconfig });
    expect(problems.slice(1)).toEqual([
      expect.objectContaining({
        id: 'webhook-down',
        severity: 'warning',
        evidence: expect.stringMatching(
          /the certificate that it serves \(CN=pod-identity-webhook\.default\.svc, .*\) is not one that its caBundle verifies: its CA is not in the bundle$/,
        ),
      }),
    ]);
  });
});
