import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createAuditMetrics } from '../../src/observe/audit-metrics.ts';

async function shown(registry: Registry): Promise<readonly string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('pods are counted by namespace, from the first audit until another replica audits', async () => {
  const registry = new Registry();
  const { audited } = createAuditMetrics(registry, 'pod_identity_webhook');
  audited(undefined);
  expect(await shown(registry)).toEqual([]);

  audited({ at: 1_500, missed: new Map([['shop', 2]]), stale: new Map([['pay', 1]]) });
  expect(await shown(registry)).toEqual([
    'pod_identity_webhook_unmutated_pods{namespace="shop"} 2',
    'pod_identity_webhook_unmutated_pods{namespace="pay"} 0',
    'pod_identity_webhook_stale_pods{namespace="shop"} 0',
    'pod_identity_webhook_stale_pods{namespace="pay"} 1',
    'pod_identity_webhook_audit_timestamp_seconds 1.5',
  ]);

  audited({ at: 2_000, missed: new Map(), stale: new Map() });
  expect((await shown(registry)).map((line) => line.split(' ')[1])).toEqual(['0', '0', '0', '0', '2']);

  audited({ at: 2_500, missed: new Map(), stale: new Map() });
  expect(await shown(registry)).toEqual(['pod_identity_webhook_audit_timestamp_seconds 2.5']);

  audited(undefined);
  expect(await shown(registry)).toEqual([]);
  audited({ at: 3_000, missed: new Map(), stale: new Map([['shop', 1]]) });
  expect(await shown(registry)).toEqual([
    'pod_identity_webhook_unmutated_pods{namespace="shop"} 0',
    'pod_identity_webhook_stale_pods{namespace="shop"} 1',
    'pod_identity_webhook_audit_timestamp_seconds 3',
  ]);
});
