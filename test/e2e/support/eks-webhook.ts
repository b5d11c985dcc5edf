// The webhook that EKS brings, as far as another one can see it: its configuration, which nobody else may touch.
import type { Kubectl } from '../../cluster/support/kubectl.ts';
import { createAuthority } from '../../support/certificates.ts';

export interface EksWebhook {
  /** The configuration as it was when nothing of ours was installed, byte for byte as the API server prints it. */
  readonly created: string;
  /** The configuration now. */
  bytes(): Promise<string>;
  /** Removes what was created here; EKS's own stays. */
  remove(): Promise<void>;
}

const kind = 'mutatingwebhookconfigurations';
const name = 'pod-identity-webhook';
const path = `/apis/admissionregistration.k8s.io/v1/${kind}/${name}`;

/** On EKS it is there already. Elsewhere it is created, and calls nobody: nothing listens on that port of the API server. */
export async function createEksWebhook(kubectl: Kubectl): Promise<EksWebhook> {
  const bytes = async (): Promise<string> => kubectl(['get', '--raw', path]);
  const isThere = (await kubectl(['get', kind, '-o', 'name'])).split('\n').some((line) => line.endsWith(`/${name}`));
  if (!isThere) await kubectl(['create', '-f', '-'], JSON.stringify(await configuration()));
  return {
    created: await bytes(),
    bytes,
    remove: async () => void (isThere || (await kubectl(['delete', kind, name, '--ignore-not-found']))),
  };
}

async function configuration(): Promise<object> {
  const { caPem } = await createAuthority();
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name, labels: { 'eks.amazonaws.com/component': 'pod-identity-webhook' } },
    webhooks: [
      {
        name: 'iam-for-pods.amazonaws.com',
        clientConfig: {
          url: 'https://127.0.0.1:23443/mutate',
          caBundle: Buffer.from(caPem, 'utf8').toString('base64'),
        },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: '*' }],
        objectSelector: {
          matchExpressions: [{ key: 'eks.amazonaws.com/skip-pod-identity-webhook', operator: 'DoesNotExist' }],
        },
        failurePolicy: 'Ignore',
        matchPolicy: 'Equivalent',
        reinvocationPolicy: 'IfNeeded',
        sideEffects: 'None',
        timeoutSeconds: 10,
        admissionReviewVersions: ['v1beta1'],
      },
    ],
  };
}
