// What a container gets so that AWS SDKs ask the EKS Pod Identity agent for credentials.
import type { Variable, Variables } from './container.ts';
import type { ContainerCredentialsSettings } from './settings.ts';
import type { MissingCredentials } from './web-identity.ts';
import { ROLE_ARN_VARIABLE, TOKEN_FILE_VARIABLE, tokenFilePath } from './web-identity.ts';
import { quoted } from './warning.ts';

export const FULL_URI_VARIABLE = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
export const AUTHORIZATION_FILE_VARIABLE = 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE';
const RELATIVE_URI_VARIABLE = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI';
const AUTHORIZATION_VARIABLE = 'AWS_CONTAINER_AUTHORIZATION_TOKEN';

/** The pod's label that says which way it gets its credentials; it does not follow `--annotation-prefix`. */
export const AGENT_LABEL = 'eks.amazonaws.com/pod-identity';

export interface AgentAccess extends ContainerCredentialsSettings {
  readonly windows: boolean;
}

/** A container that brings an endpoint of its own is left alone: our token must not go to a foreign one. */
export function containerCredentialsFor(
  present: Variables,
  container: string,
  access: AgentAccess,
): MissingCredentials {
  const path = `${access.mountPath}/${access.tokenPath}`;
  const tokenFile = tokenFilePath(path, access.windows);
  const foreign = foreignVariable(present, access.fullUri);
  if (foreign !== undefined) {
    const warning = `container ${quoted(container)} sets ${foreign} itself and gets no EKS Pod Identity`;
    return { variables: [], readsToken: false, isLeftAlone: true, warnings: [warning] };
  }
  const wanted: readonly Variable[] = [
    { name: FULL_URI_VARIABLE, value: access.fullUri },
    { name: AUTHORIZATION_FILE_VARIABLE, value: tokenFile },
  ];
  const own = present.get(AUTHORIZATION_FILE_VARIABLE);
  return {
    variables: wanted.filter(({ name }) => !present.has(name)),
    readsToken: !present.has(AUTHORIZATION_FILE_VARIABLE) || own === tokenFile || own === path,
    isLeftAlone: false,
    warnings: present.has(TOKEN_FILE_VARIABLE) && present.has(ROLE_ARN_VARIABLE) ? [preferred(container)] : [],
  };
}

function foreignVariable(present: Variables, fullUri: string): string | undefined {
  if (present.has(FULL_URI_VARIABLE) && present.get(FULL_URI_VARIABLE) !== fullUri) return FULL_URI_VARIABLE;
  return [RELATIVE_URI_VARIABLE, AUTHORIZATION_VARIABLE].find((name) => present.has(name));
}

/** Every SDK asks STS before the agent where a container has both. */
function preferred(container: string): string {
  return `container ${quoted(container)} brings its own web identity, which SDKs prefer to EKS Pod Identity`;
}
