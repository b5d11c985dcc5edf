// The one table of commands. A new one has a row here, its flags in a file of this directory, and a line in
// ../command-runners.ts; parsing, --help and the list of commands follow.
import type { CommandName } from './flag.ts';

export interface Command {
  /** One word, or two as in `token inspect`. */
  readonly name: CommandName;
  readonly summary: string;
  /** What stands beside the flags; a command without takes none. */
  readonly operands?: {
    /** As one would write it in the usage line. */
    readonly placeholder: string;
    /** Inclusive bounds of their number. */
    readonly count: readonly [number, number];
    /** A sentence of --help. */
    readonly help: string;
  };
}

export const COMMANDS: readonly Command[] = [
  { name: 'serve', summary: 'Answer the API server’s reviews of pods. The default.' },
  { name: 'inject', summary: 'Put identities into manifests, as the server would into their pods.' },
  {
    name: 'check-install',
    summary: 'See by a dry run whether the API server calls the webhook, and what is wrong.',
  },
  { name: 'demo', summary: 'Show on this machine, without a cluster, what the webhook does to a pod.' },
  {
    name: 'diagnose error',
    summary: 'Name the likely causes of an AWS error in a pod’s log, and how to tell them apart.',
    operands: { placeholder: 'LOG LINE', count: [1, 100_000], help: 'The line in quotes, or - for standard input.' },
  },
  {
    name: 'diagnose manifests',
    summary: 'Say what is wrong with the AWS identity of stored pods and of their ServiceAccounts, without a cluster.',
  },
  {
    name: 'diagnose pod',
    summary: 'Say what is wrong with the AWS identity of a pod of the cluster, and what AWS would answer it.',
    operands: { placeholder: 'NAMESPACE/NAME', count: [1, 1], help: 'The pod.' },
  },
  {
    name: 'diagnose serviceaccount',
    summary: 'The same for a ServiceAccount of the cluster and all of its pods.',
    operands: { placeholder: 'NAMESPACE/NAME', count: [1, 1], help: 'The ServiceAccount.' },
  },
  {
    name: 'oidc publish',
    summary: 'Write what a self-hosted cluster’s issuer must publish, ready to upload.',
  },
  { name: 'oidc verify', summary: 'Check as STS would what an issuer publishes, against cluster and token.' },
  { name: 'iam provider', summary: 'Print what creates the IAM OIDC provider of an issuer.' },
  {
    name: 'trust-policy generate',
    summary: 'Write the trust policy of a role for ServiceAccounts, or add them to one.',
  },
  {
    name: 'trust-policy check',
    summary: 'Say whether STS would give a role to a token, and which clause decides.',
  },
  {
    name: 'token inspect',
    summary: 'Say in plain words what a token claims, and what STS would refuse it for.',
    operands: { placeholder: 'FILE', count: [1, 1], help: 'The file of the token, or - for standard input.' },
  },
  { name: 'audit', summary: 'Find stored pods that lack their identity or have an old one.' },
];
