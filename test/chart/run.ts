// npm run test:chart [-- what Jest is to run]: finds or builds both helms and the control plane's programs, runs the
// tests of the chart one file after the other, and ends with one line of counts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownField } from '../../src/admission/json.ts';

const root = join(import.meta.dirname, '..', '..');
for (const script of ['test/chart/build/build.sh', 'test/cluster/build/build.sh']) {
  const build = spawnSync(join(root, script), { stdio: ['ignore', 'ignore', 'inherit'] });
  if (build.status !== 0) process.exit(1);
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
    '--roots=test/chart',
    '--testPathIgnorePatterns=/node_modules/',
    '--runInBand',
    '--verbose',
    // An install takes seconds, more where the machine is busy.
    '--testTimeout=120000',
    ...(named === undefined ? ['--json', `--outputFile=${results}`] : []),
    ...wanted,
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
);
if (existsSync(results)) process.stdout.write(`${countsFrom(JSON.parse(readFileSync(results, 'utf8')))}\n`);
rmSync(directory, { recursive: true });
process.exitCode = jest.status ?? 1;

function countsFrom(outcome: unknown): string {
  const count = (key: string): number => Number(ownField(outcome, key));
  // A file that does not load has no tests to count, and is a failure all the same.
  const failed = count('numFailedTests') + count('numRuntimeErrorTestSuites');
  const skipped = count('numPendingTests');
  return `${count('numPassedTests')} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
