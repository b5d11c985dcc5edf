// npm run test:cluster [-- what Jest is to run]: finds or builds the control plane's programs, runs the tests against
// them one file after the other, and ends with one line of counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownField } from '../../src/admission/json.ts';

const root = join(import.meta.dirname, '..', '..');
const build = spawnSync(join(import.meta.dirname, 'build', 'build.sh'), { stdio: ['ignore', 'ignore', 'inherit'] });
if (build.status !== 0) process.exit(1);

const directory = mkdtempSync(join(tmpdir(), 'pod-identity-webhook-results-'));
const results = join(directory, 'results.json');
const jest = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
    '--roots=test/cluster',
    '--testPathIgnorePatterns=/node_modules/',
    '--runInBand',
    '--verbose',
    // A restart of the API server takes seconds on its own, more where the machine is busy.
    '--testTimeout=120000',
    '--json',
    `--outputFile=${results}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
);
const outcome: unknown = JSON.parse(readFileSync(results, 'utf8'));
rmSync(directory, { recursive: true });
const skipped = Number(ownField(outcome, 'numPendingTests'));
const counts = `${String(ownField(outcome, 'numPassedTests'))} passed, ${String(ownField(outcome, 'numFailedTests'))} failed`;
process.stdout.write(`${counts}${skipped === 0 ? '' : `, ${skipped} skipped`}\n`);
process.exitCode = jest.status ?? 1;
