// `serve`: runs the server until it is told to end, and then lets no call down.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import type { App } from '../app.ts';
import { startApp } from '../app.ts';
import type { ConfigOutcome } from '../config.ts';

export interface ServeOptions extends ConfigOutcome {
  /** Aborts, with the name of the signal as its reason, when the process is told to end. */
  readonly stopping: AbortSignal;
  /** Told of the server once it listens, for what must happen when the process fails. */
  readonly started: (app: App) => void;
  readonly stdout: (text: string) => void;
}

export async function runServe({ config, warnings, stopping, started, stdout }: ServeOptions): Promise<number> {
  const app = await startApp({ config, stopping }).catch(endedBeforeIt(stopping));
  // Told to end while it waited for its certificate: there was nothing to let down.
  if (app === undefined) return 0;
  started(app);
  for (const warning of warnings) app.log.warn({ warning }, 'configuration');
  if (config.standalone !== undefined) stdout(banner(app, config.standalone));
  if (!stopping.aborted) await once(stopping, 'abort');
  app.log.info(
    { signal: String(stopping.reason), shutdownDelayMs: config.shutdownDelayMs },
    'ending: answering on until the delay is over',
  );
  await app.drain();
  return 0;
}

/** Undefined where the start was ended; every other failure goes on. */
function endedBeforeIt(stopping: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (!stopping.aborted) throw error;
    return undefined;
  };
}

/** For the person in front of the terminal: where it is, and one line to try. */
function banner({ url, adminUrl }: App, directory: string): string {
  const review = join(directory, 'review.json');
  const body = existsSync(review) ? `@${review}` : `'${SMALLEST_REVIEW}'`;
  return [
    '',
    `  pod-identity-webhook stands alone at ${url}, with the ServiceAccounts of ${directory}`,
    `  health and metrics: ${adminUrl}/readyz?verbose  ${adminUrl}/metrics`,
    '',
    '  Ask it what a pod gets (-k: the certificate was made for this run):',
    `  curl -sk ${url}/mutate -H 'Content-Type: application/json' -d ${body}`,
    '',
    '',
  ].join('\n');
}

const SMALLEST_REVIEW = JSON.stringify({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: '1',
    namespace: 'default',
    operation: 'CREATE',
    object: { metadata: { name: 'try' }, spec: { serviceAccountName: 'app', containers: [{ name: 'main' }] } },
  },
});
