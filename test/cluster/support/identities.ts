// What a stored pod has of an identity, and how each of the two kinds looks there. The API server's own token volume,
// which every pod has, is none.
import { isObject, ownField, ownList, ownString } from '../../../src/admission/json.ts';

export interface StoredIdentity {
  readonly labels: unknown;
  /** Of each container, in their order. */
  readonly containers: readonly { readonly name: string; readonly env: unknown; readonly volumeMounts: unknown }[];
  readonly volumes: unknown;
}

const roleMountPath = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const agentMountPath = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount';
const agentName = 'eks-pod-identity-token';

/** The time that an agent's token lives, 22 to 24 hours by chance, is shown as 86400. */
export function identityOf(stored: unknown): StoredIdentity {
  const pod = withoutSpread(stored);
  const spec = ownField(pod, 'spec');
  return {
    labels: ownField(ownField(pod, 'metadata'), 'labels') ?? {},
    containers: ownList(spec, 'containers').map((container) => ({
      name: ownString(container, 'name') ?? '',
      env: ownField(container, 'env') ?? [],
      volumeMounts: ownList(container, 'volumeMounts').filter(isOurs),
    })),
    volumes: ownList(spec, 'volumes').filter(isOurs),
  };
}

export function noIdentity(): StoredIdentity {
  return { labels: {}, containers: [{ name: 'app', env: [], volumeMounts: [] }], volumes: [] };
}

/** Of a pod of `pod()`. `variables`: those that come before the role. */
export function roleIdentity(roleArn: string, variables: readonly object[] = []): StoredIdentity {
  const env = [
    ...variables,
    { name: 'AWS_ROLE_ARN', value: roleArn },
    { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${roleMountPath}/token` },
  ];
  return {
    labels: {},
    containers: [{ name: 'app', env, volumeMounts: [mountOf('aws-iam-token', roleMountPath)] }],
    volumes: [volumeOf('aws-iam-token', { audience: 'sts.amazonaws.com', path: 'token' })],
  };
}

/** Of a pod of `pod()`: EKS Pod Identity. */
export function agentIdentity(variables: readonly object[] = []): StoredIdentity {
  const env = [
    ...variables,
    { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' },
    { name: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', value: `${agentMountPath}/${agentName}` },
  ];
  return {
    labels: { 'eks.amazonaws.com/pod-identity': 'enabled' },
    containers: [{ name: 'app', env, volumeMounts: [mountOf(agentName, agentMountPath)] }],
    volumes: [volumeOf(agentName, { audience: 'pods.eks.amazonaws.com', path: agentName })],
  };
}

const agentToken = /("audience":"pods\.eks\.amazonaws\.com","expirationSeconds":)(\d+)/g;

/** Seconds of each agent's token in the pod. */
export function agentExpirationsOf(stored: unknown): number[] {
  return [...JSON.stringify(stored).matchAll(agentToken)].map(([, , seconds]) => Number(seconds));
}

/** Only what lies within EKS' own two hours is shown as 86400: anything else stays to be seen. */
export function withoutSpread(stored: unknown): unknown {
  const text = JSON.stringify(stored).replaceAll(agentToken, (whole, before: string, seconds: string) =>
    Number(seconds) >= 79_200 && Number(seconds) <= 86_400 ? `${before}86400` : whole,
  );
  return JSON.parse(text);
}

function isOurs(named: unknown): boolean {
  return isObject(named) && ownString(named, 'name')?.startsWith('kube-api-access-') === false;
}

function mountOf(name: string, mountPath: string): object {
  return { name, mountPath, readOnly: true };
}

function volumeOf(name: string, { audience, path }: { readonly audience: string; readonly path: string }): object {
  const serviceAccountToken = { audience, expirationSeconds: 86_400, path };
  return { name, projected: { defaultMode: 420, sources: [{ serviceAccountToken }] } };
}
