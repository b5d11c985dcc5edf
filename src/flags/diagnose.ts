// Flags of the diagnosis of a live cluster: where it is, and what is known of AWS's side.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const COMMANDS = ['diagnose pod', 'diagnose serviceaccount'] as const;

export const DIAGNOSE_FLAGS: readonly Flag[] = inGroup('Diagnosis', [
  {
    name: 'kubeconfig',
    type: 'text',
    placeholder: 'FILE',
    commands: COMMANDS,
    help: 'How the API server is reached from outside of the cluster.',
  },
  {
    name: 'kube-api',
    type: 'text',
    placeholder: 'URL',
    commands: COMMANDS,
    help: 'URL of the API server, instead of the one that the configuration names.',
  },
  {
    name: 'policy',
    type: 'text',
    placeholder: 'FILE',
    commands: COMMANDS,
    help: 'The role’s trust policy, or what aws iam get-role prints; - for standard input. Not judged unless given.',
  },
  {
    name: 'provider',
    type: 'text',
    placeholder: 'FILE',
    commands: COMMANDS,
    help: 'The OIDC provider in IAM as {"arn", "url", "clientIds"}, or null where the account has none; not judged unless given.',
  },
  {
    name: 'sts-endpoint',
    type: 'text',
    placeholder: 'URL',
    commands: COMMANDS,
    help: 'Where STS is asked with a new token of the account, which needs create on serviceaccounts/token; none asks nobody. Unless given, AWS’s own of the pod’s region.',
  },
  {
    name: 'certificate-authority',
    type: 'text',
    placeholder: 'FILE',
    commands: COMMANDS,
    help: 'CA (PEM) of the issuer, where no public one signed its certificate.',
  },
  {
    name: 'connect-to',
    type: 'text',
    placeholder: 'HOST:PORT',
    commands: COMMANDS,
    help: 'Where the issuer is reached from here, instead of at its address.',
  },
]);
