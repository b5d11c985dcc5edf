// Checks as a list for people, and as one JSON document for programs.
import type { Check, CheckResult } from '../aws/check.ts';
import { printable } from './findings.ts';

const WORDS: Readonly<Record<CheckResult, string>> = { ok: 'ok', warning: 'warn', failed: 'FAIL', skipped: 'skip' };
const INDENT = ' '.repeat(6);

export function checksText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ check }) => check.length));
  return checks
    .flatMap(({ check, result, evidence, fix, stsError }) => [
      `${WORDS[result].padEnd(4)}  ${check.padEnd(width)}  ${evidence}`,
      ...(stsError === undefined ? [] : [`${INDENT}STS: ${stsError.code}: ${stsError.message}`]),
      ...(fix === undefined ? [] : [`${INDENT}fix: ${fix}`]),
    ])
    .map((line) => `${printable(line)}\n`)
    .join('');
}

/** What is not known is null, so that every check has every key. */
export function checksJson(issuer: string, checks: readonly Check[]): string {
  const verdict = checks.some(({ result }) => result === 'failed') ? 'failed' : 'ok';
  const rows = checks.map(({ check, result, evidence, fix = null, stsError = null }) => ({
    check,
    result,
    evidence,
    fix,
    stsError,
  }));
  return `${JSON.stringify({ issuer, verdict, checks: rows }, null, 2)}\n`;
}
