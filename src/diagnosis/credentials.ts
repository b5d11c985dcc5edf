// Which way to credentials a stored container has, by its variables.
import { AUTHORIZATION_FILE_VARIABLE, FULL_URI_VARIABLE } from '../admission/container-credentials.ts';
import { ROLE_ARN_VARIABLE, TOKEN_FILE_VARIABLE } from '../admission/web-identity.ts';
import type { ContainerFacts } from './facts.ts';
import { CREDENTIALS_FILE_VARIABLE, isSet, OWN_KEYS, PROFILES } from './facts.ts';

const CONFIG_FILE_VARIABLE = 'AWS_CONFIG_FILE';
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

/** A profile that wins unnoticed: its name, or the file that it is in. */
export function ownProfile(container: ContainerFacts): string | undefined {
  const profile = PROFILES.find((name) => isSet(container, name) && container.variables.get(name) !== '/dev/null');
  // Who brings a file of profiles has chosen one of them, and may take the identity from there into a second role.
  return isSet(container, CONFIG_FILE_VARIABLE) && profile !== CREDENTIALS_FILE_VARIABLE ? undefined : profile;
}

/** Whether a container brings keys, or a profile however it is named. */
export function bringsCredentials(container: ContainerFacts): boolean {
  return [...OWN_KEYS, ...PROFILES, CONFIG_FILE_VARIABLE].some((name) => isSet(container, name));
}
