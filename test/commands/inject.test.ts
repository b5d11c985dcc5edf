// `inject` as its users see it: golden files with the whole of stdout, stderr and exit code.
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../src/cli.ts';
import { runInject } from '../../src/commands/inject.ts';
import { injectOptionsFrom } from '../../src/inject-from-flags.ts';
import { createTestIo } from '../support/command-io.ts';
import type { Outcome } from '../support/golden.ts';
import { readGoldens, wantedOf } from '../support/golden.ts';

const DIRECTORY = join(import.meta.dirname, 'golden');
const GOLDENS = readGoldens(DIRECTORY);
const ACCOUNT = JSON.stringify({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'default', annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/app' } },
});
const OUTPUT_FLAGS = /^--(?:diff|explain|output)/;

describe('inject', () => {
  test.each(GOLDENS)('$name: $about', async (golden) => {
    const got = await inject(golden.files, golden.args);
    expect(got).toEqual(wantedOf(DIRECTORY, golden, got));
  });

  const manifests = GOLDENS.filter(({ args, want }) => want.exit === 0 && !args.some((arg) => OUTPUT_FLAGS.test(arg)));

  test.each(manifests)('adds nothing to what it has put out for $name', async ({ files, args }) => {
    const first = await inject(files, args);
    const second = await inject({ '-': first.out }, args);
    expect(second.out).toBe(first.out);
  });

  test('lets no name of a manifest command the terminal, where it prints for people', async () => {
    const name = 'we\u001B[31mb\u009B';
    const pod = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { containers: [{ name, env: [{ name }] }] },
    });
    const { out } = await inject({ 'account.json': ACCOUNT, 'pod.json': pod }, ['--diff', '--explain']);
    expect([out.includes('Pod/we\uFFFD[31mb\uFFFD'), /[^\P{Cc}\n]/u.test(out)]).toEqual([true, false]);
  });

  test('paints headers and what is added where stdout is a terminal', async () => {
    const pod = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ name: 'web' }] } });
    const plain = await inject({ 'account.json': ACCOUNT, 'pod.json': pod }, ['--diff']);
    const { out } = await inject({ 'account.json': ACCOUNT, 'pod.json': pod }, ['--diff'], true);
    expect(out).toBe(
      plain.out
        .replaceAll(/^(?:---|\+\+\+) .*$/gm, '\u001B[1m$&\u001B[0m')
        .replaceAll(/^@@.*$/gm, '\u001B[36m$&\u001B[0m')
        .replaceAll(/^\+(?!\+\+ ).*$/gm, '\u001B[32m$&\u001B[0m'),
    );
  });
});

async function inject(
  files: Readonly<Record<string, string>>,
  args: readonly string[],
  colour = false,
): Promise<Outcome> {
  const commandLine = parseCommandLine(
    ['inject', ...Object.keys(files).map((file) => `--filename=${file}`), ...args],
    {},
  );
  if (commandLine.kind !== 'run') throw new Error(`want flags of a run, got ${args.join(' ')}`);
  const { flags } = commandLine;
  const io = createTestIo(files, colour);
  const exit = await runInject(await injectOptionsFrom(flags, io.readFile), io);
  return { ...io.written(), exit };
}
