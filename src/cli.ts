// The command line: which command, and the value of each of its flags from arguments, environment or default. A flag
// beats the environment. Every problem is reported at once.
import { parseArgs } from 'node:util';
import { ConfigError } from './config-error.ts';
import type { CommandName, Flag } from './flags/flag.ts';
import { klogFlag, levelOfVerbosity } from './flags/klog.ts';
import { FLAGS } from './flags/table.ts';
import type { FlagValue } from './flags/values.ts';
import { flagValue } from './flags/values.ts';

export const COMMANDS: readonly { readonly name: CommandName; readonly summary: string }[] = [
  { name: 'serve', summary: 'Answer the API server’s reviews of pods. The default.' },
  { name: 'inject', summary: 'Put identities into manifests, as the server would into their pods.' },
  { name: 'demo', summary: 'Show on this machine, without a cluster, what the webhook does to a pod.' },
];

/** The flags of one command with their values. */
export interface FlagValues {
  text(name: string): string | undefined;
  isOn(name: string): boolean;
  number(name: string): number;
  /** Every value of a flag that may be given more than once. */
  all(name: string): readonly string[];
  /** Whether the value comes from the command line or the environment, not from the default. */
  isGiven(name: string): boolean;
}

export type CommandLine =
  | { readonly kind: 'run'; readonly command: CommandName; readonly flags: FlagValues }
  | { readonly kind: 'help'; readonly command: CommandName | undefined }
  | { readonly kind: 'version' };

export type Environment = Readonly<Record<string, string | undefined>>;

// What published manifests of amazon-eks-pod-identity-webhook start; some give it as an argument.
const FOREIGN_PROGRAM_NAMES = ['/webhook', '/usr/bin/aws-pod-identity-webhook'];

/** `argv` without interpreter and program. Throws ConfigError `usage` with every problem. */
export function parseCommandLine(argv: readonly string[], environment: Environment): CommandLine {
  const args = FOREIGN_PROGRAM_NAMES.includes(argv[0] ?? '') ? argv.slice(1) : argv;
  const word = args[0] !== undefined && !args[0].startsWith('-') ? args[0] : undefined;
  const command = COMMANDS.find(({ name }) => name === word)?.name;
  const rest = word === undefined ? args : args.slice(1);

  if (word === 'help' || rest.some((arg) => arg === '--help' || arg === '-h')) return { kind: 'help', command };
  if (word === 'version' || rest.includes('--version')) return { kind: 'version' };
  if (word !== undefined && command === undefined) {
    const known = COMMANDS.map(({ name }) => name).join(', ');
    throw new ConfigError('usage', [`unknown command ${JSON.stringify(word)}: want one of ${known}`]);
  }
  return { kind: 'run', command: command ?? 'serve', flags: readFlags(command ?? 'serve', rest, environment) };
}

/** The name of the environment variable of a flag. */
export function environmentName(flag: Flag): string {
  return `POD_IDENTITY_WEBHOOK_${flag.name.replaceAll('-', '_').toUpperCase()}`;
}

function readFlags(command: CommandName, args: readonly string[], environment: Environment): FlagValues {
  const flags = FLAGS.filter(({ commands }) => commands.includes(command));
  const problems: string[] = [];
  const texts = new Map<string, readonly Argument[]>();
  for (const flag of flags) {
    const rawName = environmentName(flag);
    const value = environment[rawName];
    if (value !== undefined && !isServiceLink(value)) texts.set(flag.name, [{ name: flag.name, rawName, value }]);
  }
  const fromEnvironment = new Set(texts.keys());
  for (const argument of argumentsOf(args, flags, problems)) {
    const before = fromEnvironment.delete(argument.name) ? [] : (texts.get(argument.name) ?? []);
    texts.set(argument.name, [...before, argument]);
  }
  const given = new Map<string, readonly FlagValue[]>();
  for (const flag of flags) {
    const checked = (texts.get(flag.name) ?? []).map(({ rawName, value }) => flagValue(flag, value, rawName));
    problems.push(...checked.flatMap((one) => ('problem' in one ? [one.problem] : [])));
    const values = checked.flatMap((one) => ('value' in one ? [one.value] : []));
    if (values.length > 0) given.set(flag.name, values);
  }
  if (problems.length > 0) throw new ConfigError('usage', problems);
  return flagValues(flags, given);
}

interface Argument {
  readonly name: string;
  readonly rawName: string;
  readonly value: string;
}

/** The arguments in their order; klog's -v becomes the log level that it means. */
function argumentsOf(args: readonly string[], flags: readonly Flag[], problems: string[]): readonly Argument[] {
  const { tokens } = parseArgs({
    args: [...args],
    options: parseArgsOptions(args, flags),
    tokens: true,
    strict: false,
  });
  const found: Argument[] = [];
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      problems.push(`unexpected argument ${JSON.stringify(token.value)}: flags are written --name=value`);
      continue;
    }
    const { name, rawName } = token;
    const flag = flags.find((candidate) => candidate.name === name);
    const value = token.value?.replace(token.inlineValue && !rawName.startsWith('--') ? /^=/ : '', '');
    if (flag !== undefined && (value !== undefined || flag.type === 'boolean')) {
      found.push({ name, rawName, value: value ?? 'true' });
    } else if (flag !== undefined) {
      problems.push(`${rawName}: want a value, as in ${rawName}=${flag.placeholder ?? flag.default ?? 'VALUE'}`);
    } else if (klogFlag(name) === undefined) {
      problems.push(`unknown flag ${rawName}: see --help`);
    } else if (name === 'v' && levelOfVerbosity(value ?? '') !== undefined && !args.some(isLogLevel)) {
      found.push({ name: 'log-level', rawName, value: levelOfVerbosity(value ?? '') ?? 'info' });
    }
  }
  return found;
}

function isLogLevel(argument: string): boolean {
  return argument.startsWith('--log-level');
}

type ParseArgsOptions = Record<string, { type: 'string' | 'boolean'; short?: string }>;

function parseArgsOptions(args: readonly string[], flags: readonly Flag[]): ParseArgsOptions {
  const options: ParseArgsOptions = {};
  for (const { name, type, short } of flags) {
    options[name] = { type: type === 'boolean' ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) };
  }
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name !== undefined && klogFlag(name) === 'value') options[name] = { type: 'string' };
  }
  options['v'] = { type: 'string', short: 'v' };
  return options;
}

/** The kubelet sets variables of this form for each Service of the namespace: POD_IDENTITY_WEBHOOK_PORT=tcp://… */
function isServiceLink(text: string): boolean {
  return /^(?:tcp|udp|sctp):\/\//.test(text);
}

function flagValues(flags: readonly Flag[], given: ReadonlyMap<string, readonly FlagValue[]>): FlagValues {
  const values = new Map<string, readonly FlagValue[]>();
  for (const flag of flags) {
    const value = flag.default === undefined ? undefined : flagValue(flag, flag.default, flag.name);
    values.set(flag.name, given.get(flag.name) ?? (value !== undefined && 'value' in value ? [value.value] : []));
  }
  const last = (name: string): FlagValue | undefined => values.get(name)?.at(-1);
  return {
    text: (name) => last(name)?.toString(),
    isOn: (name) => last(name) === true,
    number: (name) => Number(last(name)),
    all: (name) => (values.get(name) ?? []).map(String),
    isGiven: (name) => given.has(name),
  };
}

/** Whether output is coloured: on a terminal, unless NO_COLOR is set (no-color.org). */
export function wantsColour(isTerminal: boolean, environment: Environment): boolean {
  return isTerminal && (environment['NO_COLOR'] ?? '') === '';
}
