// The server without a cluster, on free ports of loopback, for commands that show what it does.
import type { App } from './app.ts';
import { startApp } from './app.ts';
import { parseCommandLine } from './cli.ts';
import { ConfigError } from './config-error.ts';
import { configFrom } from './config.ts';

/** Ready when the promise is kept; nothing of its log is shown. */
export async function startStandalone(directory: string): Promise<App & { readonly caPem: string }> {
  const argv = [`--standalone=${directory}`, '--port=0', '--metrics-port=0'];
  const commandLine = parseCommandLine(argv, {});
  if (commandLine.kind !== 'run') throw new ConfigError('usage', [`want the flags of a run, got ${argv.join(' ')}`]);
  const app = await startApp({ config: configFrom(commandLine.flags).config, destination: { write: () => {} } });
  await app.ready();
  return { ...app, caPem: app.caPem ?? '' };
}
