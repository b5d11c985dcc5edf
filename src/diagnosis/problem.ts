// The vocabulary of `diagnose manifests`: what is wrong with a pod's identity, as its manifests tell.

/** The ids are an interface. Their order here is that of the report: what keeps the identity away comes first. */
export const PROBLEM_IDS = [
  'annotation-on-pod',
  'annotation-key-typo',
  'role-arn-whitespace',
  'role-arn-bad-account',
  'role-arn-not-a-role',
  'role-arn-malformed',
  'role-arn-wrong-partition',
  'wrong-service-account',
  'opted-out-by-label',
  'namespace-excluded',
  'node-role-fallback',
  'annotation-missing',
  'webhook-down',
  'pod-created-before-annotation',
  'pod-not-mutated',
  'half-set-variables',
  'static-keys-win',
  'both-irsa-and-pod-identity',
  'env-without-volume',
  'windows-unix-path',
  'volume-mounted-with-subpath',
  'audience-mismatch',
  'token-file-permission',
  'container-skipped',
  'init-container-without-identity',
  'profile-env-set',
  'role-arn-differs-from-annotation',
  'region-missing',
  'token-expiration-below-minimum',
  'ephemeral-container-without-identity',
] as const;

export type ProblemId = (typeof PROBLEM_IDS)[number];

export interface Problem {
  readonly id: ProblemId;
  /** An error keeps the pod from its identity, or gives it another; a warning will, or may. */
  readonly severity: 'error' | 'warning';
  /** `Pod prod/api`, `Pod prod/api container main`, `ServiceAccount prod/api`. */
  readonly object: string;
  /** What was read, with the values that show it. */
  readonly evidence: string;
  /** A sentence, or a command; what is to be read with a command stands on a second line, behind a #. */
  readonly fix: string;
}
