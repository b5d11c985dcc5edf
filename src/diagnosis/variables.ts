// What a container's variables do to its identity: keys that win, halves that are missing, regions that are not there.
import { AUTHORIZATION_FILE_VARIABLE, FULL_URI_VARIABLE } from '../admission/container-credentials.ts';
import { isWindows } from '../admission/pod.ts';
import { DEFAULT_REGION_VARIABLE, REGION_VARIABLE, STS_ENDPOINTS_VARIABLE } from '../admission/region.ts';
import { ROLE_ARN_VARIABLE, TOKEN_FILE_VARIABLE } from '../admission/web-identity.ts';
import { parseRoleArn } from '../aws/arn.ts';
import { annotationsOf, hasRole } from './account.ts';
import { halfSet, hasAgent, hasPartOfIdentity, hasWebIdentity, ownCredentials, ownProfile } from './credentials.ts';
import type { ContainerFacts, PodFacts } from './facts.ts';
import { isSet } from './facts.ts';
import { valueWord } from './fix.ts';
import type { Problem } from './problem.ts';
import { roleArnProblem } from './role-arn.ts';

const FILES = [TOKEN_FILE_VARIABLE, AUTHORIZATION_FILE_VARIABLE];
const RECREATE = 'in the pod template, and apply it';

export function variableProblems(facts: PodFacts, container: ContainerFacts): Problem[] {
  return [
    ...halfProblems(facts, container),
    // In a pod that nobody gave a role they are how it gets to AWS, or to what only looks like it.
    ...(hasRole(facts) || facts.containers.some(hasPartOfIdentity) ? rivalProblems(container) : []),
    ...pathProblems(facts, container),
    ...roleProblems(facts, container),
    ...regionProblems(facts, container),
  ];
}

function halfProblems(facts: PodFacts, container: ContainerFacts): Problem[] {
  const half = halfSet(container);
  if (half === undefined) return [];
  const evidence = `${half.set} is set and ${half.missing} is not: some SDKs fail, others silently take the node's role`;
  const byWebhook = hasRole(facts)
    ? `remove ${half.set}, so that the webhook sets both`
    : `annotate the ServiceAccount with the role and remove ${half.set}, so that the webhook sets both`;
  const fix = `${byWebhook}, or set ${half.missing} beside it, ${RECREATE}`;
  return [{ id: 'half-set-variables', severity: 'error', object: container.object, evidence, fix }];
}

/** What wins over the identity, or stands in its way. */
function rivalProblems(container: ContainerFacts): Problem[] {
  const { object, variables } = container;
  const problems: Problem[] = [];
  const keys = ownCredentials(container);
  if (keys.length > 0) {
    const origin = keys.some((key) => variables.has(key)) ? 'env' : 'envFrom';
    const evidence = `${keys.join(' and ')} come from ${origin}, and every SDK takes keys before anything else`;
    const fix = `remove ${keys.join(' and ')} from env and envFrom ${RECREATE}`;
    problems.push({ id: 'static-keys-win', severity: 'error', object, evidence, fix });
  }
  if (hasWebIdentity(container) && hasAgent(container)) {
    const evidence = `${ROLE_ARN_VARIABLE} and ${TOKEN_FILE_VARIABLE} are set beside ${FULL_URI_VARIABLE}: every SDK takes web identity and never asks the agent`;
    const fix = `keep one: remove the annotation role-arn of the ServiceAccount and the variables ${RECREATE}, or delete the Pod Identity association`;
    problems.push({ id: 'both-irsa-and-pod-identity', severity: 'warning', object, evidence, fix });
  }
  const profile = ownProfile(container);
  if (profile !== undefined) {
    const evidence = `${profile} is set: the SDKs for JavaScript and Rust take a profile before web identity`;
    const fix = `remove ${profile} ${RECREATE}`;
    problems.push({ id: 'profile-env-set', severity: 'warning', object, evidence, fix });
  }
  return problems;
}

function pathProblems({ pod }: PodFacts, { object, variables }: ContainerFacts): Problem[] {
  if (!isWindows(pod)) return [];
  return FILES.flatMap((name): Problem[] => {
    const path = variables.get(name);
    if (path?.startsWith('/') !== true) return [];
    const evidence = `${name} is ${path}, and the pod runs on Windows`;
    const fix = `remove it, so that the webhook sets it as a path of C:, and where it does not, name the system in spec.os.name: windows ${RECREATE}`;
    return [{ id: 'windows-unix-path', severity: 'error', object, evidence, fix }];
  });
}

function roleProblems(facts: PodFacts, container: ContainerFacts): Problem[] {
  const { serviceAccount, settings, surroundings } = facts;
  const { object, variables } = container;
  const roleArn = variables.get(ROLE_ARN_VARIABLE);
  const annotated = annotationsOf(serviceAccount)[`${settings.annotationPrefix}/role-arn`];
  // What both say is said of the account.
  // Beside the agent it is said that the two exclude each other.
  if (roleArn === undefined || roleArn === annotated || hasAgent(container)) return [];
  const regions = [surroundings.region ?? '', ...regionsOf(container)];
  const problem = roleArnProblem(roleArn, regions);
  if (problem !== undefined) {
    const fix = `correct ${ROLE_ARN_VARIABLE} where it comes from: the pod template, or the ServiceAccount before the pod was created`;
    return [{ ...problem, severity: 'error', object, fix }];
  }
  const expected = annotated?.trim() ?? '';
  if (parseRoleArn(expected) === undefined || roleArn === expected || isOwnRole(facts, container)) return [];
  const evidence = `${ROLE_ARN_VARIABLE} is ${roleArn}, the annotation of the ServiceAccount now says ${expected}`;
  const fix =
    'create the pod again, as the role is given at creation, or leave it where the pod shall have a role of its own';
  return [{ id: 'role-arn-differs-from-annotation', severity: 'warning', object, evidence, fix }];
}

/** The webhook writes role and token file side by side; and a role that only one container has is its author's. */
function isOwnRole({ containers }: PodFacts, { variables }: ContainerFacts): boolean {
  const names = [...variables.keys()];
  const ends = [names.indexOf(TOKEN_FILE_VARIABLE), names.indexOf(ROLE_ARN_VARIABLE)];
  // Tools that sort variables put this one between them; the regions stand between where only the file is written.
  const between = names.slice(Math.min(...ends) + 1, Math.max(...ends));
  const isWritten = between.every((name) => name === STS_ENDPOINTS_VARIABLE);
  const roles = containers
    .map((container) => container.variables.get(ROLE_ARN_VARIABLE))
    .filter((role) => role !== undefined);
  return !isWritten || new Set(roles).size > 1;
}

export function regionsOf({ variables }: ContainerFacts): readonly string[] {
  return [REGION_VARIABLE, DEFAULT_REGION_VARIABLE].flatMap((name) => variables.get(name) ?? []);
}

export function roleOf({ variables }: ContainerFacts): readonly string[] {
  const role = variables.get(ROLE_ARN_VARIABLE);
  return role === undefined ? [] : [role];
}

/**
 * A container without a region may be right: many programs bring theirs. It is wrong where it was told to call STS in
 * its region, where the global STS is another partition's, and where the webhook would set one.
 */
function regionProblems({ surroundings }: PodFacts, container: ContainerFacts): Problem[] {
  const { object, variables, hasUnknownImports } = container;
  const hasRegion = [REGION_VARIABLE, DEFAULT_REGION_VARIABLE].some((name) => isSet(container, name));
  if (!hasWebIdentity(container) || hasRegion || hasUnknownImports) return [];
  const [partition = 'aws'] = roleOf(container).map((role) => role.split(':')[1]);
  const reason =
    variables.get(STS_ENDPOINTS_VARIABLE) === 'regional'
      ? `${STS_ENDPOINTS_VARIABLE} is regional`
      : partition === 'aws'
        ? `the webhook sets ${surroundings.region}`
        : `the role is of partition ${partition}, which the global STS does not know`;
  if (partition === 'aws' && surroundings.region === undefined && !reason.endsWith('regional')) return [];
  const evidence = `neither ${REGION_VARIABLE} nor ${DEFAULT_REGION_VARIABLE} is set, and ${reason}`;
  const fix = `start the webhook with --aws-default-region=${valueWord(surroundings.region ?? '', 'REGION')} and create the pod again, or set both ${RECREATE}`;
  return [{ id: 'region-missing', severity: 'warning', object, evidence, fix }];
}
