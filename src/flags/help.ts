// --help and the README's table of flags, both made from the one table.
import type { CommandName, Flag } from './flag.ts';
import { FLAGS } from './table.ts';

export interface CommandSummary {
  readonly name: CommandName;
  readonly summary: string;
}

const WIDTH = 100;
const INDENT = 6;

export function helpText(commands: readonly CommandSummary[], command: CommandName | undefined): string {
  const shown = command ?? 'serve';
  const flags = FLAGS.filter((flag) => flag.commands.includes(shown));
  const groups = [...new Set(flags.map(({ group }) => group))];
  const sections = groups.map((group) =>
    [`${group}:`, ...flags.filter((flag) => flag.group === group).map(flagHelp)].join('\n'),
  );
  const usage = `Usage: pod-identity-webhook ${command === undefined ? '[command]' : command} [flags]`;
  return `${[usage, command === undefined ? overview(commands) : about(commands, command), ...sections, FOOTER].join('\n\n')}\n`;
}

const FOOTER =
  'Every flag is also an environment variable: --token-audience is POD_IDENTITY_WEBHOOK_TOKEN_AUDIENCE.\n' +
  'Flags are --name=value or --name value; a boolean is on as --name. A flag beats the environment.';

function overview(commands: readonly CommandSummary[]): string {
  const longest = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(longest)}  ${summary}`);
  return [
    'Gives Kubernetes pods the AWS identity of their ServiceAccount.',
    '',
    'Commands:',
    ...lines,
    '',
    'Flags of serve:',
  ].join('\n');
}

function about(commands: readonly CommandSummary[], command: CommandName): string {
  return commands.find(({ name }) => name === command)?.summary ?? '';
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

function wrapped(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && INDENT + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((shown) => ' '.repeat(INDENT) + shown).join('\n');
}

/** The README's table: the flags of `serve`. */
export function flagTable(): string {
  const rows = FLAGS.filter(({ commands }) => commands.includes('serve')).map(
    (flag) => `| \`--${flag.name}\` | ${flag.default === undefined ? '' : `\`${flag.default}\``} | ${flag.help} |`,
  );
  return ['| Flag | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}
