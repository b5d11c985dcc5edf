// What a container gets so that AWS SDKs call sts:AssumeRoleWithWebIdentity: CONTRACT's steps 3 and 4.
import type { Variable, Variables } from './container.ts';

export const ROLE_ARN_VARIABLE = 'AWS_ROLE_ARN';
export const TOKEN_FILE_VARIABLE = 'AWS_WEB_IDENTITY_TOKEN_FILE';
export const TOKEN_VOLUME_NAME = 'aws-iam-token';
export const TOKEN_FILE_NAME = 'token';

export interface WebIdentity {
  readonly roleArn: string;
  /** Directory of the token in the container, with slashes also on Windows. */
  readonly mountPath: string;
  readonly windows: boolean;
}

export interface ContainerCredentials {
  /** What is still missing, in the order to append. */
  readonly variables: readonly Variable[];
  /** Whether the container reads our token: only then it gets the mount. */
  readonly readsToken: boolean;
}

/** Each variable is filled in by itself: a pod that brings one of the two would otherwise have no credentials at all. */
export function webIdentityFor(
  variables: Variables,
  { roleArn, mountPath, windows }: WebIdentity,
): ContainerCredentials {
  const path = `${mountPath}/${TOKEN_FILE_NAME}`;
  const tokenFile = tokenFilePath(path, windows);
  const present = variables.get(TOKEN_FILE_VARIABLE);
  const wanted: readonly Variable[] = [
    { name: ROLE_ARN_VARIABLE, value: roleArn },
    { name: TOKEN_FILE_VARIABLE, value: tokenFile },
  ];
  return {
    variables: wanted.filter(({ name }) => !variables.has(name)),
    readsToken: !variables.has(TOKEN_FILE_VARIABLE) || present === tokenFile || present === path,
  };
}

/** Windows' SDKs want `C:\var\run\…`; the mount path stays as Kubernetes writes it. */
export function tokenFilePath(path: string, windows: boolean): string {
  return windows ? `C:${path.replaceAll('/', '\\')}` : path;
}
