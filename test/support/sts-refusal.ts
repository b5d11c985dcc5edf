// What the strict STS refuses: expected outcomes, so values and no exceptions. What belongs to AssumeRoleWithWebIdentity
// has the codes and texts of src/aws; here is what else a server of AWS says.
import type { StsError } from '../../src/aws/sts-errors.ts';
import { STS_STATUS } from './sts-answers.ts';

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export function isRefusal(answer: object): answer is Refusal {
  return 'code' in answer && 'message' in answer && 'status' in answer;
}

export function refusalFrom({ code, message }: StsError): Refusal {
  return { status: STS_STATUS[code], code, message };
}

export function validationError(message: string): Refusal {
  return refusalFrom({ code: 'ValidationError', message });
}

/** The form names no operation of STS. */
export function invalidAction(action: string, version: string): Refusal {
  return { status: 400, code: 'InvalidAction', message: `Could not find operation ${action} for version ${version}` };
}

/** What becomes of signed requests. */
export const signing = {
  missing: { status: 403, code: 'MissingAuthenticationToken', message: 'Request is missing Authentication Token' },
  unknown: {
    status: 403,
    code: 'InvalidClientTokenId',
    message: 'The security token included in the request is invalid.',
  },
  expired: { status: 403, code: 'ExpiredToken', message: 'The security token included in the request is expired' },
  mismatch: {
    status: 403,
    code: 'SignatureDoesNotMatch',
    message:
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access ' +
      'Key and signing method. Consult the service documentation for details.',
  },
} as const satisfies Record<string, Refusal>;
