// The keys of a decision's log line. Names and codes only: never the pod, its environment or its annotations.
import type { Decision } from '../admission/decision.ts';
import { ownField, ownString } from '../admission/json.ts';
import { accountKeyOf } from '../admission/mutate.ts';
import type { Review } from '../admission/review.ts';

export function decisionFields(review: Review, decision: Decision, seconds: number): Record<string, unknown> {
  const metadata = ownField(review.pod, 'metadata');
  const { kind, reason, method, roleArn, warnings, comparison } = decision;
  return {
    uid: review.uid,
    namespace: review.namespace,
    // Pods of a ReplicaSet have no name yet when they are reviewed.
    pod: ownString(metadata, 'name') ?? ownString(metadata, 'generateName'),
    serviceAccount: accountKeyOf(review).name,
    decision: kind,
    reason,
    method,
    roleArn,
    ms: Math.round(seconds * 1e6) / 1_000,
    ...(warnings.length > 0 && { warnings }),
    ...(review.dryRun && { dryRun: true }),
    ...(comparison && { comparison }),
  };
}
