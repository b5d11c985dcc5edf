// Containers of a pod that have no identity although others have, or although its ServiceAccount entitles them.
import { ownField, ownList } from '../admission/json.ts';
import { podAnnotation } from '../admission/pod.ts';
import { podOverrides } from '../admission/pod-annotations.ts';
import { annotationsOf, hasRole, isTooShort } from './account.ts';
import { isIdentified, lacksIdentity, ownCredentials } from './credentials.ts';
import type { ContainerFacts, PodFacts } from './facts.ts';
import { nameWord } from './fix.ts';
import { meantOnPod } from './near-miss.ts';
import type { Problem } from './problem.ts';
import { identityWebhooks } from './registration.ts';

const VOLUME_OF_WEBHOOK = /^(?:aws-iam-token|eks-pod-identity-token)/;

/** Whether the pod's own annotations keep the webhook from the container. */
export function isSkipped({ pod, containers, settings }: PodFacts, { name, kind }: ContainerFacts): boolean {
  const names = containers.map((container) => container.name);
  return kind !== 'ephemeral container' && podOverrides(pod, names, settings.annotationPrefix).isSkipped(name);
}

export function gapProblems(facts: PodFacts): Problem[] {
  const { containers } = facts;
  const identified = isIdentified(containers) && isByWebhook(facts);
  return containers
    .filter((container) => lacksIdentity(container) && ownCredentials(container).length === 0)
    .flatMap((container) => {
      if (isSkipped(facts, container)) return isMain(facts, container) ? [skipped(facts, container)] : [];
      return identified ? [gap(facts, container)] : [];
    });
}

/** Whether the identity that containers have is a webhook's: their author may have given one to some of them by hand. */
function isByWebhook(facts: PodFacts): boolean {
  const mounts = facts.containers.flatMap(({ container }) => ownList(container, 'volumeMounts'));
  return hasRole(facts) || mounts.some((mount) => VOLUME_OF_WEBHOOK.test(String(ownField(mount, 'name'))));
}

/**
 * Skipping is a choice, and right for sidecars. It is hardly meant for the container that kubectl takes for the pod's
 * own, nor for one that says which region it calls.
 */
function isMain({ pod, containers, decision, settings }: PodFacts, { name, kind, variables }: ContainerFacts): boolean {
  const mayHaveRole = decision.method !== undefined || decision.reason === 'injected' || isIdentified(containers);
  if (!mayHaveRole || podAnnotation(pod, `${settings.annotationPrefix}/role-arn`) !== undefined) return false;
  const first = containers.find((container) => container.kind === 'container')?.name;
  const main = podAnnotation(pod, 'kubectl.kubernetes.io/default-container') ?? first;
  return (
    (kind === 'container' && name === main) || ['AWS_REGION', 'AWS_DEFAULT_REGION'].some((key) => variables.has(key))
  );
}

function skipped({ settings, pod }: PodFacts, { object, name }: ContainerFacts): Problem {
  const [skip, include] = [
    `${settings.annotationPrefix}/skip-containers`,
    `${settings.annotationPrefix}/include-containers`,
  ];
  const key = podAnnotation(pod, skip) === undefined ? include : skip;
  return {
    id: 'container-skipped',
    severity: 'error',
    object,
    evidence: `the pod's annotation ${key} is ${JSON.stringify(podAnnotation(pod, key))}, so that ${name} gets no identity`,
    fix: `take ${nameWord(name, 'CONTAINER')} out of skip-containers, or into include-containers, in the pod template, and apply it`,
  };
}

/** Whether the API server comes back to every webhook for identity after others have added containers. */
function isAskedAgain({ webhookConfigurations = [] }: PodFacts): boolean {
  const entries = identityWebhooks(webhookConfigurations);
  return entries.length > 0 && entries.every(({ webhook }) => webhook['reinvocationPolicy'] === 'IfNeeded');
}

function gap(facts: PodFacts, { object, kind, name }: ContainerFacts): Problem {
  const restart = 'create the pod again';
  const isAgain = isAskedAgain(facts);
  const asked = isAgain
    ? `${restart}, as the webhook is registered with reinvocationPolicy: IfNeeded now`
    : `register the webhook with reinvocationPolicy: IfNeeded, then ${restart}`;
  switch (kind) {
    case 'init container':
      return {
        id: 'init-container-without-identity',
        severity: 'error',
        object,
        evidence: `other containers of the pod have an identity, init container ${name} has none`,
        fix: isAgain
          ? asked
          : `${restart}, and where another webhook adds the container, register this one with reinvocationPolicy: IfNeeded`,
      };
    case 'container':
      return {
        id: 'pod-not-mutated',
        severity: 'error',
        object,
        evidence: `other containers of the pod have an identity, container ${name} has none: it was added after the webhook was asked`,
        fix: `${asked}, or name ${nameWord(name, 'CONTAINER')} in skip-containers`,
      };
    case 'ephemeral container':
      return {
        id: 'ephemeral-container-without-identity',
        severity: 'warning',
        object,
        evidence: `ephemeral container ${name} was added to the running pod, whose identity it does not have`,
        fix: 'use kubectl debug --copy-to=NAME, whose copy is a new pod, or give it the variables and the mount of the other containers with --custom',
      };
  }
}

/** What is wrong with the pod's own annotations. */
export function podAnnotationProblems({ pod, object, settings }: PodFacts): Problem[] {
  const prefix = settings.annotationPrefix;
  const annotations = annotationsOf(pod);
  const problems = Object.keys(annotations).flatMap((key): Problem[] => {
    const meant = meantOnPod(key, prefix);
    if (meant === undefined || Object.hasOwn(annotations, meant)) return [];
    const evidence = `annotation ${key} is read by nobody; ${meant} is meant`;
    const fix = `write ${meant} in the pod template, and apply it`;
    return [{ id: 'annotation-key-typo', severity: 'warning', object, evidence, fix }];
  });
  const key = `${prefix}/token-expiration`;
  const expiration = annotations[key];
  if (expiration === undefined || !isTooShort(expiration)) return problems;
  const evidence = `annotation ${key} is ${expiration}: Kubernetes issues no token for less than 600 seconds`;
  const fix = `write 600 in quotes as ${key} in the pod template, and apply it`;
  return [...problems, { id: 'token-expiration-below-minimum', severity: 'warning', object, evidence, fix }];
}
