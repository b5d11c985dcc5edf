// `trust-policy generate`: the trust policy of a role for the ServiceAccounts that are named, or that are annotated with it.
import type { JsonObject } from '../admission/json.ts';
import { isObject } from '../admission/json.ts';
import { parseRoleArn } from '../aws/arn.ts';
import type { RoleOwner } from '../aws/arn.ts';
import { KNOWN_PARTITIONS, PARTITION_PATTERN, partitionOf } from '../aws/partitions.ts';
import { lintTrustPolicy } from '../aws/trust-policy-lint.ts';
import { parseTrustPolicy } from '../aws/trust-policy.ts';
import type { Trusted } from '../aws/trust-policy-generate.ts';
import { isWide, trustStatements } from '../aws/trust-policy-generate.ts';
import { mergedPolicy } from '../aws/trust-policy-merge.ts';
import { terraformOf } from '../aws/trust-policy-terraform.ts';
import type { FlagValues } from '../flags/given.ts';
import { findingsText, printable } from './findings.ts';
import type { CommandCall, CommandIo, ExitCode } from './io.ts';
import { issuerOptionProblems, issuerOptionWarnings } from './issuer-options.ts';
import { readOption, wrong } from './option-files.ts';
import { paintWith } from './paint.ts';
import { policyFrom } from './trust-policy-files.ts';
import type { ClientFrom } from './trust-policy-subjects.ts';
import { whatIsGiven } from './trust-policy-subjects.ts';

const EXAMPLE =
  'for example: pod-identity-webhook trust-policy generate --service-account=prod/api --account=111122223333 --issuer=https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE';

/** Rejects with ConfigError where it is used wrongly. */
export async function runTrustPolicyGenerate({ flags, io }: CommandCall, clientFrom: ClientFrom): Promise<ExitCode> {
  const given = await whatIsGiven({ flags, io, clientFrom });
  const problems = [...given.problems];
  const owner = ownerFrom(flags, { ...given, problems });
  const accounts = given.accounts.map(({ namespace, name, audience }) => ({ namespace, name, audience }));
  problems.push(...wideProblems(accounts, flags.isOn('allow-wide')));
  if (given.issuer !== '') problems.push(...issuerOptionProblems(given.issuer));
  const existing = await existingPolicy(flags, io);
  if (given.isWithoutSubject) problems.push(EXAMPLE);
  if (problems.length > 0) throw wrong(...problems);
  for (const warning of [...issuerOptionWarnings(given.issuer), ...partitionWarnings(owner)]) {
    io.stderr(`${printable(warning)}\n`);
  }
  const policy = mergedPolicy(existing, trustStatements({ issuer: given.issuer, owner, accounts }));
  const text = `${JSON.stringify(policy, null, 2)}\n`;
  const subject = { policy: parseTrustPolicy(text), role: undefined, issuer: given.issuer, subject: undefined };
  io.stderr(findingsText(lintTrustPolicy(subject), paintWith(false)));
  io.stdout(flags.text('output') === 'terraform' ? terraformOf(policy) : text);
  return 0;
}

/** From --role, from --account, or from the one role that the accounts are annotated with. */
function ownerFrom(
  flags: FlagValues,
  {
    roles,
    issuer,
    problems,
  }: { readonly roles: readonly string[]; readonly issuer: string; readonly problems: string[] },
): RoleOwner {
  const role = flags.text('role');
  const account = flags.text('account') ?? flags.text('aws-account-id');
  const partition = flags.text('partition') ?? flags.text('aws-partition');
  const roleArn = role ?? (roles.length === 1 ? roles[0] : undefined);
  const ofRole = roleArn === undefined ? undefined : parseRoleArn(roleArn);
  if (role !== undefined && ofRole === undefined) {
    problems.push(`--role=${JSON.stringify(role)}: want arn:aws:iam::ACCOUNT:role/NAME, with an account of 12 digits`);
  } else if (role === undefined && roles.length > 1) {
    problems.push(
      `the accounts are annotated with ${roles.length} roles, and each has its own policy: choose with --role=${roles.toSorted().join(' or ')}`,
    );
  } else if (account === undefined && ofRole === undefined) {
    problems.push('--account: give the AWS account of the role, or --role with its ARN');
  }
  if (account !== undefined && !/^[0-9]{12}$/.test(account)) {
    problems.push(`--account=${JSON.stringify(account)}: want an AWS account id, 12 digits`);
  } else if (account !== undefined && ofRole !== undefined && account !== ofRole.accountId) {
    problems.push(
      `--account=${JSON.stringify(account)}: the role ${roleArn} is of account ${ofRole.accountId}; leave --account out`,
    );
  }
  if (partition !== undefined && !new RegExp(`^${PARTITION_PATTERN}$`).test(partition)) {
    problems.push(`--partition=${JSON.stringify(partition)}: want aws, aws-cn, aws-us-gov or another partition of AWS`);
  } else if (partition !== undefined && ofRole !== undefined && partition !== ofRole.partition) {
    problems.push(
      `--partition=${JSON.stringify(partition)}: the role ${roleArn} is of partition ${ofRole.partition}; leave --partition out`,
    );
  }
  return {
    partition:
      ofRole?.partition ?? partition ?? partitionOf(/^https:\/\/oidc\.eks\.([a-z0-9-]+)\./.exec(issuer)?.[1] ?? ''),
    accountId: ofRole?.accountId ?? account ?? '',
  };
}

/** There may be one some day that is not known here. */
function partitionWarnings({ partition }: RoleOwner): readonly string[] {
  if (KNOWN_PARTITIONS.includes(partition)) return [];
  return [`warning: partition ${JSON.stringify(partition)} is none of ${KNOWN_PARTITIONS.join(', ')}: correct it`];
}

function wideProblems(accounts: readonly Trusted[], allowed: boolean): readonly string[] {
  if (allowed) return [];
  return accounts
    .filter(isWide)
    .map(
      ({ namespace, name }) =>
        `--service-account="${namespace}/${name}" trusts accounts of every namespace, also of those that others create; name the namespaces, or give --allow-wide`,
    );
}

async function existingPolicy(flags: FlagValues, io: CommandIo): Promise<JsonObject | undefined> {
  const file = flags.text('merge');
  if (file === undefined) return undefined;
  const { text } = policyFrom(await readOption({ option: '--merge', file }, io));
  const { faults } = parseTrustPolicy(text);
  if (faults.length > 0) throw wrong(...faults.map(({ message }) => `--merge=${JSON.stringify(file)}: ${message}`));
  const policy: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
  return isObject(policy) ? policy : undefined;
}
