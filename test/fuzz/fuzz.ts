// npm run fuzz [-- --seed=N --seconds=N]: mutated reviews without end, until an answer breaks a rule. Then it prints the
// body, base64 where it is not UTF-8, and ends with 1. The same seed gives the same bodies.
import { isUtf8 } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createFuzzer } from './fuzzer.ts';
import type { Failure } from './fuzzer.ts';
import { createCorePath } from './paths.ts';

const { values: options } = parseArgs({ options: { seed: { type: 'string' }, seconds: { type: 'string' } } });
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 32));
const end = performance.now() + Number(options.seconds ?? Infinity) * 1_000;
const REPORT_MS = 10_000;

const fuzzer = createFuzzer({ seed, now: () => performance.now(), pathFrom: createCorePath });
const began = performance.now();
let failure: Failure | undefined;
console.log(`seed ${seed}`);
while (failure === undefined && performance.now() < end) {
  failure = await fuzzer.run(Math.min(REPORT_MS, end - performance.now()));
  const { refused, untouched, patched } = fuzzer.counts();
  const executions = refused + untouched + patched;
  const perSecond = Math.round((executions / (performance.now() - began)) * 1_000);
  console.log(
    `${executions} executions, ${perSecond}/s: ${patched} patched, ${untouched} untouched, ${refused} refused`,
  );
  await sleep(0); // Ctrl-C is heard between two turns of the event loop
}
if (failure !== undefined) {
  const { fault, story, body } = failure;
  console.error(`seed ${seed}, ${story}: ${fault}`);
  console.error(isUtf8(body) ? body.toString() : `base64: ${body.toString('base64')}`);
  process.exitCode = 1;
}
