// causesOf(line): from what a pod's log says to what may be wrong, most likely first. Pure: text in, causes out.
import { IAM_ADVICE } from './advice-iam.ts';
import { POD_ADVICE } from './advice-pod.ts';
import type { Cause, CauseId, Signature } from './cause.ts';
import { mentionedIn, readings, windowsOf } from './log-text.ts';
import { CREDENTIAL_SIGNATURES } from './signatures-credentials.ts';
import { POD_SIGNATURES } from './signatures-pod.ts';
import { STS_SIGNATURES } from './signatures-sts.ts';

const ADVICE = { ...IAM_ADVICE, ...POD_ADVICE };
// What is said of one file or of STS's own refusal is exact; what a chain of providers sums up at its end is not.
const SIGNATURES: readonly Signature[] = [...POD_SIGNATURES, ...STS_SIGNATURES, ...CREDENTIAL_SIGNATURES];
const UNKNOWN: Signature = { has: [], causes: ['unknown'] };

/** Never empty: what is not known is `unknown`. */
export function causesOf(raw: string): readonly Cause[] {
  const texts = readings(raw);
  const found = texts.map((text) => {
    const windows = windowsOf(text);
    return SIGNATURES.find((signature) => windows.some((part) => fits(signature, part)));
  });
  const { causes, why } = found.find((signature) => signature !== undefined) ?? UNKNOWN;
  const mentioned = mentionedIn(texts.join(' '));
  return causes.map((id, index) => {
    const advice = ADVICE[id](mentioned);
    return { id, ...advice, ...(index === 0 && why !== undefined ? { why } : {}) };
  });
}

function fits({ has, unless }: Signature, text: string): boolean {
  return has.every((pattern) => pattern.test(text)) && unless?.test(text) !== true;
}

/** What to do about one cause, with what the text names in its command. */
export function fixOf(id: CauseId, text: string): string {
  return ADVICE[id](mentionedIn(text)).fix;
}
