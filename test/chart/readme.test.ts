// The chart's README says of every value what values.yaml says. UPDATE_CASES=1 writes the table anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { alertNames } from './support/alerts.ts';
import { CHART, ROOT } from './support/helm.ts';
import { valuesTable } from './support/readme.ts';

const README = join(CHART, 'README.md');
const TABLE = /(?<=<!-- values -->\n\n).*?(?=\n\n<!-- \/values -->)/s;

describe('the README of the chart', () => {
  test('has the table of values', () => {
    const wanted = valuesTable();
    if (process.env['UPDATE_CASES'] !== undefined) {
      writeFileSync(
        README,
        readFileSync(README, 'utf8').replace(TABLE, () => wanted),
      );
    }
    expect(TABLE.exec(readFileSync(README, 'utf8'))?.[0]).toBe(wanted);
  });
});

test('the runbook has a section for each alert, under the anchor that the alert links to', () => {
  const runbook = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8');
  const sections = [...runbook.matchAll(/^## (PodIdentityWebhook\w+)$/gm)].map(([, name]) => name);
  expect(sections).toEqual(alertNames());
});
