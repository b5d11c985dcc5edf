// The other side of the bench, a process of its own so that it costs the server nothing: reviews over kept-alive TLS
// connections, as an API server sends them. Prints one line of JSON.
//
//   load.ts --url=URL --connections=N --reviews=N            as fast as the answers come
//   load.ts --url=URL --connections=N --reviews=N --rate=N   so many a second, whether answers come or not
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { LoadReport } from './load-report.ts';
import { reviewBody } from './review.ts';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' },
    connections: { type: 'string' },
    reviews: { type: 'string' },
    rate: { type: 'string' },
  },
});
const url = new URL(options.url ?? '');
const connections = Number(options.connections);
const reviews = Number(options.reviews);
const rate = Number(options.rate ?? 0);

const agent = new Agent({ keepAlive: true, maxSockets: connections, rejectUnauthorized: false });
const bodies = Array.from({ length: 1_000 }, (_, index) => reviewBody(index));
const latencies: number[] = [];
let failed = 0;

const began = performance.now();
await (rate > 0 ? sendAtRate() : sendAsAnswered());
const seconds = (performance.now() - began) / 1_000;
agent.destroy();
latencies.sort((a, b) => a - b);
const report: LoadReport = {
  failed,
  seconds,
  p50Ms: percentile(0.5),
  p99Ms: percentile(0.99),
  maxMs: percentile(1),
};
console.log(JSON.stringify(report));

async function sendAsAnswered(): Promise<void> {
  let next = 0;
  const connection = async (): Promise<void> => {
    while (next < reviews) await send(next++);
  };
  await Promise.all(Array.from({ length: connections }, connection));
}

/** No answer is waited for before the next review goes out, so a slow server cannot slow the load down. */
async function sendAtRate(): Promise<void> {
  const sent: Promise<void>[] = [];
  while (sent.length < reviews) {
    const due = Math.min(reviews, Math.floor(((performance.now() - began) / 1_000) * rate) + 1);
    while (sent.length < due) sent.push(send(sent.length));
    await sleep(1);
  }
  await Promise.all(sent);
}

async function send(index: number): Promise<void> {
  const before = performance.now();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const body = bodies[index % bodies.length];
  request(
    url,
    { method: 'POST', agent, headers: { 'Content-Type': 'application/json', 'Content-Length': body?.length } },
    (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
    },
  )
    .once('error', () => resolve(false))
    .end(body);
  if (!(await promise)) failed += 1;
  latencies.push(performance.now() - before);
}

function percentile(share: number): number {
  return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
}
