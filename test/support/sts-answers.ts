// What the strict STS answers beside what the program itself must know: the statuses, and refusals that no check foretells.
import type { StsError, StsErrorCode } from '../../src/aws/sts-errors.ts';

/** The HTTP status that STS sends with each code. */
export const STS_STATUS: Readonly<Record<StsErrorCode, 400 | 403>> = {
  AccessDenied: 403,
  ExpiredTokenException: 400,
  IDPCommunicationError: 400,
  InvalidIdentityToken: 400,
  RegionDisabledException: 403,
  ValidationError: 400,
};

/** STS could not reach the issuer; a client may try again. */
export const ISSUER_UNREACHABLE: StsError = { code: 'IDPCommunicationError', message: 'IDPCommunicationError' };

export const DURATION_TOO_LONG: StsError = {
  code: 'ValidationError',
  message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
};
