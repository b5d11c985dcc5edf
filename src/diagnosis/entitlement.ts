// Why a ServiceAccount entitles a pod without identity to nothing.
import { keyOf } from '../admission/identity.ts';
import { ownField, ownString } from '../admission/json.ts';
import { podAnnotation } from '../admission/pod.ts';
import { annotateCommand, annotationsOf } from './account.ts';
import type { PodFacts } from './facts.ts';
import { fixText, nameWord } from './fix.ts';
import { isRoleKey, meantOnAccount, NODE_AGENT_KEY } from './near-miss.ts';
import type { Need } from './need.ts';
import { belongsTo, hasOwnWay, isAlone, needOf } from './need.ts';
import { isMetadataDisabled, nodeRole } from './node-role.ts';
import { otherAccount } from './other-account.ts';
import type { Problem } from './problem.ts';
import { thenRestart } from './restart.ts';
import { roleArnProblem, roleWord } from './role-arn.ts';
import { regionsOf } from './variables.ts';

export type Entitlement =
  | { readonly kind: 'entitled' }
  /** Nothing is wrong with a pod like this. */
  | { readonly kind: 'unwanted' }
  /** What is wrong with the account may be said there. `wish`: what shows that the pod shall have an identity. */
  | { readonly kind: 'missing'; readonly wish: 'written' | Need; readonly problems: readonly Problem[] };

const SAID_OF_THE_ACCOUNT: Entitlement = { kind: 'missing', wish: 'written', problems: [] };
const UNWANTED: Entitlement = { kind: 'unwanted' };

export function entitlementOf(facts: PodFacts): Entitlement {
  const { serviceAccount, settings, decision, containers, pod } = facts;
  const prefix = settings.annotationPrefix;
  const annotations = annotationsOf(serviceAccount);
  const role = annotations[`${prefix}/role-arn`] ?? '';
  if (role.trim() !== '') {
    const isComposed = settings.composeRoleArn && !role.trim().startsWith('arn:');
    const isWrong = !isComposed && roleArnProblem(role, containers.flatMap(regionsOf)) !== undefined;
    return isWrong ? SAID_OF_THE_ACCOUNT : { kind: 'entitled' };
  }
  if (decision.method !== undefined) return { kind: 'entitled' };
  // Of the picture of a static pod, which runs as nobody.
  if (podAnnotation(pod, 'kubernetes.io/config.mirror') !== undefined) return UNWANTED;
  // In a crowd kube2iam's key is right for kube2iam; of one pod somebody asks why it does nothing.
  const onPod = Object.entries(annotationsOf(pod)).find(
    ([key, value]) => (isRoleKey(key, prefix) || (key === NODE_AGENT_KEY && isAlone(facts))) && value.trim() !== '',
  );
  if (onPod !== undefined) return written(annotationOnPod(facts, onPod));
  // A role under a wrong key.
  if (Object.entries(annotations).some(([key, value]) => meantOnAccount(key, value, prefix)?.endsWith('/role-arn')))
    return SAID_OF_THE_ACCOUNT;
  return unannotated(facts);
}

/** Nobody has written a role, rightly or wrongly. */
function unannotated(facts: PodFacts): Entitlement {
  const { serviceAccount, account, serviceAccounts, knowsEveryAccount, namespace } = facts;
  const need = needOf(facts);
  const isProvided = hasOwnWay(facts);
  const other = otherAccount(facts);
  const isMeant = (need === 'named' && !isProvided) || isAlone(facts);
  if (other !== undefined && (isMeant || belongsTo(facts, other))) return written(wrongAccount(facts, other));
  if (need === 'none' || (isProvided && serviceAccount !== undefined)) return UNWANTED;
  if (serviceAccount === undefined) {
    // Every namespace has an account: a list without one of this namespace is of others.
    const isOfOthers =
      serviceAccounts.length > 0 &&
      !serviceAccounts.some((each) => ownString(ownField(each, 'metadata'), 'namespace') === namespace);
    if (!knowsEveryAccount || isOfOthers) return { kind: 'missing', wish: 'written', problems: [] };
    return written(wrongAccount(facts, undefined));
  }
  // Whoever runs as this account never had another in mind, and it is not one to annotate: all pods would have the role.
  const isDefault = account.name === 'default' && Object.keys(annotationsOf(serviceAccount)).length === 0;
  const problem = isDefault && !isMetadataDisabled(facts) ? nodeRole(facts) : annotationMissing(facts, serviceAccount);
  return { kind: 'missing', wish: need, problems: [problem] };
}

function written(problem: Problem): Entitlement {
  return { kind: 'missing', wish: 'written', problems: [problem] };
}

function annotationOnPod(facts: PodFacts, [key, value]: readonly [key: string, value: string]): Problem {
  const { object, account, serviceAccount, settings, containers } = facts;
  const evidence = `the pod has annotation ${key}, which is read on ServiceAccounts only; ServiceAccount ${keyOf(account)} has none`;
  const { annotationPrefix: prefix, composeRoleArn } = settings;
  const role = roleWord(value, { composeRoleArn, regions: containers.flatMap(regionsOf) });
  // kubectl refuses to change what is there, be it empty.
  const overwrite = annotationsOf(serviceAccount)[`${prefix}/role-arn`] === undefined ? '' : ' --overwrite';
  const fix = thenRestart(facts, [`${annotateCommand(account)}${overwrite} ${prefix}/role-arn=${role}`]);
  return { id: 'annotation-on-pod', severity: 'error', object, evidence, fix };
}

function annotationMissing(facts: PodFacts, serviceAccount: NonNullable<PodFacts['serviceAccount']>): Problem {
  const { account, settings } = facts;
  const key = `${settings.annotationPrefix}/role-arn`;
  const evidence =
    annotationsOf(serviceAccount)[key] === undefined
      ? `ServiceAccount ${keyOf(account)} of the pod has no annotation ${key}`
      : `annotation ${key} of ServiceAccount ${keyOf(account)} is empty`;
  const role = `${key}=arn:aws:iam::ACCOUNT_ID:role/NAME`;
  const fix =
    account.name === 'default'
      ? ownAccount(account.namespace, role)
      : thenRestart(facts, [`${annotateCommand(account)} --overwrite ${role}`]);
  return { id: 'annotation-missing', severity: 'error', object: `ServiceAccount ${keyOf(account)}`, evidence, fix };
}

/** With a role on `default`, every pod of the namespace that names no account would have it. */
function ownAccount(namespace: string, role: string): string {
  const inNamespace = `-n ${nameWord(namespace, 'NAMESPACE')}`;
  return fixText(
    [
      `kubectl create serviceaccount SERVICE_ACCOUNT ${inNamespace}`,
      `kubectl annotate serviceaccount SERVICE_ACCOUNT ${inNamespace} ${role}`,
    ],
    'then write serviceAccountName: SERVICE_ACCOUNT in the pod template, and apply it',
  );
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
        ? `write serviceAccountName: ${nameWord(name, 'NAME')} in the pod template of its owner, and apply it`
        : `create ServiceAccount ${nameWord(keyOf(account), 'NAMESPACE/NAME')} with the annotation, or name one that is there as serviceAccountName: a pod can only have one of its own namespace`,
  };
}
