// The alerts of the chart, as its file has them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ownString } from '../../../src/admission/json.ts';
import { CHART } from './helm.ts';

export function alerts(): readonly unknown[] {
  const list: unknown = parse(readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8'));
  return Array.isArray(list) ? list : [];
}

export function alertNames(): string[] {
  return alerts().map((alert) => ownString(alert, 'alert') ?? '');
}
