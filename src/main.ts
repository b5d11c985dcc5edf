#!/usr/bin/env node
// The process: arguments and environment in, signals, exit code out. Nothing else ends the process.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { codeOf, messageOf } from './admission/thrown.ts';
import type { App } from './app.ts';
import type { Environment } from './cli.ts';
import { parseCommandLine, wantsColour } from './cli.ts';
import { RUNNERS } from './command-runners.ts';
import { printableLines } from './commands/findings.ts';
import type { CommandIo } from './commands/io.ts';
import { ConfigError } from './config-error.ts';
import { COMMANDS } from './flags/commands.ts';
import { helpText } from './flags/help.ts';
import { commit, version } from './version.ts';

const FINE = 0;
const FAILED = 1;
const WRONG_USE = 2;

// How a start fails where something must be changed before it can work.
const WRONG_USE_CODES: readonly unknown[] = [
  'no-cluster',
  'bad-kubeconfig',
  'EACCES',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
];

const io: CommandIo = {
  readFile: (path) => readFile(path, 'utf8'),
  readStdin: () => text(process.stdin),
  readStdinBytes: () => buffer(process.stdin),
  stdout: (shown) => void process.stdout.write(shown),
  // What is wrong is said in words of files, API servers and issuers: none of them may command the terminal.
  stderr: (shown) => void process.stderr.write(printableLines(shown)),
  colour: wantsColour(process.stdout.isTTY, process.env),
};

let serving: App | undefined;

async function run(argv: readonly string[]): Promise<number> {
  const commandLine = parseCommandLine(argv, withKubeconfig(process.env));
  if (commandLine.kind === 'help') {
    io.stdout(helpText(COMMANDS, commandLine.command));
    return FINE;
  }
  if (commandLine.kind === 'version') {
    io.stdout(`pod-identity-webhook ${version} (commit ${commit}, Node ${process.version})\n`);
    return FINE;
  }
  const { command, flags, operands } = commandLine;
  if (command !== 'serve') return RUNNERS[command]({ flags, operands, io });
  // Before the server's code is loaded: as the first process of a container, what has no handler yet loses the signal.
  const stopping = stopSignal();
  const [{ configFrom }, { runServe }] = await Promise.all([import('./config.ts'), import('./commands/serve.ts')]);
  return runServe({
    ...configFrom(flags),
    stopping,
    started: (app) => {
      serving = app;
    },
    stdout: io.stdout,
  });
}

/** kubectl's own file where the environment names none, and not in a pod, whose cluster is its own. */
function withKubeconfig(environment: NodeJS.ProcessEnv): Environment {
  if (environment['KUBECONFIG'] !== undefined || environment['KUBERNETES_SERVICE_HOST'] !== undefined)
    return environment;
  // Not os.homedir(), which throws for a user without a name, as in a container.
  const file = join(environment['HOME'] ?? environment['USERPROFILE'] ?? '', '.kube', 'config');
  return existsSync(file) ? { ...environment, KUBECONFIG: file } : environment;
}

/** SIGTERM is the kubelet's, SIGINT the terminal's; repeating the latter ends at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGTERM', (signal) => controller.abort(signal));
  process.once('SIGINT', (signal) => {
    process.once('SIGINT', () => process.exit(FAILED));
    controller.abort(signal);
  });
  return controller.signal;
}

/** What nobody expected: the log gets its last lines, and a new process a clean start. */
async function fail(reason: unknown): Promise<never> {
  serving?.log.error({ error: reason }, 'unexpected error: the process ends');
  if (serving === undefined) io.stderr(`${stackOf(reason)}\n`);
  try {
    await serving?.close();
  } finally {
    process.exit(FAILED);
  }
}

function report(error: unknown): number {
  if (error instanceof ConfigError) {
    // What is quoted in one problem must not look like the next.
    for (const problem of error.problems) io.stderr(`${problem.replaceAll('\n', '\n  ')}\n`);
    return WRONG_USE;
  }
  if (WRONG_USE_CODES.includes(codeOf(error))) {
    io.stderr(`${messageOf(error)}\n`);
    return WRONG_USE;
  }
  io.stderr(`${stackOf(error)}\n`);
  return FAILED;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

process.on('uncaughtException', (error) => void fail(error));
process.on('unhandledRejection', (error) => void fail(error));
// A reader of our output that went away is no reason to end.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

/** Resolves when the reader of our output has taken all of it: a pipe that is full is written to later. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()));
}

process.exitCode = await run(process.argv.slice(2)).catch(report);
await Promise.all([process.stdout, process.stderr].map(written));
// A connection or timer that is left must not keep a process that has said its last word.
process.exit();
