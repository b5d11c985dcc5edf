// npm run bench: what a review costs, beside a bare HTTPS echo of the same body in the same run; how long answers take
// at 1,000 reviews a second; memory under that load; time to readiness. Nothing of it is a test: it prints a table.
// `npm run bench -- --scale` measures 100,000 ServiceAccounts on a real API server instead (scale.ts).
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { SERVICE_ACCOUNTS, withApiServer } from '../test/support/api-server.ts';
import type { ApiServer } from '../test/support/api-server.ts';
import { createWorkspace } from '../test/cluster/support/workspace.ts';
import type { Child, Workspace } from '../test/cluster/support/workspace.ts';
import { NAMESPACE, accountName, roleArnOf } from './review.ts';
import { loadReportFrom } from './load-report.ts';
import type { LoadReport } from './load-report.ts';
import { median, tableOf } from './report.ts';
import type { Row } from './report.ts';
import { measureScale } from './scale.ts';
import { cpuMicroseconds, memoryMiB, pinned, startSubject, writeKeyFiles } from './subject.ts';
import type { KeyFiles } from './subject.ts';

const ACCOUNTS = 1_000;
const ROUNDS = 5;
// Enough for V8 to have compiled what is hot, and for a round to be seconds where the scheduler counts in milliseconds.
const WARM_UP_REVIEWS = 10_000;
const REVIEWS_PER_ROUND = 10_000;
const CONNECTIONS = 8;
const RATE = 1_000;
const RATE_SECONDS = 30;
const STARTS = 5;
// The server has a core for itself as far as the machine allows; load and API server take the others.
const SERVER_CORE = availableParallelism() > 1 ? 0 : undefined;
const LOAD_CORE = availableParallelism() > 1 ? 1 : undefined;

const { values: flags } = parseArgs({ options: { scale: { type: 'boolean' } } });
const workspace = await createWorkspace();
try {
  const keys = await writeKeyFiles(workspace);
  const rows = flags.scale === true ? await measureScale(workspace, keys) : await measureReviews(workspace, keys);
  console.log(tableOf(rows, new Date()));
} finally {
  await workspace.close();
}

async function measureReviews(place: Workspace, keys: KeyFiles): Promise<readonly Row[]> {
  let rows: readonly Row[] = [];
  await withApiServer({}, async (server) => {
    for (let index = 0; index < ACCOUNTS; index += 1) server.objects.put(SERVICE_ACCOUNTS, accountOf(index));
    const kubeconfig = await writeKubeconfig(place, server);
    const starts: number[] = [];
    for (let start = 0; start < STARTS; start += 1) {
      const subject = await startSubject(place, { keys, kubeconfig });
      starts.push(subject.readyMs);
      await subject.child.stop();
    }
    const subject = await startSubject(place, {
      keys,
      kubeconfig,
      ...(SERVER_CORE === undefined ? {} : { core: SERVER_CORE }),
    });
    const echo = await startEcho(place, keys);
    await load(subject.url, { reviews: WARM_UP_REVIEWS });
    await load(echo.url, { reviews: WARM_UP_REVIEWS });
    const costs: number[] = [];
    const echoCosts: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      costs.push(await costOf(subject.child, subject.url));
      echoCosts.push(await costOf(echo.child, echo.url));
    }
    const latency = await load(subject.url, { reviews: RATE * RATE_SECONDS, rate: RATE });
    const memory = memoryMiB(subject.child);
    const [cost, echoCost] = [median(costs), median(echoCosts)];
    rows = [
      { metric: 'CPU per review', value: cost, unit: 'µs' },
      { metric: 'CPU per echo of the same body, bare node:https', value: echoCost, unit: 'µs' },
      { metric: 'CPU per review ÷ echo', value: cost / echoCost, unit: '×', limit: 5 },
      { metric: `p50 at ${RATE} reviews/s`, value: latency.p50Ms, unit: 'ms' },
      { metric: `p99 at ${RATE} reviews/s`, value: latency.p99Ms, unit: 'ms', limit: 5 },
      { metric: 'RSS under that load, peak', value: memory.peak, unit: 'MiB', limit: 100 },
      { metric: `start to ready, ${ACCOUNTS} ServiceAccounts`, value: median(starts), unit: 'ms', limit: 1_500 },
    ];
  });
  return rows;
}

function accountOf(index: number): Parameters<ApiServer['objects']['put']>[1] {
  const annotations = { 'eks.amazonaws.com/role-arn': roleArnOf(index) };
  return { metadata: { namespace: NAMESPACE, name: accountName(index), annotations } };
}

async function writeKubeconfig({ directory }: Workspace, server: ApiServer): Promise<string> {
  const path = join(directory, 'kubeconfig');
  await writeFile(path, server.kubeConfig('a-token').exportConfig());
  return path;
}

async function startEcho(place: Workspace, { key, cert }: KeyFiles): Promise<{ child: Child; url: string }> {
  const command = [process.execPath, join(import.meta.dirname, 'echo.ts'), key, cert];
  const child = place.start({ name: 'echo', ...pinned(command, SERVER_CORE) });
  while (!child.stdout().includes('\n'))
    await Promise.race([child.running, new Promise((done) => setTimeout(done, 10))]);
  return { child, url: `https://127.0.0.1:${child.stdout().trim()}/mutate` };
}

async function costOf(child: Child, url: string): Promise<number> {
  const before = cpuMicroseconds(child);
  await load(url, { reviews: REVIEWS_PER_ROUND });
  return (cpuMicroseconds(child) - before) / REVIEWS_PER_ROUND;
}

async function load(
  url: string,
  { reviews, rate = 0 }: { readonly reviews: number; readonly rate?: number },
): Promise<LoadReport> {
  const options = { url, connections: CONNECTIONS, reviews, rate };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const { command, args } = pinned([process.execPath, join(import.meta.dirname, 'load.ts'), ...words], LOAD_CORE);
  const { stdout } = await promisify(execFile)(command, args);
  const report = loadReportFrom(stdout);
  if (report.failed > 0) throw new Error(`${report.failed} of ${reviews} reviews were not answered by 200`);
  return report;
}
