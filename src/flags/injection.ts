// Flags that say what goes into a pod; the commands that decide about pods take them as the server does.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const DECIDE = ['serve', 'inject'] as const;

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
    commands: DECIDE,
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
    help: 'Sets AWS_DEFAULT_REGION and AWS_REGION in containers that have neither.',
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
]);
