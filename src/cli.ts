// The command line: which command, and the value of each of its flags from arguments, environment or default. A flag
// beats the environment. Every problem is reported at once.
import { parseArgs } from 'node:util';
import { isRawToken, RAW_TOKEN } from './aws/raw-token.ts';
import { ConfigError } from './config-error.ts';
import type { Command } from './flags/commands.ts';
import { COMMANDS } from './flags/commands.ts';
import type { CommandName, Flag } from './flags/flag.ts';
import type { FlagValues } from './flags/given.ts';
import { flagValues } from './flags/given.ts';
import { klogFlag, levelOfVerbosity } from './flags/klog.ts';
import { FLAGS } from './flags/table.ts';
import type { FlagValue } from './flags/values.ts';
import { flagValue } from './flags/values.ts';
import { unknownCommand, unknownFlag } from './unknown-words.ts';

export interface CommandRun {
  readonly kind: 'run';
  readonly command: CommandName;
  readonly flags: FlagValues;
  /** What stood beside the flags, in its order. */
  readonly operands: readonly string[];
}

export type CommandLine =
  | CommandRun
  /** Of one command, of those that begin with one word, or of all. */
  | { readonly kind: 'help'; readonly command: string | undefined }
  | { readonly kind: 'version' };

export type Environment = Readonly<Record<string, string | undefined>>;

// What published manifests of amazon-eks-pod-identity-webhook start; some give it as an argument.
const FOREIGN_PROGRAM_NAMES = ['/webhook', '/usr/bin/aws-pod-identity-webhook'];

/** `argv` without interpreter and program. Throws ConfigError `usage` with every problem. */
export function parseCommandLine(argv: readonly string[], environment: Environment): CommandLine {
  const args = FOREIGN_PROGRAM_NAMES.includes(argv[0] ?? '') ? argv.slice(1) : argv;
  const { command, word, rest } = commandOf(args);
  if (word === 'help' || rest.some((arg) => arg === '--help' || arg === '-h')) {
    return { kind: 'help', command: ['', 'help'].includes(word) ? undefined : word };
  }
  if (word === 'version' || rest.includes('--version')) return { kind: 'version' };
  if (command === undefined) {
    const names = COMMANDS.map(({ name }) => name);
    throw new ConfigError('usage', [unknownCommand({ word, next: rest[0] ?? '' }, names)]);
  }
  return { kind: 'run', command: command.name, ...readFlags(command, rest, environment) };
}

/** The command is undefined where the first words name none, and `serve` where there are no words. */
function commandOf(args: readonly string[]): { command: Command | undefined; word: string; rest: readonly string[] } {
  const words = args
    .slice(0, 2)
    .filter((arg, index) => !args[0]?.startsWith('-') && (index === 0 || !arg.startsWith('-')));
  for (const count of [2, 1, 0].filter((each) => each <= words.length)) {
    const word = words.slice(0, count).join(' ');
    const command = COMMANDS.find(({ name }) => name === (words.length === 0 ? 'serve' : word));
    if (command !== undefined) return { command, word, rest: args.slice(count) };
  }
  return { command: undefined, word: words[0] ?? '', rest: args.slice(1) };
}

/** The name of the environment variable of a flag. */
export function environmentName({ name }: Pick<Flag, 'name'>): string {
  return `POD_IDENTITY_WEBHOOK_${name.replaceAll('-', '_').toUpperCase()}`;
}

/** What the environment says of a flag. */
function variableOf({ name, variables = [name] }: Flag, environment: Environment): Argument | undefined {
  for (const variable of variables) {
    const rawName = environmentName({ name: variable });
    const value = environment[rawName];
    if (value !== undefined && !isServiceLink(value)) return { name, rawName, value };
  }
  return undefined;
}

interface Read {
  readonly flags: FlagValues;
  readonly operands: readonly string[];
}

function readFlags(command: Command, args: readonly string[], environment: Environment): Read {
  const flags = FLAGS.filter(({ commands }) => commands.includes(command.name));
  const problems: string[] = [];
  const operands: string[] = [];
  const texts = new Map<string, readonly Argument[]>();
  for (const flag of flags) {
    const variable = variableOf(flag, environment) ?? personsOwn(flag, command, environment);
    if (variable !== undefined) texts.set(flag.name, [variable]);
  }
  const fromEnvironment = new Set(texts.keys());
  for (const argument of argumentsOf(args, flags, { operands, problems })) {
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
  problems.push(...operandProblems(command, operands));
  if (problems.length > 0) throw new ConfigError('usage', problems);
  return { flags: flagValues(flags, given), operands };
}

/** A person's commands take the cluster that kubectl would; a server never takes one by accident. */
function personsOwn({ name }: Flag, command: Command, environment: Environment): Argument | undefined {
  const value = name === 'kubeconfig' && command.name !== 'serve' ? environment['KUBECONFIG'] : undefined;
  return value === undefined ? undefined : { name, rawName: 'KUBECONFIG', value };
}

function operandProblems({ name, operands: wanted }: Command, operands: readonly string[]): readonly string[] {
  const [least, most] = wanted?.count ?? [0, 0];
  if (operands.length < least) return [`${name}: want ${wanted?.placeholder}: ${wanted?.help}`];
  const fix = wanted === undefined ? 'flags are written --name=value' : `want ${wanted.placeholder}`;
  return operands.slice(most).map((operand) => {
    const said = isRawToken(operand) ? `: ${RAW_TOKEN}; ` : ` ${JSON.stringify(operand)}: `;
    return `unexpected argument${said}${fix}`;
  });
}

interface Argument {
  readonly name: string;
  readonly rawName: string;
  readonly value: string;
}

/** The arguments in their order; klog's -v becomes the log level that it means. */
function argumentsOf(
  args: readonly string[],
  flags: readonly Flag[],
  { operands, problems }: { readonly operands: string[]; readonly problems: string[] },
): readonly Argument[] {
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
      operands.push(token.value);
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
      problems.push(unknownFlag(rawName, flags));
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

/** Whether output is coloured: on a terminal, unless NO_COLOR is set (no-color.org). */
export function wantsColour(isTerminal: boolean, environment: Environment): boolean {
  return isTerminal && (environment['NO_COLOR'] ?? '') === '';
}
