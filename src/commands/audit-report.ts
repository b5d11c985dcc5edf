// What an audit found: for people by owner, with one command for each; for programs pod by pod.
import type { PodFault } from '../admission/audit.ts';
import type { Owner } from './audit-owner.ts';
import { printable } from './findings.ts';

export interface FoundPod {
  readonly fault: PodFault;
  readonly namespace: string;
  readonly pod: string;
  readonly serviceAccount: string;
  readonly roleArn: string | null;
  readonly evidence: string;
  readonly owner: Owner;
}

export interface FoundAccount {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly evidence: string;
  readonly fix: string;
}

export interface AuditFound {
  readonly pods: readonly FoundPod[];
  readonly accounts: readonly FoundAccount[];
  /** How many were looked at. */
  readonly checked: { readonly pods: number; readonly accounts: number };
}

const INDENT = ' '.repeat(8);

export function auditJson({ pods, accounts, checked }: AuditFound): string {
  const rows = pods.map(({ owner, ...pod }) => ({ ...pod, owner: owner.name, restart: owner.restart }));
  return `${JSON.stringify({ pods: rows, accounts, checked }, null, 2)}\n`;
}

export function auditText({ pods, accounts, checked }: AuditFound): string {
  const groups = new Map<string, FoundPod[]>();
  for (const pod of pods) {
    const key = [pod.fault, pod.namespace, pod.owner.name].join(' ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [pod]);
    else group.push(pod);
  }
  const lines = [
    ...[...groups.values()].flatMap(groupLines),
    ...accounts.flatMap(({ namespace, serviceAccount, evidence, fix }) => [
      `account ServiceAccount/${serviceAccount} in ${namespace}: ${evidence}`,
      ...fix.split('\n').map((line) => `${INDENT}${line}`),
    ]),
    `${counted(checked.pods, 'pod')}: ${countOf(pods, 'missed')} missed, ${countOf(pods, 'stale')} stale; ` +
      `${counted(checked.accounts, 'account')}: ${accounts.length} mistyped`,
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function groupLines(pods: readonly FoundPod[]): readonly string[] {
  const [first] = pods;
  if (first === undefined) return [];
  const { fault, namespace, serviceAccount, evidence, owner } = first;
  // Pods that only go one by one each need their own command.
  const restarts = [...new Set(pods.map((pod) => pod.owner.restart))];
  const whose = `${counted(pods.length, 'pod')} of account ${serviceAccount}`;
  return [
    `${fault.padEnd(INDENT.length)}${owner.name} in ${namespace}, ${whose}: ${evidence}`,
    ...restarts.map((restart) => `${INDENT}${restart}`),
  ];
}

function countOf(pods: readonly FoundPod[], fault: PodFault): number {
  return pods.filter((pod) => pod.fault === fault).length;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
