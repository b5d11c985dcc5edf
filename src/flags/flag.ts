// What a flag is. The flags themselves are in the files beside this one, a file for each group of --help.

export type FlagType = 'text' | 'boolean' | 'integer' | 'duration' | 'choice';

export type CommandName =
  | 'serve'
  | 'inject'
  | 'demo'
  | 'check-install'
  | 'diagnose error'
  | 'diagnose manifests'
  | 'diagnose pod'
  | 'diagnose serviceaccount'
  | 'oidc publish'
  | 'oidc verify'
  | 'iam provider'
  | 'trust-policy generate'
  | 'trust-policy check'
  | 'token inspect'
  | 'audit';

export type FlagGroup =
  | 'Sockets and certificates'
  | 'Cluster'
  | 'What is injected'
  | 'Sources of identities'
  | 'Running'
  | 'Trust policy'
  | 'Issuer'
  | 'Audit'
  | 'Diagnosis'
  | 'Input and output';

export interface Flag {
  readonly name: string;
  readonly short?: string;
  readonly type: FlagType;
  readonly group: FlagGroup;
  readonly commands: readonly CommandName[];
  /** As one would write it; absent where the flag has no value unless given. */
  readonly default?: string;
  /** What stands for the value in --help. */
  readonly placeholder?: string;
  readonly choices?: readonly string[];
  /** Inclusive bounds of an integer. */
  readonly range?: readonly [number, number];
  /**
   * Environment variables, without their prefix, of which the first that is set counts; the flag's own name unless given.
   * A flag that the server has too and that means something else there takes none of the server's.
   */
  readonly variables?: readonly string[];
  /** May be given more than once. */
  readonly repeatable?: boolean;
  readonly help: string;
}

/** A flag of a group, whose file says the group once. */
export type GroupedFlag = Omit<Flag, 'group'>;

export function inGroup(group: FlagGroup, flags: readonly GroupedFlag[]): readonly Flag[] {
  return flags.map((flag) => ({ ...flag, group }));
}
