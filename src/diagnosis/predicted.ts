// What the pod's log will say because of a problem, so that people can match the line they have.
import { INCORRECT_AUDIENCE, NOT_AUTHORIZED, tokenExpired } from '../aws/sts-errors.ts';
import type { ProblemId } from './problem.ts';

const NO_CREDENTIALS =
  'no STS error: "Unable to locate credentials", or AccessDenied of a service for the role of the node';
const NO_FILE = 'no STS error: ENOENT, "no such file or directory" for the token file';
const INVALID_ARN = 'ValidationError: Request ARN is invalid';
const textOf = ({ code, message }: { readonly code: string; readonly message: string }): string =>
  `${code}: ${message}`;

export const PREDICTED: Readonly<Record<ProblemId, string>> = {
  'annotation-on-pod': NO_CREDENTIALS,
  'annotation-key-typo': NO_CREDENTIALS,
  'role-arn-whitespace': INVALID_ARN,
  'role-arn-bad-account': INVALID_ARN,
  'role-arn-not-a-role': INVALID_ARN,
  'role-arn-malformed': INVALID_ARN,
  'role-arn-wrong-partition': textOf(NOT_AUTHORIZED),
  'wrong-service-account': NO_CREDENTIALS,
  'opted-out-by-label': NO_CREDENTIALS,
  'namespace-excluded': NO_CREDENTIALS,
  'node-role-fallback': 'no STS error: AccessDenied of a service for assumed-role/<role of the node>/i-…',
  'annotation-missing': NO_CREDENTIALS,
  'webhook-down': NO_CREDENTIALS,
  'pod-created-before-annotation': NO_CREDENTIALS,
  'pod-not-mutated': NO_CREDENTIALS,
  'half-set-variables': 'no STS error: "role ARN is not set" or the like, or AccessDenied for the role of the node',
  'static-keys-win':
    'no STS error: the calls are those of the owner of the keys; InvalidClientTokenId where they are void',
  'both-irsa-and-pod-identity': 'none: the calls are those of AWS_ROLE_ARN, not of the association',
  'env-without-volume': NO_FILE,
  'windows-unix-path': NO_FILE,
  'volume-mounted-with-subpath': `after a day ${textOf(tokenExpired({ now: 1_700_000_001, expiresAt: 1_700_000_000 }))}`,
  'audience-mismatch': textOf(INCORRECT_AUDIENCE),
  'token-file-permission': 'no STS error: EACCES, "permission denied" for the token file',
  'container-skipped': NO_CREDENTIALS,
  'init-container-without-identity': NO_CREDENTIALS,
  'profile-env-set':
    'no STS error: the calls are those of the profile, or "Could not resolve credentials using profile"',
  'role-arn-differs-from-annotation': 'none, or AccessDenied: the calls are those of the old role',
  'region-missing': 'no STS error: "Region is missing", "You must specify a region"',
  'token-expiration-below-minimum': 'none: the token lives for 600 seconds, or the API server refuses the pod',
  'ephemeral-container-without-identity': NO_CREDENTIALS,
};
