// The server without a cluster: what its directory says counts, also when it changes.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { ownField, ownString } from '../src/admission/json.ts';
import type { App } from '../src/app.ts';
import { startApp } from '../src/app.ts';
import { parseCommandLine } from '../src/cli.ts';
import { configFrom } from '../src/config.ts';
import { reviewOf } from './support/stories.ts';

const ROLE = 'arn:aws:iam::111122223333:role';
const ACCOUNT = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: app}\n';
const NAMESPACE = `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: default\n  annotations: {eks.amazonaws.com/default-role-arn: "${ROLE}/namespace"}\n`;
const CONFIG_MAP = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pod-identity-webhook, namespace: eks}\ndata:\n  config: '{"default/app": {"RoleARN": "${ROLE}/config-map"}}'\n`;

async function roleOf({ url, caPem }: App, agent: Agent): Promise<string | undefined> {
  const pod = { spec: { serviceAccountName: 'app', containers: [{ name: 'main' }] } };
  const text = await new Promise<string>((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json' };
    const sent = request(`${url}/mutate`, { method: 'POST', headers, ca: caPem, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.once('end', () => resolve(body));
    });
    sent.once('error', reject);
    sent.end(JSON.stringify(reviewOf({ namespace: 'default' }, pod)));
  });
  return ownString(ownField(ownField(JSON.parse(text), 'response'), 'auditAnnotations'), 'role-arn');
}

describe('serve --standalone', () => {
  it('takes accounts, the ConfigMap and namespaces from the directory, and notices what changes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'standalone-'));
    await writeFile(join(directory, 'all.yaml'), [ACCOUNT, NAMESPACE].join('---\n'));
    const flags = [
      `--standalone=${directory}`,
      '--port=0',
      '--metrics-port=0',
      '--watch-config-map',
      '--namespace-policy',
    ];
    const commandLine = parseCommandLine(flags, {});
    if (commandLine.kind !== 'run') throw new Error('not the flags of a run');
    const app = await startApp({ config: configFrom(commandLine.flags).config, destination: { write: () => {} } });
    const agent = new Agent({ keepAlive: true });
    try {
      await app.ready();
      expect(await roleOf(app, agent)).toBe(`${ROLE}/namespace`);
      await writeFile(join(directory, 'config-map.yaml'), CONFIG_MAP);
      let role: string | undefined;
      for (const end = performance.now() + 8_000; role !== `${ROLE}/config-map` && performance.now() < end;) {
        await setTimeout(20);
        role = await roleOf(app, agent);
      }
      expect(role).toBe(`${ROLE}/config-map`);
    } finally {
      agent.destroy();
      await app.close();
      await rm(directory, { recursive: true });
    }
  });
});
