// The table that the README quotes.
import { cpus, loadavg } from 'node:os';

export interface Row {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** What the value must stay below; undefined for a value that only explains others. */
  readonly limit?: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

export function tableOf(rows: readonly Row[], date: Date): string {
  const [cpu] = cpus();
  const load = loadavg()[0]?.toFixed(1);
  return [
    '| Metric | Value | Target | |',
    '|---|---|---|---|',
    ...rows.map(({ metric, value, unit, limit }) => {
      const [target, verdict] =
        limit === undefined ? ['', ''] : [`< ${limit} ${unit}`, value < limit ? 'met' : 'missed'];
      return `| ${metric} | ${rounded(value)} ${unit} | ${target} | ${verdict} |`;
    }),
    '',
    `${date.toISOString().slice(0, 10)}, ${cpus().length} × ${cpu?.model.trim()}, Node ${process.version}, load average ${load}`,
  ].join('\n');
}

function rounded(value: number): string {
  return value >= 20 ? value.toFixed(0) : value.toPrecision(2);
}
