// The whole server as `serve` runs it: HTTPS with certificates on disk, and an API server on loopback. withApp opens
// and closes everything.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../src/admission/json.ts';
import { isObject } from '../../src/admission/json.ts';
import type { App } from '../../src/app.ts';
import { startApp } from '../../src/app.ts';
import { parseCommandLine } from '../../src/cli.ts';
import { configFrom } from '../../src/config.ts';
import type { ApiServer } from './api-server.ts';
import { withApiServer } from './api-server.ts';
import { createAuthority } from './certificates.ts';

export interface Reply {
  readonly status: number | undefined;
  readonly text: string;
}

export interface RunningApp {
  readonly app: App;
  readonly server: ApiServer;
  /** For files that the flags name. */
  readonly directory: string;
  /** The log so far, one object per line. */
  readonly lines: () => readonly JsonObject[];
  readonly post: (path: string, body: unknown) => Promise<Reply>;
  readonly admin: (method: string, path: string) => Promise<Reply>;
}

export interface AppSetup {
  /** Given the directory for files. */
  readonly flags?: (directory: string) => readonly string[];
  /** Before the server starts. */
  readonly prepare?: (parts: { readonly server: ApiServer; readonly directory: string }) => Promise<void>;
}

export async function withApp(setup: AppSetup, test: (running: RunningApp) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'pod-identity-webhook-app-'));
  const written: string[] = [];
  try {
    await withApiServer({}, async (server) => {
      await setup.prepare?.({ server, directory });
      const kubeconfig = join(directory, 'kubeconfig');
      await writeFile(kubeconfig, server.kubeConfig().exportConfig());
      const authority = await createAuthority();
      const pair = await authority.issue({ names: ['pod-identity-webhook.eks.svc'] });
      const [key, cert] = [join(directory, 'tls.key'), join(directory, 'tls.crt')];
      await writeFile(key, pair.keyPem);
      await writeFile(cert, pair.certPem);
      const flags = [
        `--kubeconfig=${kubeconfig}`,
        `--tls-key=${key}`,
        `--tls-cert=${cert}`,
        '--bind-address=127.0.0.1',
        '--port=0',
        '--metrics-port=0',
        ...(setup.flags?.(directory) ?? []),
      ];
      const commandLine = parseCommandLine(flags, {});
      if (commandLine.kind !== 'run') throw new Error(`not the flags of a run: ${flags.join(' ')}`);
      const { config } = configFrom(commandLine.flags);
      const app = await startApp({ config, destination: { write: (line) => void written.push(line) } });
      const agent = new Agent({ ca: authority.caPem, servername: 'pod-identity-webhook.eks.svc' });
      try {
        await app.ready();
        await test({
          app,
          server,
          directory,
          lines: () => written.map(objectFrom),
          post: async (path, body) =>
            call(httpsRequest, { url: app.url + path, method: 'POST', agent }, JSON.stringify(body)),
          admin: async (method, path) => call(httpRequest, { url: app.adminUrl + path, method }),
        });
      } finally {
        agent.destroy();
        await app.close();
      }
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

function objectFrom(line: string): JsonObject {
  const object: unknown = JSON.parse(line);
  if (!isObject(object)) throw new Error(`no object: ${line}`);
  return object;
}

interface Call {
  readonly url: string;
  readonly method: string;
  readonly agent?: Agent;
}

async function call(
  request: typeof httpRequest | typeof httpsRequest,
  { url, method, agent }: Call,
  body?: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const sent = request(url, { method, headers, ...(agent === undefined ? {} : { agent }) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve({ status: response.statusCode, text }));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
