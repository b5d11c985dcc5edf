// The one owner of what a test starts: a temporary directory and child processes. close() ends and removes all of it,
// and so does a guardian process when the test run itself dies (Ctrl-C, SIGKILL): Jest runs no exit handlers then.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Child {
  readonly pid: number;
  /** Rejects when the process ends without having been stopped: race it against what is waited for. */
  readonly running: Promise<never>;
  stdout(): string;
  stderr(): string;
  /** Resolves when the process is gone. SIGKILL follows where the signal has had no effect for `graceMs`. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

export interface Workspace {
  readonly directory: string;
  start(options: ChildOptions): Child;
  /** Ends the children, the last one first, and removes the directory. */
  close(): Promise<void>;
}

// Reads the pids that are alive, one line for each change, the last line counts. The end of its input is the end of
// the test run.
const guardianScript = `while read -r line; do pids=$line; done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
rm -rf -- "\${1:?}"`;

export async function createWorkspace(): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'pod-identity-webhook-'));
  // In a process group of its own, so that Ctrl-C does not end it with the others.
  const guardian = spawn('sh', ['-c', guardianScript, 'guardian', directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  guardian.unref();
  const guardianGone = Promise.withResolvers<void>();
  guardian.once('exit', () => guardianGone.resolve());
  // Were it gone, nothing but the cleaning up after a crash would be lost.
  guardian.stdin.on('error', () => undefined);
  const children: Child[] = [];
  const alive = new Set<number>();

  function start(options: ChildOptions): Child {
    const child = startChild(options, (pid) => {
      alive.delete(pid);
      guardian.stdin.write(`${[...alive].join(' ')}\n`);
    });
    alive.add(child.pid);
    guardian.stdin.write(`${[...alive].join(' ')}\n`);
    children.push(child);
    return child;
  }

  async function close(): Promise<void> {
    // A client goes before its server.
    for (const child of children.toReversed()) await child.stop('SIGKILL');
    await rm(directory, { recursive: true, force: true });
    // Outside of Jest nothing else may keep the process alive until then.
    guardian.ref();
    guardian.stdin.end();
    await guardianGone.promise;
  }

  return { directory, start, close };
}

function startChild({ name, command, args, env }: ChildOptions, ended: (pid: number) => void): Child {
  const child = spawn(command, args, { env: { PATH: '/usr/bin:/bin', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  // Without a listener the reason, which the missing pid has told, would end the test run.
  child.once('error', () => undefined);
  if (child.pid === undefined) throw new Error(`${name} cannot be started from "${command}".`);
  const pid = child.pid;
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const gone = Promise.withResolvers<void>();
  const running = Promise.withResolvers<never>();
  // Whoever waits for something hears of it; without a listener it is no fault of the test run.
  running.promise.catch(() => undefined);
  let stopping = false;
  // 'close' comes after 'exit', when the last output has been read.
  child.once('close', (code, signal) => {
    ended(pid);
    gone.resolve();
    if (stopping) return;
    const lastWords = `${output.stdout}${output.stderr}`.split('\n').slice(-15).join('\n');
    running.reject(new Error(`${name} ended by itself (${String(code ?? signal)}):\n${lastWords}`));
  });

  async function stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 15_000): Promise<void> {
    stopping = true;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await gone.promise;
    clearTimeout(timer);
  }

  return { pid, running: running.promise, stdout: () => output.stdout, stderr: () => output.stderr, stop };
}
