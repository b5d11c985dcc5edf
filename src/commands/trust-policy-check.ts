// `trust-policy check`: whether STS would give a role to a token, and which clause of the trust policy decides.
import { parseRoleArn } from '../aws/arn.ts';
import type { OidcProvider } from '../aws/oidc-provider.ts';
import type { TokenClaims, TokenForm } from '../aws/token.ts';
import { claimsFrom, claimsOfServiceAccount } from '../aws/token.ts';
import type { TrustDecision } from '../aws/trust-policy.ts';
import { evaluateTrustPolicy, parseTrustPolicy } from '../aws/trust-policy.ts';
import { parseTrusted } from '../aws/trust-policy-generate.ts';
import { hasWildcard } from '../aws/trust-policy-patterns.ts';
import type { FlagValues } from '../flags/given.ts';
import { findingsText, printable } from './findings.ts';
import type { CommandCall, CommandIo, ExitCode } from './io.ts';
import { readJsonOption, readOption, wrong } from './option-files.ts';
import type { Paint } from './paint.ts';
import { paintWith } from './paint.ts';
import { tokenFrom } from './token.ts';
import { policyFrom, providerFrom } from './trust-policy-files.ts';

/** Rejects with ConfigError where it is used wrongly. */
export async function runTrustPolicyCheck({ flags, io }: CommandCall, nowSeconds: number): Promise<ExitCode> {
  const { policyFile, roleArn } = optionsFrom(flags);
  const { text, roleArn: owner } = policyFrom(await readOption({ option: '--policy', file: policyFile }, io));
  if (owner !== undefined && owner !== roleArn) {
    const files = `--policy=${JSON.stringify(policyFile)} is the policy of ${JSON.stringify(owner)}`;
    throw wrong(`${files}, and --role is ${JSON.stringify(roleArn)}: give the policy of that role`);
  }
  const question = {
    policy: parseTrustPolicy(text),
    roleArn,
    ...(await claimsGiven(flags, io)),
    ...(await providerGiven({ flags, io, roleArn })),
    nowSeconds,
  };
  const decision = evaluateTrustPolicy(question);
  io.stdout(flags.text('output') === 'json' ? decisionJson(decision) : decisionText(decision, paintWith(io.colour)));
  return decision.verdict === 'allowed' ? 0 : 1;
}

const SOURCES = ['token', 'claims', 'service-account'];
const FILES = ['policy', 'token', 'claims', 'provider'];

function optionsFrom(flags: FlagValues): { readonly policyFile: string; readonly roleArn: string } {
  const problems: string[] = [];
  const policyFile = flags.text('policy') ?? '';
  if (policyFile === '') problems.push('--policy: give the file of the trust policy, or - for standard input');
  const roleArn = flags.text('role') ?? '';
  if (parseRoleArn(roleArn) === undefined) {
    const given = roleArn === '' ? '--role is missing' : `--role=${JSON.stringify(roleArn)}`;
    problems.push(`${given}: want arn:aws:iam::ACCOUNT:role/NAME, with an account of 12 digits`);
  }
  const given = SOURCES.filter((name) => flags.isGiven(name));
  if (given.length !== 1) {
    const had = given.length === 0 ? 'none' : given.map((name) => `--${name}`).join(' and ');
    problems.push(`give one of --token, --claims and --service-account (with --issuer); there is ${had}`);
  }
  const piped = FILES.filter((name) => flags.text(name) === '-').map((name) => `--${name}`);
  if (piped.length > 1) problems.push(`${piped.join(' and ')}: standard input can be read once; give the others files`);
  if (given.includes('service-account')) problems.push(...accountProblems(flags));
  else if (flags.isGiven('issuer')) problems.push('--issuer goes with --service-account: a token says its own');
  else if (flags.isGiven('audience')) problems.push('--audience goes with --service-account: a token says its own');
  if (problems.length > 0) throw wrong(...problems);
  return { policyFile, roleArn };
}

function accountProblems(flags: FlagValues): readonly string[] {
  const problems: string[] = [];
  const accounts = flags.all('service-account');
  const account = accounts.at(-1) ?? '';
  if (accounts.length > 1 || parseTrusted(account) === undefined || hasWildcard(account)) {
    problems.push(`--service-account=${JSON.stringify(accounts.join(' '))}: want one, as NAMESPACE/NAME`);
  }
  const issuer = flags.text('issuer') ?? '';
  if (!/^https:\/\/[^\s/]/.test(issuer)) {
    const given = issuer === '' ? '--issuer is missing' : `--issuer=${JSON.stringify(issuer)}`;
    problems.push(`${given}: want the issuer of the cluster's tokens, https://HOST/PATH`);
  }
  if (flags.text('audience') === '') problems.push('--audience="": want the audience of the tokens');
  return problems;
}

interface ClaimsGiven {
  readonly claims: TokenClaims;
  readonly form?: TokenForm;
  /** As the times of a token must be there. */
  readonly timesRequired: boolean;
}

async function claimsGiven(flags: FlagValues, io: CommandIo): Promise<ClaimsGiven> {
  const token = flags.text('token');
  if (token !== undefined) {
    const text = await readOption({ option: '--token', file: token }, io);
    const { claims, ...form } = tokenFrom(text, token);
    return { claims, form, timesRequired: true };
  }
  const file = flags.text('claims');
  if (file !== undefined) {
    const claims = claimsFrom(await readJsonOption({ option: '--claims', file }, io));
    if (claims === undefined)
      throw wrong(`--claims=${JSON.stringify(file)}: want a JSON object, the payload of a token`);
    return { claims, timesRequired: false };
  }
  const { namespace = '', name = '' } = parseTrusted(flags.all('service-account').at(-1) ?? '') ?? {};
  const [issuer = '', audience = ''] = [flags.text('issuer'), flags.text('audience')];
  return { claims: claimsOfServiceAccount({ namespace, name, issuer, audience }), timesRequired: false };
}

interface ProviderQuestion {
  readonly flags: FlagValues;
  readonly io: CommandIo;
  readonly roleArn: string;
}

async function providerGiven({ flags, io, roleArn }: ProviderQuestion): Promise<{ provider?: OidcProvider | null }> {
  const file = flags.text('provider');
  if (file === undefined) return {};
  return { provider: providerFrom(await readJsonOption({ option: '--provider', file }, io), { file, roleArn }) };
}

function decisionJson({ verdict, reason, stsError, findings }: TrustDecision): string {
  return `${JSON.stringify({ verdict, reason, stsError, findings }, null, 2)}\n`;
}

function decisionText({ verdict, reason, stsError, findings }: TrustDecision, paint: Paint): string {
  const answer = stsError === null ? '' : `STS would answer ${stsError.code}: ${printable(stsError.message)}\n`;
  const told = findingsText(findings, paint);
  return `${paint.bold(verdict)}: ${printable(reason)}\n${answer}${told === '' ? '' : `\n${told}`}`;
}
