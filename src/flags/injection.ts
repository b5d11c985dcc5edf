// Flags that say what goes into a pod; the commands that decide about pods take them as the server does.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const DECIDE = ['serve', 'inject', 'diagnose manifests', 'diagnose pod', 'diagnose serviceaccount', 'audit'] as const;

export const INJECTION_FLAGS: readonly Flag[] = inGroup('What is injected', [
  {
    name: 'annotation-prefix',
    type: 'text',
    placeholder: 'DOMAIN',
    default: 'eks.amazonaws.com',
    commands: DECIDE,
    help: 'Domain of all annotations.',
  },
  {
    name: 'token-audience',
    type: 'text',
    placeholder: 'AUDIENCE',
    default: 'sts.amazonaws.com',
    commands: [...DECIDE, 'iam provider'],
    help: 'Audience of the token; an annotation of the ServiceAccount beats it.',
  },
  {
    name: 'token-mount-path',
    type: 'text',
    placeholder: 'DIR',
    default: '/var/run/secrets/eks.amazonaws.com/serviceaccount',
    commands: DECIDE,
    help: 'Directory of the token in the containers.',
  },
  {
    name: 'token-expiration',
    type: 'integer',
    range: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    placeholder: 'SECONDS',
    default: '86400',
    commands: DECIDE,
    help: 'Lifetime of the token in seconds, at least 600; annotations of ServiceAccount and pod beat it.',
  },
  {
    name: 'aws-default-region',
    type: 'text',
    placeholder: 'REGION',
    commands: DECIDE,
    help: 'Sets AWS_DEFAULT_REGION and AWS_REGION in containers that have neither; auto takes the region from --pod-region, else from the instance metadata.',
  },
  {
    name: 'sts-regional-endpoint',
    type: 'boolean',
    default: 'false',
    commands: DECIDE,
    help: 'Sets AWS_STS_REGIONAL_ENDPOINTS=regional; an annotation of the ServiceAccount beats it.',
  },
  {
    name: 'allow-invalid-role-arn',
    type: 'boolean',
    default: 'false',
    commands: DECIDE,
    help: 'Inject role ARNs that IAM would not accept, as amazon-eks-pod-identity-webhook does.',
  },
  {
    name: 'compose-role-arn',
    type: 'boolean',
    default: 'false',
    commands: DECIDE,
    help: 'A role may be written as path/name; account and partition come from the flags below, else from the instance metadata.',
  },
  {
    name: 'aws-account-id',
    type: 'text',
    placeholder: 'ID',
    commands: DECIDE,
    help: 'Account of roles that are written as path/name: 12 digits.',
  },
  {
    name: 'aws-partition',
    type: 'text',
    placeholder: 'PARTITION',
    commands: DECIDE,
    help: 'Partition of such roles: aws, aws-cn, aws-us-gov and so on; that of the region unless given.',
  },
  {
    name: 'mirror-region',
    type: 'boolean',
    default: 'false',
    commands: DECIDE,
    help: 'Where a container sets one of AWS_REGION and AWS_DEFAULT_REGION, give the other the same value: no single one serves every SDK.',
  },
  {
    name: 'region-without-role',
    type: 'boolean',
    default: 'false',
    commands: DECIDE,
    help: 'Set the region also in pods whose ServiceAccount has no role.',
  },
  {
    name: 'role-session-name',
    type: 'boolean',
    default: 'false',
    commands: DECIDE,
    help: 'Set AWS_ROLE_SESSION_NAME to the pod’s name, for CloudTrail; the annotation role-session-name of the ServiceAccount beats it.',
  },
  {
    name: 'variables-first',
    type: 'boolean',
    default: 'false',
    commands: DECIDE,
    help: 'Put the variables before the container’s own, so that $(AWS_ROLE_ARN) resolves in these.',
  },
  {
    name: 'token-expiration-jitter',
    type: 'boolean',
    default: 'false',
    commands: DECIDE,
    help: 'Spread token lifetimes of exactly 86400 over 79200 to 86400 seconds also for web identity, as is always done for EKS Pod Identity.',
  },
]);
