// The program as a process, outside of Jest's module system: arguments and environment in, exit code out.
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, jest } from '@jest/globals';
import { ownString } from '../src/admission/json.ts';
import { version } from '../src/version.ts';

// A process of Node takes a second or two to start from the sources, more on a busy machine.
jest.setTimeout(60_000);

const root = join(import.meta.dirname, '..');

function start(args: readonly string[], environment: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  const env = { PATH: process.env['PATH'], ...environment };
  return spawn(process.execPath, [join(root, 'src/main.ts'), ...args], { cwd: root, env });
}

async function run(args: readonly string[], stdin = '') {
  const child = start(args);
  child.stdin.end(stdin);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, stdout, stderr };
}

/** The first line of the log that has the message. */
async function lineWith(child: ChildProcessWithoutNullStreams, message: string): Promise<string> {
  let seen = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    seen += String(chunk);
    const line = seen.split('\n').find((candidate) => candidate.includes(message));
    if (line !== undefined) return line;
  }
  throw new Error(`ended without ${message}: ${seen}`);
}

describe('the program', () => {
  it('says its version, its commit and its Node', async () => {
    const want = `pod-identity-webhook ${version} (commit unknown, Node ${process.version})\n`;
    expect(await run(['--version'])).toEqual({ code: 0, stdout: want, stderr: '' });
    expect(await run(['/webhook', '--version'])).toEqual({ code: 0, stdout: want, stderr: '' });
  });

  it('reports every wrong flag at once, and ends with 2', async () => {
    expect(await run(['--port=x', '--nonsense'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'unknown flag --nonsense: see --help\n--port="x": want a whole number from 0 to 65535\n',
    });
  });

  it('lets what it quotes neither command the terminal nor look like another problem', async () => {
    expect(await run(['audit', '-f', '\u001b[1m\u009bJ\n--x'])).toEqual({
      code: 2,
      stdout: '',
      stderr: '\uFFFD[1m\uFFFDJ\n  --x: there is no such file; correct the path\n',
    });
  });

  it('repeats nothing of a file that is not what it should be', async () => {
    const args = ['trust-policy', 'check', '--policy=package.json', '--role=arn:aws:iam::111122223333:role/app'];
    expect(await run([...args, '--claims=-'], 'wJalrXUtnFEMI')).toEqual({
      code: 2,
      stdout: '',
      stderr: '--claims="-" is not JSON\n',
    });
  });

  it('says that there is no cluster, and ends with 2', async () => {
    expect(await run(['--port=0', '--metrics-port=0'])).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^not running in a cluster \(.*\); give --kubeconfig=FILE, or --standalone=DIR .*\n$/,
      ),
    });
  });

  it('injects from standard input', async () => {
    const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: main}]}\n';
    const { code, stdout, stderr } = await run(['inject', '-f', '-'], pod);
    expect({ code, stdout }).toEqual({ code: 0, stdout: pod });
    expect(stderr).toContain('service-account-not-in-input');
  });

  // A Service called pod-identity-webhook makes the kubelet set these in every pod of its namespace.
  it('starts although the kubelet set its service links, serves, and ends with 0 on SIGTERM', async () => {
    const child = start(['serve', '--standalone=examples', '--port=0', '--metrics-port=0'], {
      POD_IDENTITY_WEBHOOK_PORT: 'tcp://10.0.0.1:443',
      POD_IDENTITY_WEBHOOK_SERVICE_HOST: '10.0.0.1',
      POD_IDENTITY_WEBHOOK_PORT_443_TCP: 'tcp://10.0.0.1:443',
    });
    try {
      const line = await lineWith(child, '"msg":"listening"');
      expect(JSON.parse(line)).toMatchObject({
        level: 'info',
        url: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
      });
    } finally {
      child.kill('SIGTERM');
    }
    child.stdout.resume();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('says which port is taken, and ends with 2', async () => {
    const first = start(['serve', '--standalone=examples', '--port=0', '--metrics-port=0']);
    try {
      const line: unknown = JSON.parse(await lineWith(first, '"msg":"listening"'));
      const { port } = new URL(ownString(line, 'url') ?? '');
      expect(await run(['serve', '--standalone=examples', `--port=${port}`, '--metrics-port=0'])).toMatchObject({
        code: 2,
        stderr: `--port=${port} is in use by another process (EADDRINUSE); end it, or give another --port\n`,
      });
    } finally {
      first.kill('SIGTERM');
    }
    first.stdout.resume();
    await once(first, 'exit');
  });
});
