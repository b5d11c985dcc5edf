// Findings as people read them: one line each, the rule's name first.
import type { Finding } from '../aws/finding.ts';
import type { Paint } from './paint.ts';

export function findingsText(findings: readonly Finding[], paint: Paint): string {
  return findings
    .map(({ severity, rule, message }) => `${severity.padEnd(7)}  ${paint.bold(rule)}: ${printable(message)}\n`)
    .join('');
}

/**
 * Policies and tokens are written by others: a terminal must not take what they say for commands, nor show it in another
 * order than it has (Trojan Source, CVE-2021-42574).
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');
}

/** The same for text of several lines, which stay lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
