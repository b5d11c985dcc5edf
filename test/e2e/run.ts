// npm run test:e2e [-- what Jest is to run]: starts the real node of ./node unless it runs already, runs the tests on it,
// and ends with one line of counts. What it has started it ends again; KEEP_NODE=1 lets the node run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownField } from '../../src/admission/json.ts';
import { missingForNode, nodeIsUp } from './support/local-node.ts';

const root = join(import.meta.dirname, '..', '..');
const missing = missingForNode();
const started = missing === undefined && !nodeIsUp();
if (missing !== undefined) process.stdout.write(`The tests on a real node are skipped: this machine ${missing}.\n`);
else if (script('up') !== 0) {
  script('down', '--keep-logs');
  process.exit(1);
}

const directory = mkdtempSync(join(tmpdir(), 'pod-identity-webhook-results-'));
const wanted = process.argv.slice(2);
const named = wanted.find((argument) => argument.startsWith('--outputFile='));
const results = named?.slice('--outputFile='.length) ?? join(directory, 'results.json');
const jest = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
    '--roots=test/e2e',
    '--testPathIgnorePatterns=/node_modules/',
    '--runInBand',
    '--verbose',
    // A Deployment takes seconds to roll out, more where the machine is busy.
    '--testTimeout=180000',
    ...(named === undefined ? ['--json', `--outputFile=${results}`] : []),
    ...wanted,
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
);
if (started && process.env['KEEP_NODE'] !== '1') script('down', ...(jest.status === 0 ? [] : ['--keep-logs']));
if (existsSync(results)) process.stdout.write(`${countsFrom(JSON.parse(readFileSync(results, 'utf8')))}\n`);
rmSync(directory, { recursive: true });
process.exitCode = jest.status ?? 1;

function script(name: string, ...options: readonly string[]): number {
  const path = join(import.meta.dirname, 'node', name);
  return spawnSync(path, options, { stdio: ['ignore', 'ignore', 'inherit'] }).status ?? 1;
}

function countsFrom(outcome: unknown): string {
  const count = (key: string): number => Number(ownField(outcome, key));
  // A file that does not load has no tests to count, and is a failure all the same.
  const failed = count('numFailedTests') + count('numRuntimeErrorTestSuites');
  const skipped = count('numPendingTests');
  return `${count('numPassedTests')} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
