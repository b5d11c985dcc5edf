// Alerts and dashboard ask for series that the program has, under the labels that it gives them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isObject, ownField, ownList, ownString } from '../../src/admission/json.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { alerts } from './support/alerts.ts';
import { CHART, objectsOf, render } from './support/helm.ts';

/** Series of the API server and of Prometheus, which name what they are about. */
const FOREIGN = ['apiserver_admission_webhook_fail_open_count', 'apiserver_admission_webhook_rejection_count', 'up'];
const FUNCTIONS = ['absent', 'sum', 'min', 'max', 'rate', 'increase', 'histogram_quantile', 'time', 'by', 'le'];

async function seriesOfTheProgram(): Promise<string[]> {
  const metrics = createMetrics({ version: '0', commit: '0', node: '0' });
  const { recorder } = metrics;
  const state = () => ({ size: 0, synced: true, secondsSinceLastByte: 0 });
  recorder.observeCache('serviceaccounts', state);
  // Series of the self-signed mode are there once it is on.
  recorder.caBundle('in-sync');
  recorder.caLoaded(new Date(0));
  // And those of the audit from the first one on.
  recorder.audited({ missed: new Map([['shop', 1]]), stale: new Map(), at: 0 });
  const { body } = await metrics.scrape();
  return [...body.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name ?? '');
}

/** What stands before a selector or a range, and is no function. */
function seriesIn(expression: string): string[] {
  const bare = expression.replace(/"[^"]*"/g, '').replace(/\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)/g, ' ');
  return [...bare.matchAll(/[a-z_][a-z0-9_]*/g)].map(([word]) => word).filter((word) => !FUNCTIONS.includes(word));
}

describe('every series', () => {
  test.each<[what: string, expressions: readonly string[]]>([
    ['the alerts', alerts().map((alert) => ownString(alert, 'expr') ?? '')],
    ['the dashboard', dashboardExpressions()],
  ])('that %s ask for is one of the program', async (_what, expressions) => {
    const known = await seriesOfTheProgram();
    const asked = [...new Set(expressions.flatMap(seriesIn))].map((name) => name.replace(/_bucket$/, ''));
    expect(asked.filter((name) => !known.includes(name) && !FOREIGN.includes(name))).toEqual([]);
    expect(asked).not.toEqual([]);
  });
});

test('a rule of a release asks for the pods and entries of that release', () => {
  const values = { metrics: { prometheusRule: { enabled: true, alertLabels: { team: 'aws' } } } };
  const rendered = render({ release: 'blue', namespace: 'aws', values, only: ['templates/prometheusrule.yaml'] });
  const [rule] = objectsOf(rendered);
  const [group] = ownList(ownField(rule, 'spec'), 'groups');
  const rules = ownList(group, 'rules').filter(isObject);
  expect(rules.find((each) => each['alert'] === 'PodIdentityWebhookNotCalled')).toEqual({
    alert: 'PodIdentityWebhookNotCalled',
    expr: 'sum(increase(apiserver_admission_webhook_fail_open_count{name=~"fail-open.*\\\\.blue-pod-identity-webhook\\\\.aws"}[10m])) > 0',
    for: '0m',
    labels: { severity: 'critical', team: 'aws' },
    annotations: {
      summary: 'The API server let pods through without asking the webhook.',
      description: 'Calls failed, and the failure policy is Ignore. These pods run without their AWS identity.',
      runbook_url:
        'https://github.com/pod-identity-webhook/pod-identity-webhook/blob/main/docs/runbook.md#podidentitywebhooknotcalled',
    },
  });
  expect(rules.find((each) => each['alert'] === 'PodIdentityWebhookUnknown')?.['expr']).toBe(
    'sum(increase(pod_identity_webhook_decisions_total{namespace="aws",pod=~"blue-pod-identity-webhook-[a-z0-9]+-[a-z0-9]+",decision="unknown"}[10m])) > 0',
  );
  expect(rules).toHaveLength(alerts().length);
});

function dashboardExpressions(): string[] {
  const dashboard: unknown = JSON.parse(readFileSync(join(CHART, 'files/dashboard.json'), 'utf8'));
  return ownList(dashboard, 'panels')
    .flatMap((panel) => ownList(panel, 'targets'))
    .map((target) => ownString(target, 'expr') ?? '');
}
