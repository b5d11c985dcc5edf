// The two ways to credentials, as inject() needs them: which token, where it is mounted, what a container lacks.
import type { Variables } from './container.ts';
import { AGENT_LABEL, containerCredentialsFor } from './container-credentials.ts';
import { jittered } from './expiration.ts';
import type { Identity } from './identity.ts';
import type { JsonObject } from './json.ts';
import { isWindows, literalNameOf } from './pod.ts';
import type { Settings } from './settings.ts';
import type { TokenProjection } from './token-volume.ts';
import type { MissingCredentials } from './web-identity.ts';
import { TOKEN_FILE_NAME, TOKEN_VOLUME_NAME, webIdentityFor } from './web-identity.ts';

export interface CredentialMethod {
  readonly projection: TokenProjection;
  readonly mountPath: string;
  /** A label that the pod gets. */
  readonly label?: { readonly key: string; readonly value: string };
  readonly warnings: readonly string[];
  missing(present: Variables, containerName: string): MissingCredentials;
}

export interface MethodOptions {
  readonly identity: Identity;
  readonly settings: Settings;
  /** Before it is spread. */
  readonly expirationSeconds: number;
  /** Of the review. */
  readonly uid: string;
}

export function methodFor(pod: JsonObject, options: MethodOptions): CredentialMethod {
  return options.identity.method === 'container_credentials' ? agent(pod, options) : webIdentity(pod, options);
}

function webIdentity(pod: JsonObject, { identity, settings, expirationSeconds, uid }: MethodOptions): CredentialMethod {
  const { tokenMountPath: mountPath, jitteredExpiration } = settings;
  const wantsName = identity.namedSession ?? settings.roleSessionName;
  const unfit = wantsName ? sessionNameProblem(pod) : undefined;
  const access = {
    roleArn: identity.roleArn ?? '',
    mountPath,
    windows: isWindows(pod),
    namedSession: wantsName && unfit === undefined,
  };
  return {
    projection: {
      volumeName: TOKEN_VOLUME_NAME,
      path: TOKEN_FILE_NAME,
      audience: identity.audience ?? settings.tokenAudience,
      expirationSeconds: jitteredExpiration ? jittered(expirationSeconds, uid) : expirationSeconds,
    },
    mountPath,
    warnings: unfit === undefined ? [] : [unfit],
    missing: (present) => webIdentityFor(present, access),
  };
}

function agent(pod: JsonObject, { settings, expirationSeconds, uid }: MethodOptions): CredentialMethod {
  const access = { ...settings.containerCredentials, windows: isWindows(pod) };
  return {
    projection: {
      volumeName: access.volumeName,
      path: access.tokenPath,
      audience: access.audience,
      expirationSeconds: jittered(expirationSeconds, uid),
    },
    mountPath: access.mountPath,
    label: { key: AGENT_LABEL, value: 'enabled' },
    warnings: [],
    missing: (present, containerName) => containerCredentialsFor(present, containerName, access),
  };
}

/** STS takes session names of 2 to 64 characters. What the API server makes of generateName has 63 at most. */
function sessionNameProblem(pod: JsonObject): string | undefined {
  const name = literalNameOf(pod);
  if (name === undefined || (name.length >= 2 && name.length <= 64)) return undefined;
  return `no AWS_ROLE_SESSION_NAME: the pod's name has ${name.length} characters, and STS takes 2 to 64`;
}
