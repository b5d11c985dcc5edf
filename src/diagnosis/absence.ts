// Why a pod has no identity at all: the one cause that explains it, or several where each would by itself.
import { keyOf } from '../admission/identity.ts';
import { ownField, ownString } from '../admission/json.ts';
import { OPT_OUT_LABEL } from '../admission/mutate.ts';
import { podAnnotation, podLabel } from '../admission/pod.ts';
import { EXPLANATIONS } from '../admission/reasons.ts';
import { shellWord } from '../aws/shell-word.ts';
import { annotateCommand, annotationsOf } from './account.ts';
import { annotatedAt } from './annotated-at.ts';
import { hasPartOfIdentity, ownCredentials } from './credentials.ts';
import type { PodFacts } from './facts.ts';
import { isSkipped } from './gaps.ts';
import { isRoleKey, meantOnAccount } from './near-miss.ts';
import { isBystander, otherAccount } from './other-account.ts';
import type { Problem } from './problem.ts';
import { reachOf } from './registration.ts';
import { roleArnProblem } from './role-arn.ts';
import { regionsOf } from './variables.ts';

/** Empty where the pod has an identity, or part of one. */
export function absenceProblems(facts: PodFacts): Problem[] {
  const { containers } = facts;
  if (containers.some(hasPartOfIdentity)) return [];
  // What is said then is that they are skipped.
  if (containers.every((container) => isSkipped(facts, container))) return [];
  const unentitled = entitlementProblems(facts);
  const shut = shutOutProblems(facts);
  if (shut.some(({ id }) => id === 'opted-out-by-label')) return shut;
  if (unentitled !== undefined) return [...unentitled, ...shut, ...nodeRoleProblems(facts, unentitled)];
  const untimely = untimelyProblems(facts);
  const known = [...shut, ...untimely];
  const problems = known.length > 0 ? known : [notMutated(facts)];
  return [...problems, ...nodeRoleProblems(facts, problems)];
}

function restartOf({ pod, namespace }: PodFacts): string {
  return `kubectl delete pod ${shellWord(ownString(ownField(pod, 'metadata'), 'name') ?? 'NAME')} -n ${shellWord(namespace)} (its owner creates it again)`;
}

/** Why the ServiceAccount entitles the pod to nothing; undefined where it does, or where it was not given. */
function entitlementProblems(facts: PodFacts): readonly Problem[] | undefined {
  const { serviceAccount, settings, object, account, decision, containers, pod } = facts;
  const prefix = settings.annotationPrefix;
  const annotations = annotationsOf(serviceAccount);
  const role = annotations[`${prefix}/role-arn`] ?? '';
  if (role.trim() !== '') {
    const isComposed = settings.composeRoleArn && !role.trim().startsWith('arn:');
    const isWrong = !isComposed && roleArnProblem(role, containers.flatMap(regionsOf)) !== undefined;
    // What is wrong with it is said of the account.
    return isWrong ? [] : undefined;
  }
  if (decision.method !== undefined) return undefined;
  // Of the picture of a static pod, which runs as nobody.
  if (podAnnotation(pod, 'kubernetes.io/config.mirror') !== undefined) return [];
  const onPod = Object.entries(annotationsOf(pod)).find(
    ([key, value]) => isRoleKey(key, prefix) && value.trim() !== '',
  );
  if (onPod !== undefined) {
    const [key, value] = onPod;
    const evidence = `the pod has annotation ${key}, which is read on ServiceAccounts only; ServiceAccount ${keyOf(account)} has none`;
    // Whoever may create a pod has written the value, and somebody with more rights pastes the command.
    const words = [account.name, '-n', account.namespace, `${prefix}/role-arn=${value.trim()}`].map(shellWord);
    const fix = `kubectl annotate serviceaccount ${words.join(' ')}, then ${restartOf(facts)}`;
    return [{ id: 'annotation-on-pod', severity: 'error', object, evidence, fix }];
  }
  // A role under a wrong key is said of the account.
  if (Object.entries(annotations).some(([key, value]) => meantOnAccount(key, value, prefix)?.endsWith('/role-arn')))
    return [];
  const other = otherAccount(facts);
  if (other !== undefined) return [wrongAccount(facts, other)];
  if (isBystander(facts)) return [];
  if (serviceAccount === undefined) {
    if (!facts.knowsEveryAccount) return [];
    return [wrongAccount(facts, undefined)];
  }
  if (containers.some((container) => ownCredentials(container).length > 0)) return [];
  const evidence =
    annotations[`${prefix}/role-arn`] === undefined
      ? `ServiceAccount ${keyOf(account)} of the pod has no annotation ${prefix}/role-arn`
      : `annotation ${prefix}/role-arn of ServiceAccount ${keyOf(account)} is empty`;
  const fix = `${annotateCommand(serviceAccount)} --overwrite ${prefix}/role-arn=arn:aws:iam::ACCOUNT_ID:role/NAME, then ${restartOf(facts)}`;
  return [{ id: 'annotation-missing', severity: 'error', object: `ServiceAccount ${keyOf(account)}`, evidence, fix }];
}

function wrongAccount({ object, account, pod, serviceAccount }: PodFacts, other: string | undefined): Problem {
  const isNamed = ownString(ownField(pod, 'spec'), 'serviceAccountName') !== undefined;
  const runs = `the pod runs as ServiceAccount ${keyOf(account)}${isNamed ? '' : ' (it names none)'}`;
  const state = serviceAccount === undefined ? 'which was not given' : 'which has no role';
  const [namespace = '', name = ''] = other?.split('/') ?? [];
  return {
    id: 'wrong-service-account',
    severity: 'error',
    object,
    evidence:
      other === undefined ? `${runs}, which does not exist` : `${runs}, ${state}; ServiceAccount ${other} has one`,
    fix:
      namespace === account.namespace
        ? `write serviceAccountName: ${name} in the pod template of its owner, and apply it`
        : `create ServiceAccount ${keyOf(account)} with the annotation, or name an existing one as serviceAccountName: accounts count in the pod's own namespace only`,
  };
}

/** What keeps the webhook from the pod. */
function shutOutProblems(facts: PodFacts): Problem[] {
  const { pod, object, namespaces, namespace } = facts;
  const label = podLabel(pod, OPT_OUT_LABEL);
  if (label !== undefined) {
    const evidence = `the pod has label ${OPT_OUT_LABEL}=${JSON.stringify(label)}, which excludes it whatever its value is`;
    const fix = `remove the label from the pod template of its owner, and apply it`;
    return [{ id: 'opted-out-by-label', severity: 'error', object, evidence, fix }];
  }
  const reach = reachOf(facts);
  const labelled = namespaces.some(
    (candidate) =>
      ownString(ownField(candidate, 'metadata'), 'name') === namespace &&
      podLabel(candidate, OPT_OUT_LABEL) !== undefined,
  );
  switch (reach.kind) {
    case 'asked': {
      if (!labelled) return [];
      const evidence = `namespace ${namespace} has label ${OPT_OUT_LABEL}`;
      const fix = `kubectl label namespace ${shellWord(namespace)} ${OPT_OUT_LABEL}-, then ${restartOf(facts)}`;
      return [{ id: 'namespace-excluded', severity: 'error', object: `Namespace ${namespace}`, evidence, fix }];
    }
    case 'down': {
      const fix = `install the webhook, or repair its registration, certificate and Service; then ${restartOf(facts)}`;
      return [{ id: 'webhook-down', severity: 'error', object, evidence: reach.evidence, fix }];
    }
    case 'namespace': {
      const fix = `change the labels of namespace ${namespace} or the selector of the webhook, then ${restartOf(facts)}`;
      return [{ id: 'namespace-excluded', severity: 'error', object, evidence: reach.evidence, fix }];
    }
    case 'opted-out': {
      const fix = `change the labels in the pod template or the selector of the webhook, then ${restartOf(facts)}`;
      return [{ id: 'opted-out-by-label', severity: 'error', object, evidence: reach.evidence, fix }];
    }
  }
}

function untimelyProblems(facts: PodFacts): Problem[] {
  const { pod, serviceAccount, settings, object, account } = facts;
  const created = ownString(ownField(pod, 'metadata'), 'creationTimestamp') ?? '';
  const annotated = annotatedAt(serviceAccount, `${settings.annotationPrefix}/role-arn`);
  if (annotated === undefined || !(Date.parse(created) < Date.parse(annotated.time))) return [];
  const evidence = `the pod was created at ${created}, ${annotated.what} of ServiceAccount ${keyOf(account)} at ${annotated.time}`;
  const fix = `${restartOf(facts)}: identity is given at creation`;
  return [{ id: 'pod-created-before-annotation', severity: 'error', object, evidence, fix }];
}

function notMutated(facts: PodFacts): Problem {
  const { object, account, decision } = facts;
  const { meaning, fix: advice } = EXPLANATIONS[decision.reason];
  const isOwed = decision.reason === 'injected';
  const evidence = `ServiceAccount ${keyOf(account)} names a role, and no container has its variables${isOwed ? '' : `: ${meaning}`}`;
  const fix = `${isOwed ? 'see that the webhook is up and reads its ServiceAccounts' : advice}, then ${restartOf(facts)}`;
  return { id: 'pod-not-mutated', severity: 'error', object, evidence, fix };
}

/** In the node's network nothing keeps a pod from the instance metadata, whatever the hop limit is. */
function nodeRoleProblems({ pod, object, containers }: PodFacts, causes: readonly Problem[]): Problem[] {
  const disabled = containers.some(
    ({ variables }) => variables.get('AWS_EC2_METADATA_DISABLED')?.toLowerCase() === 'true',
  );
  if (causes.length === 0 || disabled || ownField(ownField(pod, 'spec'), 'hostNetwork') !== true) return [];
  const evidence = 'hostNetwork is true and no container has an identity: SDKs take the role of the node';
  const fix = 'give the pod an identity of its own, or set AWS_EC2_METADATA_DISABLED=true';
  return [{ id: 'node-role-fallback', severity: 'warning', object, evidence, fix }];
}
