// Flags of the process: how it logs, and how it ends.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const SERVE = ['serve'] as const;

export const RUNNING_FLAGS: readonly Flag[] = inGroup('Running', [
  {
    name: 'shadow',
    type: 'boolean',
    default: 'false',
    commands: SERVE,
    help: 'Decide, log and count, but change no pod: to run beside another webhook.',
  },
  {
    name: 'shutdown-delay',
    type: 'duration',
    default: '10s',
    commands: SERVE,
    help: 'How long to go on answering after SIGTERM, while the endpoint is taken out of service.',
  },
  {
    name: 'resync-period',
    type: 'duration',
    default: '60s',
    commands: SERVE,
    help: 'Accepted for compatibility; the caches need no resync.',
  },
  {
    name: 'log-level',
    type: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error'],
    default: 'info',
    commands: SERVE,
    help: 'Least important level that is logged; decisions are info.',
  },
  {
    name: 'log-format',
    type: 'choice',
    choices: ['json', 'text'],
    default: 'json',
    commands: SERVE,
    help: 'One JSON object per line, or text for people.',
  },
  {
    name: 'enable-debugging-handlers',
    type: 'boolean',
    default: 'false',
    commands: SERVE,
    help: 'Serve /debug/alpha/cache and /debug/alpha/cache/clear on the metrics port, /debug/alpha/deny and /debug/alpha/500 on the admission port.',
  },
]);
