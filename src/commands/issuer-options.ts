// What the commands about an issuer are told by their flags: its URL, and how to reach it.
import { codeOf, messageOf } from '../admission/thrown.ts';
import { issuerProblems, issuerWarnings } from '../aws/issuer.ts';
import { ConfigError } from '../config-error.ts';
import type { FlagValues } from '../flags/given.ts';
import { presentText } from '../settings-from-flags.ts';
import { NO_CLUSTER } from './cluster-client.ts';
import type { CommandIo } from './io.ts';
import type { ConnectTo, IssuerFetch } from './issuer-fetch.ts';
import { certificatesIn, createIssuerFetch } from './issuer-fetch.ts';
import { readOption, wrong } from './option-files.ts';

/** Adds a sentence to `problems` where it is missing. */
export function issuerFrom(flags: FlagValues, problems: string[]): string {
  const issuer = flags.text('issuer') ?? '';
  if (issuer === '')
    problems.push('--issuer is missing: give the URL of the issuer, as in --issuer=https://oidc.example.com');
  return issuer;
}

/** What IAM or STS would refuse of it, a sentence each. */
export function issuerOptionProblems(issuer: string): readonly string[] {
  return issuerProblems(issuer).map((problem) => `--issuer=${JSON.stringify(issuer)}: ${problem}`);
}

/** What is often the mistake, a sentence each. */
export function issuerOptionWarnings(issuer: string): readonly string[] {
  return issuerWarnings(issuer).map(
    ({ warning, fix }) => `warning: --issuer=${JSON.stringify(issuer)}: ${warning}; ${fix}`,
  );
}

/** How an issuer is fetched, where nothing is. */
export function unusedFetchProblems(flags: FlagValues, needed: string): readonly string[] {
  return ['connect-to', 'certificate-authority']
    .filter((name) => presentText(flags, name) !== undefined)
    .map((name) => `--${name} goes with ${needed}: nothing is fetched without it`);
}

/** Fetches by --certificate-authority and --connect-to. */
export async function fetchFrom(flags: FlagValues, io: CommandIo, problems: string[]): Promise<IssuerFetch> {
  const authority = await authorityFrom(flags, io, problems);
  return createIssuerFetch({ authority, connectTo: connectToFrom(flags, problems) });
}

async function authorityFrom(flags: FlagValues, io: CommandIo, problems: string[]): Promise<string | undefined> {
  const file = presentText(flags, 'certificate-authority');
  if (file === undefined) return undefined;
  const option = '--certificate-authority';
  try {
    return certificatesFrom(
      await readOption({ option, file, form: 'a CA in PEM' }, io),
      `${option}=${JSON.stringify(file)}`,
    );
  } catch (error) {
    problems.push(messageOf(error));
    return undefined;
  }
}

function certificatesFrom(pem: string, option: string): string {
  try {
    certificatesIn(pem);
    return pem;
  } catch (error) {
    throw wrong(`${option}: ${messageOf(error)}; want a CA in PEM`);
  }
}

function connectToFrom(flags: FlagValues, problems: string[]): ConnectTo | undefined {
  const text = presentText(flags, 'connect-to');
  if (text === undefined) return undefined;
  const [, host = '', port = ''] = /^\[?([^\]]+)\]?:([0-9]{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535) problems.push(`--connect-to=${JSON.stringify(text)}: want HOST:PORT`);
  return { host, port: Number(port) };
}

export function refuseWrongUse(problems: readonly string[], cause?: unknown): void {
  if (problems.length > 0) throw new ConfigError('usage', problems, cause === undefined ? {} : { cause });
}

/** What cannot be read is wrong use, and no verdict. */
export async function orWrongUse<T>(reading: Promise<T>, what: string): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    // What the server says there names a flag that only it has.
    const problem = codeOf(cause) === 'no-cluster' ? NO_CLUSTER : messageOf(cause);
    throw new ConfigError('usage', [`${what}: ${problem}`], { cause });
  }
}
