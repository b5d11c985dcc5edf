// What stands for EKS's own webhook: a registration of its name, and a server that does what amazon-eks-pod-identity-webhook
// does to a pod, whole lists and all.
import { createServer } from 'node:https';
import { json } from 'node:stream/consumers';
import { isObject, ownField, ownList, ownString } from '../../../src/admission/json.ts';
import { listening } from '../../cluster/support/listening.ts';
import { mutatingWebhook } from '../../cluster/support/registration.ts';
import { createAuthority } from '../../support/certificates.ts';

export interface EksWebhook {
  /** How many operations each review was answered with. */
  readonly answers: readonly number[];
  /** The registration, under a name that decides who is called first. */
  registration(configuration: string): object;
  close(): Promise<void>;
}

const MOUNT = {
  name: 'aws-iam-token',
  readOnly: true,
  mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount',
};

export async function startEksWebhook(roleArn: string): Promise<EksWebhook> {
  const authority = await createAuthority();
  const { keyPem, certPem } = await authority.issue({ names: ['127.0.0.1'] });
  const answers: number[] = [];
  const server = createServer({ key: keyPem, cert: certPem }, (request, response) => {
    response.setHeader('Content-Type', 'application/json');
    void json(request).then((review) => response.end(answerTo(review)));
  });
  function answerTo(review: unknown): string {
    const asked = ownField(review, 'request');
    const operations = operationsFor(ownField(ownField(asked, 'object'), 'spec'), roleArn);
    answers.push(operations.length);
    const patch = Buffer.from(JSON.stringify(operations)).toString('base64');
    const response = { uid: ownString(asked, 'uid'), allowed: true, patchType: 'JSONPatch', patch };
    return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
  }

  const { port, close } = await listening(server);
  return {
    answers,
    registration: (configuration) =>
      mutatingWebhook({
        configuration,
        name: 'iam-for-pods.amazonaws.com',
        url: `https://127.0.0.1:${port}/mutate`,
        caPem: authority.caPem,
        failurePolicy: 'Ignore',
        reinvocationPolicy: 'IfNeeded',
        timeoutSeconds: 5,
      }),
    close,
  };
}

/** It looks for the two variables and for the names of volume and mount, and then writes the lists as a whole. */
function operationsFor(spec: unknown, roleArn: string): object[] {
  const containers = ownList(spec, 'containers').filter(isObject);
  const names = (container: unknown): unknown[] => ownList(container, 'env').map((each) => ownField(each, 'name'));
  const isDone = containers.every((container) => names(container).includes('AWS_ROLE_ARN'));
  if (isDone) return [];
  const changed = containers.map((container) => ({
    ...container,
    env: [
      ...ownList(container, 'env'),
      { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' },
      { name: 'AWS_DEFAULT_REGION', value: 'eu-central-1' },
      { name: 'AWS_REGION', value: 'eu-central-1' },
      { name: 'AWS_ROLE_ARN', value: roleArn },
      { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${MOUNT.mountPath}/token` },
    ],
    volumeMounts: [...ownList(container, 'volumeMounts'), MOUNT],
  }));
  const token = { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' };
  const volume = { name: MOUNT.name, projected: { sources: [{ serviceAccountToken: token }] } };
  return [
    { op: 'add', path: '/spec/volumes/0', value: volume },
    { op: 'add', path: '/spec/containers', value: changed },
  ];
}
