// npm run test:e2e [-- what Jest is to run]: the end-to-end tests, and one line of counts. On the cluster that KUBECONFIG
// names where E2E_IMAGE or E2E_LOAD is set (support/cluster.ts says what they are); else on the real node of ./node, which
// is started unless it runs already, and ended again where it was; KEEP_NODE=1 lets it run. E2E_SLOW=1 adds what takes long.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownField } from '../../src/admission/json.ts';
import { missingForCluster } from './support/cluster.ts';
import { isOtherCluster, missingForNode, nodeIsUp } from './support/local-node.ts';

const root = join(import.meta.dirname, '..', '..');
const missing = missingForNode();
const started = missing === undefined && !nodeIsUp();
if (isOtherCluster()) {
  const why = missingForCluster();
  if (why !== undefined) {
    process.stderr.write(`No cluster: this machine ${why}.\n`);
    process.exit(2);
  }
  process.stdout.write('The tests that need the real node of test/e2e/node are skipped: another cluster is given.\n');
} else if (missing !== undefined) {
  process.stdout.write(`The end-to-end tests are skipped: this machine ${missing}.\n`);
} else if (script('up') !== 0) {
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
