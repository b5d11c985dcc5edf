import { expect, test } from '@jest/globals';
import { createMetrics } from '../../src/observe/metrics.ts';

const build = { version: '1.2.3', commit: 'abc', node: 'v24.0.0' };

/** The samples of one family, in order. */
async function samplesOf(metrics: ReturnType<typeof createMetrics>, family: string): Promise<string[]> {
  const { body } = await metrics.scrape();
  return body.split('\n').filter((line) => new RegExp(`^${family}(_bucket|_sum|_count)?[ {]`).test(line));
}

test('keeps the names, units and buckets of amazon-eks-pod-identity-webhook', async () => {
  const metrics = createMetrics(build);
  metrics.recorder.requested({ verb: 'POST', path: '/mutate', code: 200, seconds: 0.000_123_9 });
  metrics.recorder.requested({ verb: 'POST', path: '/mutate', code: 503, seconds: 0.5 });
  const labels = 'verb="POST",path="/mutate"';
  expect(await samplesOf(metrics, 'http_request_count')).toEqual([
    `http_request_count{${labels},code="200"} 1`,
    `http_request_count{${labels},code="503"} 1`,
  ]);
  expect(await samplesOf(metrics, 'http_request_latencies')).toEqual([
    `http_request_latencies_bucket{le="125000",${labels}} 1`,
    `http_request_latencies_bucket{le="250000",${labels}} 1`,
    `http_request_latencies_bucket{le="500000",${labels}} 2`,
    `http_request_latencies_bucket{le="1000000",${labels}} 2`,
    `http_request_latencies_bucket{le="2000000",${labels}} 2`,
    `http_request_latencies_bucket{le="4000000",${labels}} 2`,
    `http_request_latencies_bucket{le="8000000",${labels}} 2`,
    `http_request_latencies_bucket{le="+Inf",${labels}} 2`,
    `http_request_latencies_sum{${labels}} 500123`,
    `http_request_latencies_count{${labels}} 2`,
  ]);
  expect(await samplesOf(metrics, 'http_request_duration_microseconds')).toEqual([
    `http_request_duration_microseconds_sum{${labels}} 500123`,
    `http_request_duration_microseconds_count{${labels}} 2`,
  ]);
});

test('strangers cannot make series: other paths are not counted, other verbs and codes are `other`', async () => {
  const metrics = createMetrics(build);
  for (let i = 0; i < 100; i += 1) {
    metrics.recorder.requested({ verb: 'GET', path: `/${i}`, code: 404, seconds: 0 });
    metrics.recorder.requested({ verb: `BREW${i}`, path: '/mutate', code: 405, seconds: 0 });
    metrics.recorder.requested({ verb: 'POST', path: '/mutate', code: 600 + i, seconds: 0 });
    metrics.recorder.reloadFailed(`file ${i}`);
    metrics.recorder.watchFailed('serviceaccounts', 'x'.repeat(100));
  }
  expect(await samplesOf(metrics, 'http_request_count')).toEqual([
    'http_request_count{verb="other",path="/mutate",code="405"} 100',
    'http_request_count{verb="POST",path="/mutate",code="other"} 100',
  ]);
  expect((await samplesOf(metrics, 'pod_identity_webhook_reload_failures_total')).slice(-2)).toEqual([
    'pod_identity_webhook_reload_failures_total{what="file 31"} 1',
    'pod_identity_webhook_reload_failures_total{what="other"} 68',
  ]);
  expect(await samplesOf(metrics, 'pod_identity_webhook_watch_failures_total')).toEqual([
    'pod_identity_webhook_watch_failures_total{resource="serviceaccounts",cause="other"} 100',
  ]);
});

test('counts decisions by kind, reason and method, and pods that got an identity', async () => {
  const metrics = createMetrics(build);
  const { recorder } = metrics;
  recorder.decided({ kind: 'patch', reason: 'injected', method: 'sts_web_identity', seconds: 0.000_2 });
  recorder.decided({ kind: 'patch', reason: 'injected', method: 'container_credentials', seconds: 0.02 });
  recorder.decided({ kind: 'skip', reason: 'service-account-not-found', seconds: 0.04 });
  recorder.decided({ kind: 'unknown', reason: 'lookup-failed', seconds: 4.5 });
  recorder.accountMissing();
  expect(await samplesOf(metrics, 'pod_identity_webhook_decisions_total')).toEqual([
    'pod_identity_webhook_decisions_total{decision="patch",reason="injected",method="sts_web_identity"} 1',
    'pod_identity_webhook_decisions_total{decision="patch",reason="injected",method="container_credentials"} 1',
    'pod_identity_webhook_decisions_total{decision="skip",reason="service-account-not-found",method=""} 1',
    'pod_identity_webhook_decisions_total{decision="unknown",reason="lookup-failed",method=""} 1',
  ]);
  expect(await samplesOf(metrics, 'pod_identity_webhook_pod_count')).toEqual([
    'pod_identity_webhook_pod_count{method="sts_web_identity"} 1',
    'pod_identity_webhook_pod_count{method="container_credentials"} 1',
  ]);
  expect(await samplesOf(metrics, 'pod_identity_webhook_missing_sa_count')).toEqual([
    'pod_identity_webhook_missing_sa_count 1',
  ]);
  const durations = await samplesOf(metrics, 'pod_identity_webhook_admission_duration_seconds');
  expect(durations.map((line) => line.replace(/^\w+(\{le="([^"]*)"\})?/, '$2'))).toEqual(
    [
      '0.0001 0',
      '0.00025 1',
      '0.0005 1',
      '0.001 1',
      '0.0025 1',
      '0.005 1',
      '0.01 1',
      '0.025 2',
      '0.05 3',
      '0.1 3',
    ].concat(['0.5 3', '1 3', '2.5 3', '5 4', '+Inf 4', ' 4.5602', ' 4']),
  );
});

function configMaps(name: string, value: number): string {
  return `pod_identity_webhook_${name}{resource="configmaps"} ${value}`;
}

function accounts(name: string, value: number): string {
  return `pod_identity_webhook_${name}{resource="serviceaccounts"} ${value}`;
}

test('asks the caches at each scrape; `used` stays 1 once any ServiceAccount was seen', async () => {
  const metrics = createMetrics(build);
  let state = { size: 0, synced: false, secondsSinceLastByte: undefined as number | undefined };
  metrics.recorder.observeCache('serviceaccounts', () => state);
  metrics.recorder.observeCache('configmaps', () => ({ size: 1, synced: true, secondsSinceLastByte: 2 }));
  const own = async (): Promise<string[]> => [
    ...(await samplesOf(metrics, 'pod_identity_webhook_cache_\\w+')),
    ...(await samplesOf(metrics, 'pod_identity_webhook_seconds_since_last_watch_byte')),
    ...(await samplesOf(metrics, 'pod_identity_webhook_used')),
  ];
  expect(await own()).toEqual([
    accounts('cache_size', 0),
    configMaps('cache_size', 1),
    accounts('cache_synced', 0),
    configMaps('cache_synced', 1),
    configMaps('seconds_since_last_watch_byte', 2),
    'pod_identity_webhook_used 0',
  ]);
  state = { size: 7, synced: true, secondsSinceLastByte: 0.5 };
  await own();
  state = { size: 0, synced: true, secondsSinceLastByte: 90 };
  expect(await own()).toEqual([
    accounts('cache_size', 0),
    configMaps('cache_size', 1),
    accounts('cache_synced', 1),
    configMaps('cache_synced', 1),
    accounts('seconds_since_last_watch_byte', 90),
    configMaps('seconds_since_last_watch_byte', 2),
    'pod_identity_webhook_used 1',
  ]);
});

test('has a series for everything else that is recorded', async () => {
  const metrics = createMetrics(build);
  const { recorder } = metrics;
  recorder.inFlight(1);
  recorder.inFlight(1);
  recorder.inFlight(-1);
  recorder.lookedUp('found');
  recorder.relisted('serviceaccounts');
  recorder.watchFailed('serviceaccounts', 'gone');
  recorder.certificateLoaded(new Date(1_800_000_000_000));
  recorder.reloadFailed('certificate');
  recorder.failedUnexpectedly('mutate');
  recorder.logDropped();
  const { contentType, body } = await metrics.scrape();
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  const own = body.split('\n').filter((line) => line.startsWith('pod_identity_webhook_') && !line.includes('duration'));
  expect(own.toSorted()).toEqual([
    'pod_identity_webhook_build_info{version="1.2.3",commit="abc",node="v24.0.0"} 1',
    'pod_identity_webhook_certificate_not_after_seconds 1800000000',
    'pod_identity_webhook_in_flight 1',
    'pod_identity_webhook_log_lines_dropped_total 1',
    'pod_identity_webhook_missing_sa_count 0',
    'pod_identity_webhook_relists_total{resource="serviceaccounts"} 1',
    'pod_identity_webhook_reload_failures_total{what="certificate"} 1',
    'pod_identity_webhook_service_account_lookups_total{result="found"} 1',
    'pod_identity_webhook_unexpected_errors_total{where="mutate"} 1',
    'pod_identity_webhook_used 0',
    'pod_identity_webhook_watch_failures_total{resource="serviceaccounts",cause="gone"} 1',
  ]);
  expect(body).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
  expect(body).toMatch(/^process_resident_memory_bytes /m);
});

test('there are no series of a CA before there is one', async () => {
  const metrics = createMetrics(build);
  const { body } = await metrics.scrape();
  expect(body.match(/^pod_identity_webhook_(?:ca_|webhook_configuration).*$/gm)).toBeNull();
  metrics.recorder.caLoaded(new Date(1_800_000_000_000));
  metrics.recorder.caStepped('introduce');
  metrics.recorder.caBundle('absent');
  metrics.recorder.caBundleWritten('repair');
  const seriesNow = async (): Promise<unknown> =>
    (await metrics.scrape()).body.match(/^pod_identity_webhook_(?:ca_|webhook_configuration).*$/gm);
  expect(await seriesNow()).toEqual([
    'pod_identity_webhook_ca_not_after_seconds 1800000000',
    'pod_identity_webhook_ca_steps_total{step="introduce"} 1',
    'pod_identity_webhook_ca_bundle_in_sync 0',
    'pod_identity_webhook_webhook_configuration_found 0',
    'pod_identity_webhook_ca_bundle_writes_total{why="repair"} 1',
  ]);
  metrics.recorder.caBundle('in-sync');
  expect(await seriesNow()).toEqual(
    expect.arrayContaining([
      'pod_identity_webhook_ca_bundle_in_sync 1',
      'pod_identity_webhook_webhook_configuration_found 1',
    ]),
  );
});
