import { describe, expect, it } from '@jest/globals';
import * as errors from '../../src/aws/sts-errors.ts';
import { DURATION_TOO_LONG, ISSUER_UNREACHABLE, STS_STATUS } from '../support/sts-answers.ts';

describe('the errors of STS', () => {
  it('have the codes and texts that its clients print', () => {
    const { noProvider, missingClaim, tokenExpired, tokenTooOld, TOKEN_TOO_LONG, ...fixed } = errors;
    const made = [noProvider('https://x'), missingClaim('aud'), tokenExpired({ now: 2, expiresAt: 1 }), tokenTooOld(5)];
    expect(
      [...Object.values(fixed), ISSUER_UNREACHABLE, DURATION_TOO_LONG, ...made]
        .map(({ code, message }) => `${STS_STATUS[code]} ${code}: ${message}`)
        .toSorted(),
    ).toEqual([
      '400 ExpiredTokenException: Token expired: current date/time 2 must be before the expiration date/time 1',
      '400 ExpiredTokenException: Token too old: 5',
      '400 IDPCommunicationError: IDPCommunicationError',
      "400 InvalidIdentityToken: Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
      '400 InvalidIdentityToken: Incorrect token audience',
      '400 InvalidIdentityToken: Missing a required claim: aud',
      '400 InvalidIdentityToken: No OpenIDConnect provider found in your account for https://x',
      "400 InvalidIdentityToken: OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
      '400 InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
      '400 InvalidIdentityToken: The web identity token provided could not be validated',
      '400 ValidationError: Request ARN is invalid',
      '400 ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      '403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity',
    ]);
    expect(TOKEN_TOO_LONG.code).toBe('ValidationError');
    expect(STS_STATUS.RegionDisabledException).toBe(403);
  });
});
