// The server's audit on an API server of a few lines, with a clock that the test turns.
import { afterEach, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import type { IdentityAnswer } from '../src/admission/identity.ts';
import type { JsonObject } from '../src/admission/json.ts';
import { isObject, ownField, ownString } from '../src/admission/json.ts';
import { startAudit } from '../src/app-audit.ts';
import { parseCommandLine } from '../src/cli.ts';
import { configFrom } from '../src/config.ts';
import { createTestClock } from './support/clock.ts';
import { createTestRecorder } from './support/recorder.ts';
import { until } from './support/until.ts';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const role = 'arn:aws:iam::111122223333:role/app';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/eks/leases';

function pod(namespace: string, env: readonly object[] = []): object {
  return { metadata: { namespace, name: 'p' }, spec: { containers: [{ name: 'app', env }] } };
}

interface Cluster {
  readonly url: string;
  pods: readonly object[];
  /** Of pods. */
  readonly asked: string[];
  /** Status of every answer about leases, where they are forbidden. */
  leases: number;
  lease(): JsonObject | undefined;
  giveTo(holder: string): void;
}

async function startCluster(): Promise<Cluster> {
  let version = 0;
  let stored: JsonObject | undefined;
  const put = (object: unknown): JsonObject => {
    version += 1;
    stored = { ...(isObject(object) ? object : {}), metadata: { name: 'audit', resourceVersion: String(version) } };
    return stored;
  };
  const server = createServer((incoming, outgoing) => {
    const answer = (status: number, body: unknown): void => {
      outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (incoming.url?.startsWith('/api/v1/pods') === true) {
      cluster.asked.push(incoming.url);
      answer(200, { metadata: { resourceVersion: '1' }, items: cluster.pods });
    } else if (cluster.leases !== 200) answer(cluster.leases, { message: 'no' });
    else if (incoming.method === 'GET') answer(stored === undefined ? 404 : 200, stored ?? { reason: 'NotFound' });
    else void json(incoming).then((body) => answer(incoming.url === LEASES ? 201 : 200, put(body)));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const cluster: Cluster = {
    url: `http://127.0.0.1:${port}`,
    pods: [],
    asked: [],
    leases: 200,
    lease: () => stored,
    giveTo: (holder) => void put({ spec: { holderIdentity: holder, leaseDurationSeconds: 60 } }),
  };
  return cluster;
}

function start(cluster: Cluster, answer?: IdentityAnswer) {
  const line = parseCommandLine(['serve', '--audit-interval=10m', `--kube-api=${cluster.url}`], {});
  if (line.kind !== 'run') throw new Error('want a run');
  const { config } = configFrom(line.flags);
  const lines: string[] = [];
  const keep = (fields: object, message: string): void =>
    void lines.push(`${message} ${JSON.stringify({ ...fields, ms: undefined, waitMs: undefined })}`);
  const log = { trace: keep, debug: keep, info: keep, warn: keep, error: keep };
  const clock = createTestClock();
  const recorder = createTestRecorder();
  const identity = { method: 'sts_web_identity', source: 'service-account', roleArn: role } as const;
  const audit = startAudit({
    config,
    log,
    recorder,
    now: clock.now,
    // What waits for nothing is not to be waited for by a test.
    sleep: async (ms, signal) => (ms === 0 ? undefined : clock.sleep(ms, signal)),
    random: () => 1,
    isReady: () => true,
    deps: {
      identityOf: async () => answer ?? { kind: 'identity', identity, warnings: [] },
      settings: config.settings,
      surroundings: () => ({}),
    },
  });
  closers.push(audit.close);
  const counts = () =>
    recorder
      .of('audited')
      .map(([found]) =>
        isObject(found) ? (['missed', 'stale'] as const).map((kind) => entriesOf(ownField(found, kind))) : found,
      );
  return { audit, clock, lines, counts };
}

function entriesOf(counts: unknown): readonly unknown[] {
  return counts instanceof Map ? [...counts] : [];
}

const old = [
  { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/old' },
  { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' },
];
const gone: IdentityAnswer = { kind: 'none', reason: 'no-role', warnings: [] };

test('pods are counted by namespace as soon as the Lease is held, and again after the interval', async () => {
  const cluster = await startCluster();
  cluster.pods = [pod('shop'), pod('shop'), pod('pay')];
  const { clock, lines, counts } = start(cluster);
  await until('audit 1', () => counts().length === 1);
  cluster.pods = [{ ...pod('pay'), status: { phase: 'Failed' } }];
  await clock.pass(20_000);
  await until(
    'the Lease to be kept',
    () => ownString(ownField(cluster.lease(), 'metadata'), 'resourceVersion') === '2',
  );
  await clock.pass(10_000);
  expect(counts()).toEqual([
    [
      [
        ['shop', 2],
        ['pay', 1],
      ],
      [],
    ],
  ]);
  await clock.pass(570_000);
  await until('audit 2', () => counts().length === 2);
  expect([counts()[1], cluster.asked, lines]).toEqual([
    [[], []],
    ['/api/v1/pods?limit=100', '/api/v1/pods?limit=100'],
    [
      'stored pods audited {"pods":3,"missed":3,"stale":0,"undecided":0}',
      'stored pods audited {"pods":0,"missed":0,"stale":0,"undecided":0}',
    ],
  ]);
});

test('pods with a role that is no longer their account’s are stale', async () => {
  const cluster = await startCluster();
  cluster.pods = [pod('shop', old), pod('shop')];
  const { counts } = start(cluster, gone);
  await until('audit 1', () => counts().length === 1);
  expect(counts()).toEqual([[[], [['shop', 1]]]]);
});

test('pods that cannot be judged are told of, and not counted', async () => {
  const cluster = await startCluster();
  cluster.pods = [pod('shop')];
  const { counts, lines } = start(cluster, { kind: 'unknown', reason: 'lookup-failed' });
  await until('audit 1', () => counts().length === 1);
  expect([counts(), lines]).toEqual([
    [[[], []]],
    ['stored pods audited {"pods":1,"missed":0,"stale":0,"undecided":1}'],
  ]);
});

test('nothing is counted while another replica holds the Lease, and no longer once it does', async () => {
  const cluster = await startCluster();
  cluster.giveTo('other');
  cluster.pods = [pod('shop')];
  const { clock, counts } = start(cluster);
  await until('both to sleep', () => clock.sleeping() === 2);
  expect(counts()).toEqual([]);
  await clock.pass(60_001);
  await until('audit 1', () => counts().length === 1);
  cluster.giveTo('other');
  await clock.pass(20_000);
  await until('audit 2', () => counts().length === 2);
  expect(counts()).toEqual([[[['shop', 1]], []], undefined]);
});

test('the Lease is free for another replica when this one ends', async () => {
  const cluster = await startCluster();
  const { audit, counts } = start(cluster);
  await until('audit 1', () => counts().length === 1);
  await audit.close();
  expect(ownField(cluster.lease(), 'spec')).toEqual({ leaseTransitions: 0 });
});

test('what the audit may not do is in the log, and it is tried again', async () => {
  const cluster = await startCluster();
  cluster.leases = 403;
  cluster.pods = [pod('shop')];
  const { clock, counts, lines } = start(cluster);
  await until('a line', () => lines.length === 1);
  cluster.leases = 200;
  await clock.pass(60_000);
  await until('audit 1', () => counts().length === 1);
  expect([lines[0], counts()]).toEqual([
    `no word about the Lease of the audit {"error":"the API server answered 403 to ${LEASES}/pod-identity-webhook-audit: no"}`,
    [[[['shop', 1]], []]],
  ]);
});
