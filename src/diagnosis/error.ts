// causesOf(line): from what a pod's log says to what may be wrong, most likely first. Pure: text in, causes out.
import { IAM_ADVICE } from './advice-iam.ts';
import { POD_ADVICE } from './advice-pod.ts';
import type { Cause, CauseId, Signature } from './cause.ts';
import { mentionedIn, readings } from './log-text.ts';
import { CREDENTIAL_SIGNATURES } from './signatures-credentials.ts';
import { firstMatch } from './signatures-match.ts';
import { NETWORK_SIGNATURES } from './signatures-network.ts';
import { POD_SIGNATURES } from './signatures-pod.ts';
import { STS_SIGNATURES } from './signatures-sts.ts';

const ADVICE = { ...IAM_ADVICE, ...POD_ADVICE };
// What is said of one file or of STS's own refusal is exact and the root of what a chain of providers sums up at its end.
const SIGNATURES: readonly Signature[] = [
  ...POD_SIGNATURES,
  ...STS_SIGNATURES,
  ...NETWORK_SIGNATURES,
  ...CREDENTIAL_SIGNATURES,
];

/** Never empty: what is not known is `unknown`. */
export function causesOf(raw: string): readonly Cause[] {
  const texts = readings(raw);
  const found = texts
    .map((text) => firstMatch(SIGNATURES, text))
    .reduce((best, match) => (match === undefined || (best?.index ?? Infinity) <= match.index ? best : match));
  const { causes, why, check, fix }: Signature = found?.signature ?? { has: [], causes: ['unknown'] };
  const own = Object.fromEntries(Object.entries({ why, check, fix }).filter(([, text]) => text !== undefined));
  // A short text is about one thing, and the words that a narrow terminal broke stand in the other reading.
  const mentioned = mentionedIn(texts.length > 1 ? texts.join(' ') : (found?.excerpt ?? ''));
  return causes.map((id, index) => {
    const advice = ADVICE[id](mentioned);
    return { id, ...advice, ...(index === 0 ? own : {}) };
  });
}

/** What to do about one cause, with what the text names in its command. */
export function fixOf(id: CauseId, text: string): string {
  return ADVICE[id](mentionedIn(text)).fix;
}
