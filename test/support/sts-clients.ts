// AWS's own clients as processes of a pod: nothing but the container's environment, and a home directory with nothing in it.
// The SDK for JavaScript is the judge everywhere; boto3 and the AWS CLI where the machine has them.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { ownString } from '../../src/admission/json.ts';

export type ClientName = 'the SDK for JavaScript' | 'boto3' | 'the AWS CLI';

export interface Client {
  readonly name: ClientName;
  /** Why this machine does not have it; undefined where it does. */
  readonly missing: string | undefined;
  /** Who the process is to AWS, or the last line that it prints about why it is nobody. */
  ask(process: ClientProcess): Promise<Answer>;
}

export interface ClientProcess {
  readonly environment: Readonly<Record<string, string>>;
  /** Empty at first; its own for each process: the AWS CLI keeps credentials there by role. */
  readonly home: string;
  /** Another user than that of the tests, which must then be root. */
  readonly uid?: number;
}

export type Answer = { readonly arn: string } | { readonly error: string };

/** What runs as the SDK. */
export const sdkScript = join(import.meta.dirname, 'sts-client.ts');
const python = `
import boto3, json
try:
    print(json.dumps({"arn": boto3.client("sts").get_caller_identity()["Arn"]}))
except Exception as error:
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}))`;

/** The one that is always there. */
export const sdk: Client = {
  name: 'the SDK for JavaScript',
  missing: undefined,
  ask: async (process_) => answerFrom(await run(process.execPath, [sdkScript], process_)),
};

/** The others, whether the machine has them or not. */
export function otherClients(): readonly Client[] {
  const interpreter = pythonWithBoto3();
  const cli = commandLine(interpreter);
  return [
    {
      name: 'boto3',
      missing: interpreter === undefined ? "python3 -c 'import boto3' does not work here" : undefined,
      ask: async (process_) => answerFrom(await run(interpreter ?? '', ['-c', python], process_)),
    },
    {
      name: 'the AWS CLI',
      missing: cli === undefined ? 'there is no program aws here' : undefined,
      ask: async (process_) => {
        const asked = ['sts', 'get-caller-identity', '--output', 'json'];
        const { stdout, stderr } = await run(cli ?? '', asked, process_);
        const lastLine = stderr.trim().split('\n').at(-1) ?? '';
        return stdout === '' ? { error: lastLine } : { arn: ownString(JSON.parse(stdout), 'Arn') ?? '' };
      },
    },
  ];
}

/** A process that lives on, with a clock that the test sets. */
export interface LivingClient {
  askAt(ms: number): Promise<Answer>;
  close(): Promise<void>;
}

export function startSdk({ environment, home }: ClientProcess): LivingClient {
  const child = spawn(process.execPath, [sdkScript, '--serve'], {
    env: { HOME: home, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = Promise.withResolvers<void>();
  child.once('close', () => gone.resolve());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    askAt: async (ms) => {
      child.stdin.write(`${ms}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error('The process has ended.');
      return answerFrom({ stdout: line.value, stderr: '' });
    },
    close: async () => {
      child.stdin.end();
      await gone.promise;
    },
  };
}

interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  program: string,
  args: readonly string[],
  { environment, home, uid }: ClientProcess,
): Promise<Printed> {
  const { promise, resolve } = Promise.withResolvers<Printed>();
  const options = {
    env: { HOME: home, ...environment },
    timeout: 60_000,
    cwd: '/',
    ...(uid === undefined ? {} : { uid }),
  };
  execFile(program, args, options, (_error, stdout, stderr) => resolve({ stdout, stderr }));
  return promise;
}

function answerFrom({ stdout, stderr }: Printed): Answer {
  if (stdout === '') throw new Error(`The client has printed nothing on stdout, and on stderr: ${stderr}`);
  const printed: unknown = JSON.parse(stdout);
  const arn = ownString(printed, 'arn');
  return arn === undefined ? { error: ownString(printed, 'error') ?? stdout } : { arn };
}

// The interpreter itself: what stands in the PATH may be a script that looks for it in the home directory.
function pythonWithBoto3(): string | undefined {
  const path = printedBy('python3', ['-c', 'import boto3, sys; print(sys.executable)']);
  return path === undefined || path === '' ? undefined : path;
}

function commandLine(interpreter: string | undefined): string | undefined {
  const beside = interpreter === undefined ? '' : join(dirname(interpreter), 'aws');
  if (existsSync(beside)) return beside;
  const found = printedBy('sh', ['-c', 'command -v aws']);
  return found === undefined || found === '' ? undefined : found;
}

function printedBy(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
