// Which way to credentials a stored container has, by its variables.
import { AUTHORIZATION_FILE_VARIABLE, FULL_URI_VARIABLE } from '../admission/container-credentials.ts';
import { ROLE_ARN_VARIABLE, TOKEN_FILE_VARIABLE } from '../admission/web-identity.ts';
import type { ContainerFacts } from './facts.ts';
import { isSet, OWN_KEYS } from './facts.ts';

const RELATIVE_URI_VARIABLE = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI';
const IDENTITY_VARIABLES = [
  ROLE_ARN_VARIABLE,
  TOKEN_FILE_VARIABLE,
  FULL_URI_VARIABLE,
  AUTHORIZATION_FILE_VARIABLE,
  RELATIVE_URI_VARIABLE,
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
];

/** Proxies that meshes add, what prepares the network for them, and what carries agents of tracing: none calls AWS. */
const FOREIGN_CONTAINER =
  /^(?:(?:istio|linkerd|kuma|consul|opentelemetry-auto-instrumentation|datadog|kube-rbac-proxy)(?:-.*)?|daprd|envoy|envoy-sidecar|proxyinit|install-oneagent)$/;

export function hasWebIdentity(container: ContainerFacts): boolean {
  return isSet(container, ROLE_ARN_VARIABLE) && isSet(container, TOKEN_FILE_VARIABLE);
}

export function hasAgent(container: ContainerFacts): boolean {
  return isSet(container, FULL_URI_VARIABLE) || isSet(container, RELATIVE_URI_VARIABLE);
}

/** The variable that is set, and the one that is missing beside it. */
export function halfSet(container: ContainerFacts): { readonly set: string; readonly missing: string } | undefined {
  if (container.hasUnknownImports || hasAgent(container)) return undefined;
  const pairs = [
    [ROLE_ARN_VARIABLE, TOKEN_FILE_VARIABLE],
    [TOKEN_FILE_VARIABLE, ROLE_ARN_VARIABLE],
    [AUTHORIZATION_FILE_VARIABLE, FULL_URI_VARIABLE],
  ] as const;
  const pair = pairs.find(([set, missing]) => isSet(container, set) && !isSet(container, missing));
  return pair === undefined ? undefined : { set: pair[0], missing: pair[1] };
}

/** Whether nothing points a container to an identity, and it is one that may want it. */
export function lacksIdentity(container: ContainerFacts): boolean {
  return !hasPartOfIdentity(container) && !FOREIGN_CONTAINER.test(container.name);
}

export function hasPartOfIdentity(container: ContainerFacts): boolean {
  return IDENTITY_VARIABLES.some((name) => isSet(container, name));
}

/** Whether a container has an identity as far as can be seen: envFrom may bring the other half of it. */
export function isIdentified(containers: readonly ContainerFacts[]): boolean {
  return containers.some((container) => hasPartOfIdentity(container) && halfSet(container) === undefined);
}

/** Keys or a profile that the container brings: what people use who want no identity of the ServiceAccount. */
export function ownCredentials(container: ContainerFacts): readonly string[] {
  return OWN_KEYS.filter((name) => isSet(container, name));
}
