// The admission server in a process of its own, for tests of what a process can suffer: its standard output, its
// memory. Tells its port and CA, then its memory whenever it is asked.
import { createLog } from '../../src/observe/log.ts';
import { withServer } from './server.ts';

const drops = { count: 0 };
const log = createLog({ level: 'info', format: 'json', recorder: { logDropped: () => void (drops.count += 1) } });
let maxRss = 0;
const watch = setInterval(() => {
  maxRss = Math.max(maxRss, process.memoryUsage().rss);
}, 20);

await withServer({ log }, async ({ port, ca, recorder }) => {
  process.send?.({ port, ca });
  await new Promise<void>((resolve) => {
    process.on('message', (message) => {
      if (message === 'fill') for (let line = 0; line < 6_000; line += 1) log.info({ fill: 'x'.repeat(500) }, 'fill');
      if (message === 'end') resolve();
      const failures = recorder.of('failedUnexpectedly').length;
      process.send?.({ dropped: drops.count, maxRssMiB: Math.round(maxRss / 1_048_576), failures });
    });
    process.once('disconnect', resolve);
  });
});
clearInterval(watch);
const flushed = await log.flush();
process.send?.({ flushed });
process.disconnect?.();
