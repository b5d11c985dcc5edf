// Claims that leave open what STS makes of a token, whatever the policy says: an Allow is then no more than likely.
import type { Finding } from './finding.ts';
import { warning } from './finding.ts';
import { severalAudiences } from './token-findings.ts';
import type { TokenClaims } from './token.ts';

/** What a token brings along beside who it is for, and the action that IAM wants allowed for it. */
const COMPANIONS = [
  { claim: 'https://aws.amazon.com/tags', action: 'sts:TagSession' },
  { claim: 'https://aws.amazon.com/source_identity', action: 'sts:SetSourceIdentity' },
];

/** In the order in which they matter. `isAllowed` says whether the policy surely allows an action to the token. */
export function doubtsOf(claims: TokenClaims, isAllowed: (action: string) => boolean): readonly Finding[] {
  const companions = COMPANIONS.flatMap(({ claim, action }) => {
    const isThere = Object.keys(claims.payload).some((name) => name === claim || name.startsWith(`${claim}/`));
    if (!isThere || isAllowed(action)) return [];
    const message = `the token has ${claim}, for which IAM wants ${action} allowed by the trust policy, too; add it to a statement that allows the token`;
    return [warning('companion-action', message)];
  });
  return [...severalAudiences(claims), ...companions];
}
