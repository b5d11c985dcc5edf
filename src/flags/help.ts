// --help and the README's table of flags, both made from the one table.
import type { Command } from './commands.ts';
import type { Flag } from './flag.ts';
import { FLAGS } from './table.ts';

const WIDTH = 100;
const INDENT = 6;

/** Of one command; of those that begin with the word where none has that name; of all where there is no word. */
export function helpText(commands: readonly Command[], word: string | undefined): string {
  const command = commands.find(({ name }) => name === (word ?? 'serve'));
  if (command === undefined) {
    const group = commands.filter(({ name }) => name.startsWith(`${word} `));
    const usage = `Usage: pod-identity-webhook ${group.length > 0 ? `${word} COMMAND` : 'COMMAND'} [flags]`;
    return `${usage}\n\nCommands:\n${list(group.length > 0 ? group : commands)}\n\n--help after one of them tells its flags.\n`;
  }
  const flags = FLAGS.filter((flag) => flag.commands.includes(command.name));
  const groups = [...new Set(flags.map(({ group }) => group))];
  const sections = groups.map((group) =>
    [`${group}:`, ...flags.filter((flag) => flag.group === group).map(flagHelp)].join('\n'),
  );
  const usage = word === undefined ? '[command] [flags]' : usageOf(command);
  const about = word === undefined ? overview(commands) : aboutOf(command);
  return `${[`Usage: pod-identity-webhook ${usage}`, about, ...sections, FOOTER].join('\n\n')}\n`;
}

function usageOf({ name, operands }: Command): string {
  return operands === undefined ? `${name} [flags]` : `${name} ${operands.placeholder} [flags]`;
}

function aboutOf({ summary, operands }: Command): string {
  const told = operands === undefined ? [summary] : [summary, `${operands.placeholder}: ${operands.help}`];
  return told.map((text) => wrapped(text, 0)).join('\n\n');
}

const FOOTER =
  'Every flag is also an environment variable: --token-audience is POD_IDENTITY_WEBHOOK_TOKEN_AUDIENCE.\n' +
  'Flags are --name=value or --name value; a boolean is on as --name. A flag beats the environment.';

function overview(commands: readonly Command[]): string {
  const about = 'Gives Kubernetes pods the AWS identity of their ServiceAccount.';
  return [about, '', 'Commands:', list(commands), '', 'Flags of serve:'].join('\n');
}

function list(commands: readonly Command[]): string {
  const longest = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(
    ({ name, summary }) => `  ${name.padEnd(longest)}  ${wrapped(summary, longest + 4).trimStart()}`,
  );
  return lines.join('\n');
}

function flagHelp(flag: Flag): string {
  const preset = flag.default === undefined || flag.default === 'false' ? '' : ` (default ${flag.default})`;
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  return `  ${short}--${flag.name}${valueHelp(flag)}\n${wrapped(flag.help + preset)}`;
}

function valueHelp({ type, placeholder, choices }: Flag): string {
  if (type === 'boolean') return '';
  return `=${placeholder ?? choices?.join('|') ?? (type === 'duration' ? 'DURATION' : 'NUMBER')}`;
}

function wrapped(text: string, indent = INDENT): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((shown) => ' '.repeat(indent) + shown).join('\n');
}

/** The README's table: the flags of `serve`. */
export function flagTable(): string {
  const rows = FLAGS.filter(({ commands }) => commands.includes('serve')).map(
    (flag) => `| \`--${flag.name}\` | ${flag.default === undefined ? '' : `\`${flag.default}\``} | ${flag.help} |`,
  );
  return ['| Flag | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}
