// The log against real pipes, in a process of its own.
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from '@jest/globals';

type Child = ChildProcessByStdio<null, Readable, Readable>;

const children: Child[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const logModule = new URL('../../src/observe/log.ts', import.meta.url).href;

/** Runs the code in a Node process; `log`, `drops` and `tell` (a line on standard error) are there for it. */
function run(code: string): Child {
  const prelude = `
    import { createLog } from '${logModule}';
    import { setTimeout as sleep } from 'node:timers/promises';
    const drops = { count: 0 };
    const log = createLog({ level: 'info', format: 'json', recorder: { logDropped: () => { drops.count += 1; } } });
    const tell = (value) => process.stderr.write(JSON.stringify(value) + '\\n');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', prelude + code], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

async function ended(child: Child): Promise<unknown> {
  const exit: unknown[] = await once(child, 'exit');
  return exit[0];
}

test('every line arrives in order when the log is flushed before the end', async () => {
  const child = run(`
    for (let i = 0; i < 2000; i += 1) log.info({ i }, 'line');
    tell(await log.flush());
    process.exit(0);`);
  const [out, told, code] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)]);
  const numbers = out
    .trimEnd()
    .split('\n')
    .map((line) => /"i":(\d+)/.exec(line)?.[1]);
  expect([numbers, told, code]).toEqual([Array.from({ length: 2_000 }, (_, i) => String(i)), 'true\n', 0]);
});

test('a reader that has left costs lines, which are counted, and never the process', async () => {
  const child = run(`
    await sleep(200);
    for (let i = 0; i < 10; i += 1) log.info({ i }, 'line');
    tell(await log.flush());
    log.info({}, 'one more');
    tell([await log.flush(), drops.count]);
    log.info({}, 'unflushed');
    process.exit(7);`);
  child.stdout.destroy();
  const [told, code] = await Promise.all([text(child.stderr), ended(child)]);
  expect([told, code]).toEqual(['true\n[true,11]\n', 7]);
});

test('a reader that pauses holds up nothing: the event loop runs, excess lines are counted, memory is bounded', async () => {
  const child = run(`
    const before = process.memoryUsage().rss;
    let longest = 0;
    for (let round = 0; round < 40; round += 1) {
      const start = performance.now();
      for (let i = 0; i < 250; i += 1) log.info({ fill: 'x'.repeat(1000) }, 'line');
      await new Promise((resolve) => setImmediate(resolve));
      longest = Math.max(longest, performance.now() - start);
    }
    const grown = process.memoryUsage().rss - before;
    tell({ stalled: longest > 500, dropped: drops.count > 5000, grew: grown > 100e6, flushed: await log.flush() });`);
  child.stdout.pause();
  const told: unknown[] = await once(child.stderr, 'data');
  expect(JSON.parse(String(told[0]))).toEqual({ stalled: false, dropped: true, grew: false, flushed: false });
});
