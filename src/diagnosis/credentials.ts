// Which way to credentials a stored container has, by its variables.
import { AUTHORIZATION_FILE_VARIABLE, FULL_URI_VARIABLE } from '../admission/container-credentials.ts';
import { ROLE_ARN_VARIABLE, TOKEN_FILE_VARIABLE } from '../admission/web-identity.ts';
import type { ContainerFacts } from './facts.ts';
import { isSet, OWN_KEYS, PROFILES } from './facts.ts';

const RELATIVE_URI_VARIABLE = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI';
const IDENTITY_VARIABLES = [
  ROLE_ARN_VARIABLE,
  TOKEN_FILE_VARIABLE,
  FULL_URI_VARIABLE,
  AUTHORIZATION_FILE_VARIABLE,
  RELATIVE_URI_VARIABLE,
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
];

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
  return !hasPartOfIdentity(container) && !container.isForeign;
}

export function hasPartOfIdentity(container: ContainerFacts): boolean {
  return IDENTITY_VARIABLES.some((name) => isSet(container, name));
}

/** Whether a container has an identity as far as can be seen: envFrom may bring the other half of it. */
export function isIdentified(containers: readonly ContainerFacts[]): boolean {
  return containers.some((container) => hasPartOfIdentity(container) && halfSet(container) === undefined);
}

/** Keys that the container brings. */
export function ownCredentials(container: ContainerFacts): readonly string[] {
  return OWN_KEYS.filter((name) => isSet(container, name));
}

/** A profile that the container brings: its name, or the file that it is in. */
export function ownProfile(container: ContainerFacts): string | undefined {
  return PROFILES.find((name) => isSet(container, name) && container.variables.get(name) !== '/dev/null');
}
