// The whole server, from its flags to what Prometheus and a person with curl see.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { ownField, ownString } from '../src/admission/json.ts';
import type { ApiServer } from './support/api-server.ts';
import { SERVICE_ACCOUNTS } from './support/api-server.ts';
import type { RunningApp } from './support/app.ts';
import { withApp } from './support/app.ts';
import { reviewOf } from './support/stories.ts';
import { until } from './support/until.ts';

const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;
const CONFIG_MAPS = '/api/v1/configmaps';
const NAMESPACES = '/api/v1/namespaces';

function putAccount(server: ApiServer, name: string, annotations: Record<string, string> = {}): void {
  server.objects.put(SERVICE_ACCOUNTS, { metadata: { namespace: 'default', name, annotations } });
}

function reviewFor(serviceAccountName: string, namespace = 'default') {
  const pod = { metadata: { name: 'web' }, spec: { serviceAccountName, containers: [{ name: 'main' }] } };
  return reviewOf({ namespace }, pod);
}

/** `patch <role>`, or the decision and its reason. */
async function decisionFor({ post }: RunningApp, account: string, namespace?: string): Promise<string> {
  const { status, text } = await post('/mutate', reviewFor(account, namespace));
  const answer: unknown = JSON.parse(text);
  if (status !== 200) return `${status} ${ownString(answer, 'error')}`;
  const said = ownField(ownField(answer, 'response'), 'auditAnnotations');
  return [
    ownString(said, 'decision'),
    ownString(said, 'role-arn') ?? ownString(said, 'method') ?? ownString(said, 'reason'),
  ].join(' ');
}

async function becomes(running: RunningApp, account: string, want: string): Promise<void> {
  let last = '';
  for (const end = performance.now() + 4_000; last !== want && performance.now() < end;) {
    last = await decisionFor(running, account);
    await setTimeout(5);
  }
  expect(last).toBe(want);
}

/** Account `app` has a role. */
async function withRole({ server }: { readonly server: ApiServer }): Promise<void> {
  putAccount(server, 'app', { 'eks.amazonaws.com/role-arn': role('app') });
}

const BUCKETS = [125_000, 250_000, 500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, '+Inf'];

function bucketsOf(path: string): string[] {
  return BUCKETS.map((le) => `http_request_latencies_bucket{le="${le}",verb="POST",path="${path}"}`);
}

describe('the metrics', () => {
  it('have upstream’s names, labels and buckets, and count what happened', async () => {
    await withApp({ prepare: withRole, flags: () => ['--enable-debugging-handlers'] }, async (running) => {
      expect(await decisionFor(running, 'app')).toBe(`patch ${role('app')}`);
      expect(await decisionFor(running, 'nobody')).toBe('skip service-account-not-found');
      await running.post('/debug/alpha/500', {});
      await running.post('/elsewhere', {});
      const { text } = await running.admin('GET', '/metrics');
      const series = text
        .split('\n')
        .filter((line) => /^(?:http_request_|pod_identity_webhook_(?:pod_count|missing|used|decisions))/.test(line))
        .filter((line) => !/(?:_sum|_bucket)/.test(line) || line.includes('_bucket{'))
        .map((line) => line.replace(/(latencies_bucket\{.*\}) \d+/, '$1'));
      expect(series).toEqual([
        // The first is the server's own probe of its port.
        'http_request_count{verb="POST",path="/mutate",code="400"} 1',
        'http_request_count{verb="POST",path="/mutate",code="200"} 2',
        'http_request_count{verb="POST",path="/debug/alpha/500",code="500"} 1',
        ...bucketsOf('/mutate'),
        'http_request_latencies_count{verb="POST",path="/mutate"} 3',
        ...bucketsOf('/debug/alpha/500'),
        'http_request_latencies_count{verb="POST",path="/debug/alpha/500"} 1',
        'http_request_duration_microseconds_count{verb="POST",path="/mutate"} 3',
        'http_request_duration_microseconds_count{verb="POST",path="/debug/alpha/500"} 1',
        'pod_identity_webhook_pod_count{method="sts_web_identity"} 1',
        'pod_identity_webhook_missing_sa_count 1',
        'pod_identity_webhook_used 1',
        'pod_identity_webhook_decisions_total{decision="patch",reason="injected",method="sts_web_identity"} 1',
        'pod_identity_webhook_decisions_total{decision="skip",reason="service-account-not-found",method=""} 1',
      ]);
    });
  });
});

describe('the debugging handlers', () => {
  const prepare = async ({ server }: { server: ApiServer }): Promise<void> => {
    putAccount(server, 'app', { 'eks.amazonaws.com/role-arn': role('app'), 'eks.amazonaws.com/audience': 'aud' });
    putAccount(server, 'none');
    server.objects.put(CONFIG_MAPS, {
      metadata: { namespace: 'eks', name: 'pod-identity-webhook' },
      data: {
        config: JSON.stringify({
          'default/app': { RoleARN: role('hidden') },
          '*/none': { RoleARN: role('glob'), UseRegionalSTS: true, TokenExpiration: 3_600 },
        }),
      },
    });
  };

  it('show the caches, and read them anew', async () => {
    const flags = () => ['--enable-debugging-handlers', '--watch-config-map'];
    await withApp({ prepare, flags }, async (running) => {
      await becomes(running, 'none', `patch ${role('glob')}`);
      const dump = await running.admin('GET', '/debug/alpha/cache');
      expect(JSON.parse(dump.text)).toEqual({
        'default/app': { RoleARN: role('app'), Audience: 'aud', UseRegionalSTS: false, TokenExpiration: 86_400 },
        '*/none': {
          RoleARN: role('glob'),
          Audience: 'sts.amazonaws.com',
          UseRegionalSTS: true,
          TokenExpiration: 3_600,
        },
      });
      expect((await running.admin('GET', '/debug/alpha/cache/clear')).status).toBe(405);
      const lists = running.server.countOf('streaming-list');
      expect(await running.admin('POST', '/debug/alpha/cache/clear')).toEqual({
        status: 200,
        text: '{"relisting":true}\n',
      });
      expect(await decisionFor(running, 'app')).toBe(`patch ${role('app')}`);
      await until('new lists', () => running.server.countOf('streaming-list') === lists + 2);
    });
  });

  it('refuse a review and fail on demand', async () => {
    await withApp({ flags: () => ['--enable-debugging-handlers'] }, async ({ post, admin }) => {
      const denied = await post('/debug/alpha/deny', reviewFor('app'));
      expect(denied.status).toBe(200);
      expect(JSON.parse(denied.text)).toMatchObject({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: '705ab4f5-6393-11e8-b7cc-42010a800002', allowed: false, status: { code: 403 } },
      });
      expect((await post('/debug/alpha/deny', {})).status).toBe(400);
      expect((await post('/debug/alpha/500', {})).status).toBe(500);
      expect((await admin('POST', '/debug/alpha/cache')).status).toBe(405);
    });
  });

  it('are not there unless asked for', async () => {
    await withApp({}, async ({ post, admin }) => {
      expect((await post('/debug/alpha/deny', reviewFor('app'))).status).toBe(404);
      expect((await admin('GET', '/debug/alpha/cache')).status).toBe(404);
    });
  });
});

describe('the sources of identities', () => {
  it('are asked in their order, and noticed when they change', async () => {
    const file = (directory: string): string => join(directory, 'credentials.json');
    const setup = {
      flags: (directory: string) => [
        '--watch-config-map',
        '--namespace-policy',
        `--watch-container-credentials-config=${file(directory)}`,
      ],
      prepare: async ({ server, directory }: { server: ApiServer; directory: string }) => {
        putAccount(server, 'app');
        server.objects.put(NAMESPACES, {
          metadata: { name: 'default', annotations: { 'eks.amazonaws.com/default-role-arn': role('namespace') } },
        });
        await writeFile(file(directory), '{"identities":[]}');
      },
    };
    await withApp(setup, async (running) => {
      const { server, directory } = running;
      const metadata = { namespace: 'eks', name: 'pod-identity-webhook' };
      expect(await decisionFor(running, 'app')).toBe(`patch ${role('namespace')}`);
      server.objects.put(CONFIG_MAPS, { metadata, data: { config: `{"default/app":{"RoleARN":"${role('cm')}"}}` } });
      await becomes(running, 'app', `patch ${role('cm')}`);
      putAccount(server, 'app', { 'eks.amazonaws.com/role-arn': role('account') });
      await becomes(running, 'app', `patch ${role('account')}`);
      await writeFile(file(directory), '{"identities":[{"namespace":"default","serviceAccount":"app"}]}');
      await becomes(running, 'app', 'patch container_credentials');
      await writeFile(file(directory), '');
      await becomes(running, 'app', `patch ${role('account')}`);
      putAccount(server, 'app');
      await becomes(running, 'app', `patch ${role('cm')}`);
      server.objects.put(CONFIG_MAPS, { metadata, data: { config: '{' } });
      await until('the bad ConfigMap to be noticed', () =>
        running.lines().some(({ msg }) => msg === 'ConfigMap kept as it was last readable'),
      );
      expect(await decisionFor(running, 'app')).toBe(`patch ${role('cm')}`);
      server.objects.remove(CONFIG_MAPS, 'eks/pod-identity-webhook');
      await becomes(running, 'app', `patch ${role('namespace')}`);
      server.objects.put(NAMESPACES, {
        metadata: {
          name: 'default',
          annotations: {
            'eks.amazonaws.com/default-role-arn': role('namespace'),
            'eks.amazonaws.com/allowed-roles': role('other'),
          },
        },
      });
      await becomes(running, 'app', 'skip role-not-allowed');
    });
  });

  it('do not hold back readiness where the ConfigMap may not be read', async () => {
    const prepare = async ({ server }: { server: ApiServer }): Promise<void> => {
      putAccount(server, 'app', { 'eks.amazonaws.com/role-arn': role('app') });
      server.forbid(CONFIG_MAPS);
    };
    await withApp({ prepare, flags: () => ['--watch-config-map'] }, async (running) => {
      expect(await decisionFor(running, 'app')).toBe(`patch ${role('app')}`);
      await until('an error in the log', () =>
        running.lines().some(({ level, resource }) => level === 'error' && resource === 'configmaps'),
      );
      const { text } = await running.admin('GET', '/metrics');
      expect(text).toMatch(
        /pod_identity_webhook_watch_failures_total\{resource="configmaps",cause="refused-403"\} [1-9]/,
      );
    });
  });

  it('do not decide about a namespace that cannot be read', async () => {
    await withApp({ prepare: withRole, flags: () => ['--namespace-policy'] }, async (running) => {
      expect(await decisionFor(running, 'app')).toBe('503 no decision now: lookup-failed');
      running.server.objects.put(NAMESPACES, { metadata: { name: 'default' } });
      await becomes(running, 'app', `patch ${role('app')}`);
    });
  });
});
