// What a condition key is worth in a call of AssumeRoleWithWebIdentity, as far as a token tells.
import { providerName } from './oidc-provider.ts';
import { ownField } from './own-field.ts';
import type { TokenClaims } from './token.ts';

export type KeyValue =
  | { readonly kind: 'present'; readonly values: readonly string[] }
  /** STS never has it in such a call with such a token. */
  | { readonly kind: 'absent' }
  /** It depends on the request, not on the token, or IAM does not say. */
  | { readonly kind: 'unknown' };

export interface RequestContext {
  /** Names of keys are not case-sensitive. */
  valueOf(key: string): KeyValue;
}

/** What STS makes condition keys of; other claims of a token cannot be asked for. */
export const PROVIDER_KEYS = ['aud', 'sub', 'oaud', 'amr', 'email'] as const;

/** Keys that depend on the request or on the role, as iam:ResourceTag does, not on the token. */
export const OF_REQUEST: RegExp = /^(?:aws|iam|sts):/i;

export function requestContextOf(claims: TokenClaims): RequestContext {
  const prefix = providerName(claims.issuer ?? '');
  const original = `${prefix}:oaud`.toLowerCase();
  const known = new Map(keysOf(claims).map(([name, values]) => [`${prefix}:${name}`.toLowerCase(), values]));
  return {
    valueOf(key) {
      if (OF_REQUEST.test(key)) return { kind: 'unknown' };
      // Of Google's tokens IAM says that `oaud` is what `aud` says where there is no azp; of others it says nothing.
      if (key.toLowerCase() === original && claims.authorizedParty === undefined) return { kind: 'unknown' };
      const values = known.get(key.toLowerCase()) ?? [];
      return values.length === 0 ? { kind: 'absent' } : { kind: 'present', values };
    },
  };
}

/** IAM, keys for web identity federation: where `azp` is there, `aud` is the azp, and `oaud` what `aud` says. */
function keysOf({ subject, audiences, authorizedParty, payload }: TokenClaims): [string, readonly string[]][] {
  const audience = authorizedParty === undefined ? audiences : [authorizedParty];
  return [
    ['sub', subject === undefined ? [] : [subject]],
    ['aud', audience],
    ['oaud', authorizedParty === undefined ? [] : audiences],
    ['amr', textsOf(ownField(payload, 'amr'))],
    ['email', textsOf(ownField(payload, 'email'))],
  ];
}

function textsOf(claim: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return list.filter((one) => typeof one === 'string');
}
