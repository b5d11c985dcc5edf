// What STS answers to AssumeRoleWithWebIdentity where it refuses: codes and texts as its clients print them.

export type StsErrorCode =
  | 'AccessDenied'
  | 'ExpiredTokenException'
  | 'IDPCommunicationError'
  | 'InvalidIdentityToken'
  | 'RegionDisabledException'
  | 'ValidationError';

export interface StsError {
  readonly code: StsErrorCode;
  readonly message: string;
}

function invalidToken(message: string): StsError {
  return { code: 'InvalidIdentityToken', message };
}

/** The same for a role that does not exist and for one whose trust policy does not match. */
export const NOT_AUTHORIZED: StsError = {
  code: 'AccessDenied',
  message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
};

export const INCORRECT_AUDIENCE: StsError = invalidToken('Incorrect token audience');

export const NOT_VALIDATED: StsError = invalidToken('The web identity token provided could not be validated');

export const NOT_A_JWT: StsError = invalidToken(
  'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
);

export const NO_VERIFICATION_KEY: StsError = invalidToken(
  "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
);

export const WRONG_THUMBPRINT: StsError = invalidToken(
  "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
);

/** STS's own wording counts the characters; the limit is what matters. */
export const TOKEN_TOO_LONG: StsError = {
  code: 'ValidationError',
  message:
    "1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: Member must have length less than or equal to 20000",
};

/** What is given as RoleArn is no ARN of a role. */
export const ROLE_ARN_INVALID: StsError = { code: 'ValidationError', message: 'Request ARN is invalid' };

/** `issuer` is the token's own. */
export function noProvider(issuer: string): StsError {
  return invalidToken(`No OpenIDConnect provider found in your account for ${issuer}`);
}

export function missingClaim(claim: string): StsError {
  return invalidToken(`Missing a required claim: ${claim}`);
}

export function tokenExpired({ now, expiresAt }: { readonly now: number; readonly expiresAt: number }): StsError {
  const message = `Token expired: current date/time ${now} must be before the expiration date/time ${expiresAt}`;
  return { code: 'ExpiredTokenException', message };
}

/** `ageSeconds` since the token was issued. */
export function tokenTooOld(ageSeconds: number): StsError {
  return { code: 'ExpiredTokenException', message: `Token too old: ${ageSeconds}` };
}
