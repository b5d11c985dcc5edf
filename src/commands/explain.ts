// What was decided for each pod and why, as a table for people or as JSON for programs.
import type { Source } from '../admission/decision.ts';
import type { Decision, Reason } from '../admission/decision.ts';
import { printable } from './findings.ts';
import type { Verdict } from './verdict.ts';

/** One pod; what is not known is null, so that every row has every key. */
export interface ExplainedPod {
  readonly object: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly decision: Decision['kind'];
  readonly reason: Reason;
  readonly source: Source | null;
  readonly roleArn: string | null;
  readonly warnings: readonly string[];
}

export function explainedPod({ object, account, decision }: Verdict): ExplainedPod {
  const { kind, reason, source = null, roleArn = null, warnings } = decision;
  const { namespace, name } = account;
  return { object, namespace, serviceAccount: name, decision: kind, reason, source, roleArn, warnings };
}

const HEADER = ['OBJECT', 'NAMESPACE', 'SERVICEACCOUNT', 'DECISION', 'REASON', 'SOURCE', 'ROLE ARN'];

/** A table as kubectl prints it, nothing where there is no pod; warnings are not part of it. */
export function explainedText(pods: readonly ExplainedPod[]): string {
  if (pods.length === 0) return '';
  const rows = [
    HEADER,
    ...pods.map((pod) =>
      [
        pod.object,
        pod.namespace,
        pod.serviceAccount,
        pod.decision,
        pod.reason,
        pod.source ?? '-',
        pod.roleArn ?? '-',
      ].map(printable),
    ),
  ];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lineOf = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ');
  return rows.map((row) => `${lineOf(row).trimEnd()}\n`).join('');
}

export function explainedJson(pods: readonly ExplainedPod[]): string {
  return `${JSON.stringify(pods, null, 2)}\n`;
}
