// npm run fuzz [-- --seed=N --seconds=N]: mutated reviews without end, until an answer breaks a rule. Then it prints the
// body, base64 where it is not UTF-8, and ends with 1. The same seed gives the same bodies.
import { isUtf8 } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createFuzzer } from './fuzzer.ts';
import type { Failure } from './fuzzer.ts';
import { createCorePath, createServerPaths } from './paths.ts';

const { values: options } = parseArgs({ options: { seed: { type: 'string' }, seconds: { type: 'string' } } });
const now = () => performance.now();
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 32));
const end = now() + Number(options.seconds ?? Infinity) * 1_000;
const TURN_MS = 5_000;

const server = await createServerPaths(now);
const fuzzers = [
  { name: 'core', fuzzer: createFuzzer({ seed, now, pathFrom: createCorePath }), spentMs: 0 },
  { name: 'server', fuzzer: createFuzzer({ seed, now, pathFrom: server.pathFrom }), spentMs: 0 },
];
let failure: Failure | undefined;
console.log(`seed ${seed}`);
while (failure === undefined && now() < end) {
  for (const turn of fuzzers) {
    const began = now();
    failure ??= await turn.fuzzer.run(Math.min(TURN_MS, end - began));
    turn.spentMs += now() - began;
    const { refused, untouched, patched } = turn.fuzzer.counts();
    const executions = refused + untouched + patched;
    const rate = Math.round((executions / turn.spentMs) * 1_000);
    const outcomes = `${patched} patched, ${untouched} untouched, ${refused} refused`;
    console.log(`${turn.name}: ${executions} executions, ${rate}/s: ${outcomes}`);
    await sleep(0); // Ctrl-C is heard between two turns of the event loop
  }
}
await server.close();
if (failure !== undefined) {
  const { fault, story, body } = failure;
  console.error(`seed ${seed}, ${story}: ${fault}`);
  console.error(isUtf8(body) ? body.toString() : `base64: ${body.toString('base64')}`);
  process.exitCode = 1;
}
