// Why a pod has no identity at all: the one cause that explains it, or several where each would by itself.
import { keyOf } from '../admission/identity.ts';
import { ownField, ownString } from '../admission/json.ts';
import { OPT_OUT_LABEL } from '../admission/mutate.ts';
import { podLabel } from '../admission/pod.ts';
import { EXPLANATIONS } from '../admission/reasons.ts';
import { annotatedAt } from './annotated-at.ts';
import { hasPartOfIdentity } from './credentials.ts';
import { entitlementOf } from './entitlement.ts';
import type { PodFacts } from './facts.ts';
import { nameWord } from './fix.ts';
import { isSkipped } from './gaps.ts';
import { nodeRoleProblems } from './node-role.ts';
import type { Problem } from './problem.ts';
import { reachOf } from './registration.ts';
import { restartWords, thenRestart } from './restart.ts';

/** Empty where the pod has an identity, or part of one, and where it wants none. */
export function absenceProblems(facts: PodFacts): Problem[] {
  const { containers } = facts;
  if (containers.some(hasPartOfIdentity)) return [];
  // What is said then is that they are skipped.
  if (containers.every((container) => isSkipped(facts, container))) return [];
  const entitlement = entitlementOf(facts);
  if (entitlement.kind === 'unwanted') return [];
  const shut = shutOutProblems(facts);
  const isOptedOut = shut.some(({ id }) => id === 'opted-out-by-label');
  if (entitlement.kind === 'missing') {
    const { problems, wish } = entitlement;
    // Who shuts a pod out and writes no role for it has done both on purpose.
    if (wish !== 'written' && isOptedOut) return [];
    if (wish === 'asked' && shut.some(({ id }) => id === 'namespace-excluded')) return [];
    if (isOptedOut) return shut;
    return [...problems, ...shut, ...nodeRoleProblems(facts, problems)];
  }
  const known = isOptedOut ? shut : [...shut, ...untimelyProblems(facts)];
  const problems = known.length > 0 ? known : [notMutated(facts)];
  return [...problems, ...nodeRoleProblems(facts, problems)];
}

/** What keeps the webhook from the pod. */
function shutOutProblems(facts: PodFacts): Problem[] {
  const { pod, object, namespaces, namespace } = facts;
  const label = podLabel(pod, OPT_OUT_LABEL);
  if (label !== undefined) {
    const evidence = `the pod has label ${OPT_OUT_LABEL}=${JSON.stringify(label)}, which excludes it whatever its value is`;
    const fix = 'remove the label from the pod template of its owner, and apply it';
    return [{ id: 'opted-out-by-label', severity: 'error', object, evidence, fix }];
  }
  const namespaceWord = nameWord(namespace, 'NAMESPACE');
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
      const fix = thenRestart(facts, [`kubectl label namespace ${namespaceWord} ${OPT_OUT_LABEL}-`]);
      return [{ id: 'namespace-excluded', severity: 'error', object: `Namespace ${namespace}`, evidence, fix }];
    }
    case 'down': {
      const fix = `install the webhook, or repair its registration, certificate and Service, then ${restartWords(facts)}`;
      return [{ id: 'webhook-down', severity: 'error', object, evidence: reach.evidence, fix }];
    }
    case 'namespace': {
      const fix = `change the labels of namespace ${namespaceWord} or the selector of the webhook, then ${restartWords(facts)}`;
      return [{ id: 'namespace-excluded', severity: 'error', object, evidence: reach.evidence, fix }];
    }
    case 'opted-out': {
      const fix = `change the labels in the pod template or the selector of the webhook, then ${restartWords(facts)}`;
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
  const fix = thenRestart(facts, []);
  return [{ id: 'pod-created-before-annotation', severity: 'error', object, evidence, fix }];
}

function notMutated(facts: PodFacts): Problem {
  const { object, account, decision } = facts;
  const { meaning, fix: explained } = EXPLANATIONS[decision.reason];
  const isOwed = decision.reason === 'injected';
  const evidence = `ServiceAccount ${keyOf(account)} names a role, and no container has its variables${isOwed ? '' : `: ${meaning}`}`;
  // The brackets around what is to be filled in would send a shell to files.
  const advice = isOwed
    ? 'see that the webhook is up and reads its ServiceAccounts'
    : explained.replaceAll(/[<>]/g, '');
  const fix = advice.endsWith('create the pod again') ? advice : `${advice}, then ${restartWords(facts)}`;
  return { id: 'pod-not-mutated', severity: 'error', object, evidence, fix };
}
