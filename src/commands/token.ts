// `token inspect`: what a token claims, in plain words, and what STS would refuse it for. The token itself is never shown.
import { tokenReport } from '../aws/token-findings.ts';
import { timeText } from '../aws/token-checks.ts';
import type { DecodedToken } from '../aws/token.ts';
import { accountOf, tokenClaims } from '../aws/token.ts';
import { findingsText, printable } from './findings.ts';
import type { CommandCall, ExitCode } from './io.ts';
import { readOption, wrong } from './option-files.ts';
import { paintWith } from './paint.ts';

/** Rejects with ConfigError where there is no token. */
export async function runTokenInspect({ flags, operands, io }: CommandCall, nowSeconds: number): Promise<ExitCode> {
  const file = operands[0] ?? '-';
  const token = tokenFrom(await readOption({ option: 'FILE', file }, io), file);
  const { stsError, findings } = tokenReport(token, nowSeconds);
  if (flags.text('output') === 'json') {
    io.stdout(`${JSON.stringify({ ...shownToken(token, nowSeconds), stsError, findings }, null, 2)}\n`);
  } else {
    const answer = stsError === null ? '' : `\nSTS would answer ${stsError.code}: ${printable(stsError.message)}\n`;
    const told = findingsText(findings, paintWith(io.colour));
    io.stdout(`${claimsText(token, nowSeconds)}${answer}${told === '' ? '' : `\n${told}`}`);
  }
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}

/** Throws ConfigError; the text is not shown, it may be most of a token. */
export function tokenFrom(text: string, file: string): DecodedToken {
  const token = tokenClaims(text);
  if (token !== undefined) return token;
  throw wrong(
    `${JSON.stringify(file)} holds no JSON Web Token; give the file that AWS_WEB_IDENTITY_TOKEN_FILE names, or the output of kubectl create token`,
  );
}

function shownToken({ algorithm, keyId, claims, length }: DecodedToken, nowSeconds: number): Record<string, unknown> {
  const { issuer, subject, audiences, issuedAt, notBefore, expiresAt, kubernetes } = claims;
  const account = accountOf(subject ?? '');
  return {
    subject: subject ?? null,
    namespace: account?.namespace ?? null,
    serviceAccount: account?.name ?? null,
    pod: kubernetes?.pod ?? null,
    podUid: kubernetes?.podUid ?? null,
    node: kubernetes?.node ?? null,
    issuer: issuer ?? null,
    audiences,
    issuedAt: timeOrNull(issuedAt),
    notBefore: timeOrNull(notBefore),
    expiresAt: timeOrNull(expiresAt),
    expiresInSeconds: expiresAt === undefined ? null : Math.floor(expiresAt - nowSeconds),
    algorithm: algorithm ?? null,
    keyId: keyId ?? null,
    length,
  };
}

function timeOrNull(seconds: number | undefined): string | null {
  return seconds === undefined ? null : timeText(seconds);
}

function claimsText({ algorithm, keyId, claims }: DecodedToken, nowSeconds: number): string {
  const { issuer, subject, audiences, issuedAt, expiresAt, kubernetes } = claims;
  const account = accountOf(subject ?? '');
  const pod = kubernetes?.pod === undefined ? 'none: the token is not bound to one' : kubernetes.pod;
  const rows: readonly (readonly [string, string])[] = [
    [
      'who',
      account === undefined
        ? (subject ?? 'nobody')
        : `ServiceAccount ${account.namespace}/${account.name} (${subject})`,
    ],
    ['pod', kubernetes?.node === undefined ? pod : `${pod} on node ${kubernetes.node}`],
    ['issuer', issuer ?? 'none'],
    ['for', audiences.join(', ') || 'nobody'],
    ['since', issuedAt === undefined ? 'not said' : `${timeText(issuedAt)} (${agoText(nowSeconds - issuedAt)})`],
    [
      'until',
      expiresAt === undefined
        ? claims.malformed.includes('exp')
          ? 'not readable'
          : 'for ever'
        : `${timeText(expiresAt)} (${agoText(nowSeconds - expiresAt)})`,
    ],
    ['signed', `${algorithm ?? 'no algorithm'}, key ${keyId ?? 'not named'}`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(6)}  ${printable(value)}\n`).join('');
}

/** `3 h ago`, `in 20 min`. */
function agoText(seconds: number): string {
  const size = Math.abs(seconds);
  const units: readonly (readonly [number, string])[] = [
    [86_400, 'days'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const [length, unit] = units.find(([least]) => size >= 2 * least) ?? [1, 's'];
  const amount = `${Math.floor(size / length)} ${unit}`;
  return seconds >= 0 ? `${amount} ago` : `in ${amount}`;
}
