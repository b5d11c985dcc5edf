// What the load tells the bench, over its stdout.
import { ownField } from '../src/admission/json.ts';

export interface LoadReport {
  /** Answers other than 200, and broken connections. */
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export function loadReportFrom(line: string): LoadReport {
  const report: unknown = JSON.parse(line);
  const number = (key: keyof LoadReport): number => Number(ownField(report, key));
  return {
    failed: number('failed'),
    seconds: number('seconds'),
    p50Ms: number('p50Ms'),
    p99Ms: number('p99Ms'),
    maxMs: number('maxMs'),
  };
}
