// Claims that leave open what STS makes of a token, whatever the policy says: an Allow is then no more than likely.
import type { Finding } from './finding.ts';
import { warning } from './finding.ts';
import { severalAudiences } from './token-findings.ts';
import type { TokenClaims } from './token.ts';
import { allowsAction } from './trust-policy-actions.ts';
import type { Statement } from './trust-policy-statements.ts';

/** What a token brings along beside who it is for, and the action that IAM wants allowed for it. */
const COMPANIONS = [
  { claim: 'https://aws.amazon.com/tags', action: 'sts:TagSession' },
  { claim: 'https://aws.amazon.com/source_identity', action: 'sts:SetSourceIdentity' },
];

/** In the order in which they matter. */
export function doubtsOf(claims: TokenClaims, statements: readonly Statement[]): readonly Finding[] {
  const actions = statements.filter(({ effect }) => effect === 'Allow').map(({ action }) => action);
  const companions = COMPANIONS.flatMap(({ claim, action }) => {
    const isThere = Object.keys(claims.payload).some((name) => name === claim || name.startsWith(`${claim}/`));
    if (!isThere || actions.some((element) => allowsAction(element, action))) return [];
    const message = `the token has ${claim}, for which IAM wants ${action} allowed by the trust policy, too, and no statement does; add it`;
    return [warning('companion-action', message)];
  });
  return [...severalAudiences(claims), ...companions];
}
