// Every reason in plain words: for the person whose pod was refused, for `--explain`, and for the demo.
import type { Reason } from './decision.ts';

export interface Explanation {
  /** What the reason says about the pod. */
  readonly meaning: string;
  /** What to do where this is not what was wanted. */
  readonly fix: string;
}

export const EXPLANATIONS: Readonly<Record<Reason, Explanation>> = {
  injected: { meaning: 'the pod got the identity of its ServiceAccount', fix: 'nothing to do' },
  'no-role': {
    meaning: 'the ServiceAccount names no IAM role',
    fix: 'annotate it with eks.amazonaws.com/role-arn=<ARN of the role> and create the pod again',
  },
  'opted-out': {
    meaning: 'the pod carries the label eks.amazonaws.com/skip-pod-identity-webhook',
    fix: 'remove that label and create the pod again',
  },
  'mirror-pod': {
    meaning: 'the pod is a static pod of a node, which cannot have a ServiceAccount token',
    fix: 'run it as a DaemonSet or Deployment',
  },
  'already-injected': { meaning: 'the pod has everything already', fix: 'nothing to do' },
  'nothing-to-inject': {
    meaning: 'no container takes the identity: all are skipped or bring a token file of their own',
    fix: 'look at the annotation skip-containers and at AWS_WEB_IDENTITY_TOKEN_FILE in the containers',
  },
  'invalid-role-arn': {
    meaning: 'the role-arn of the ServiceAccount is not the ARN of an IAM role',
    fix: 'write it as arn:aws:iam::<12 digits>:role/<name> and create the pod again',
  },
  'role-not-allowed': {
    meaning: 'the namespace does not allow this role',
    fix: 'add the role to the namespace’s list of allowed roles, or name another role',
  },
  'service-account-not-found': {
    meaning: 'there is no such ServiceAccount in the namespace',
    fix: 'create the ServiceAccount, then the pod',
  },
  'service-account-not-in-input': {
    meaning: 'the manifests do not contain the ServiceAccount of the pod',
    fix: 'give the ServiceAccount with another -f',
  },
  'not-a-pod': { meaning: 'the object is not a pod', fix: 'send reviews of pods only' },
  'not-create': { meaning: 'the pod is not being created', fix: 'nothing to do: identity is given at creation' },
  'sub-resource': { meaning: 'the review is of a part of a pod', fix: 'nothing to do: identity is given at creation' },
  'not-synced': {
    meaning: 'the webhook does not know the cluster’s ServiceAccounts yet',
    fix: 'try again in a moment; see /readyz?verbose of the webhook',
  },
  overloaded: { meaning: 'the webhook has more reviews at once than it takes', fix: 'try again, or add replicas' },
  'lookup-failed': {
    meaning: 'the ServiceAccount could not be read from the API server',
    fix: 'try again; see the webhook’s log for the cause',
  },
  'account-id-unknown': {
    meaning: 'the AWS account and partition that the role name needs are not known yet',
    fix: 'try again, or give the webhook --aws-account-id and --aws-partition',
  },
};
