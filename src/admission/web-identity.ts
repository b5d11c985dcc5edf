// What a container gets so that AWS SDKs call sts:AssumeRoleWithWebIdentity.
import type { Variable, Variables } from './container.ts';

export const ROLE_ARN_VARIABLE = 'AWS_ROLE_ARN';
export const TOKEN_FILE_VARIABLE = 'AWS_WEB_IDENTITY_TOKEN_FILE';
export const TOKEN_VOLUME_NAME = 'aws-iam-token';
export const TOKEN_FILE_NAME = 'token';
export const SESSION_NAME_VARIABLE = 'AWS_ROLE_SESSION_NAME';

export interface WebIdentity {
  readonly roleArn: string;
  /** Directory of the token in the container, with slashes also on Windows. */
  readonly mountPath: string;
  readonly windows: boolean;
  /** Take the pod's name as the name of the session. */
  readonly namedSession: boolean;
}

/** What a container still lacks for one way to its credentials. */
export interface MissingCredentials {
  /** In the order to add them. */
  readonly variables: readonly Variable[];
  /** Whether the container reads our token: only then it gets the mount. */
  readonly readsToken: boolean;
  /** The container has a way of its own to credentials, and gets nothing at all. */
  readonly isLeftAlone: boolean;
  readonly warnings: readonly string[];
}

/** Each variable is filled in by itself: a pod that brings one of the two would otherwise have no credentials at all. */
export function webIdentityFor(
  present: Variables,
  { roleArn, mountPath, windows, namedSession }: WebIdentity,
): MissingCredentials {
  const path = `${mountPath}/${TOKEN_FILE_NAME}`;
  const tokenFile = tokenFilePath(path, windows);
  const own = present.get(TOKEN_FILE_VARIABLE);
  const readsToken = !present.has(TOKEN_FILE_VARIABLE) || own === tokenFile || own === path;
  const wanted: readonly Variable[] = [
    { name: ROLE_ARN_VARIABLE, value: roleArn },
    { name: TOKEN_FILE_VARIABLE, value: tokenFile },
    ...(namedSession && readsToken ? [SESSION_NAME] : []),
  ];
  return {
    variables: wanted.filter(({ name }) => !present.has(name)),
    readsToken,
    isLeftAlone: false,
    warnings: [],
  };
}

/** Windows' SDKs want `C:\var\run\…`; the mount path stays as Kubernetes writes it. */
export function tokenFilePath(path: string, windows: boolean): string {
  return windows ? `C:${path.replaceAll('/', '\\')}` : path;
}

// The kubelet fills it in, so that it is right for names that the API server makes from generateName.
const SESSION_NAME: Variable = { name: SESSION_NAME_VARIABLE, valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } };
