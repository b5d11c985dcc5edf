// Whether a role's trust policy lets a token in, for the STS: by the same evaluator that tells users why not. What it cannot
// decide is no permission here either.
import { claimsFrom } from '../../src/aws/token.ts';
import { evaluateTrustPolicy, parseTrustPolicy } from '../../src/aws/trust-policy.ts';
import type { TrustedToken } from './sts-token.ts';

export interface TrustQuestion {
  /** The policy document, as IAM stores it. */
  readonly policy: unknown;
  readonly roleArn: string;
  readonly trusted: TrustedToken;
  readonly nowMs: number;
}

export function isTrusted({ policy, roleArn, trusted, nowMs }: TrustQuestion): boolean {
  const { provider } = trusted;
  const claims = claimsFrom(trusted.claims);
  if (claims === undefined) return false;
  const question = { policy: parseTrustPolicy(JSON.stringify(policy)), roleArn, claims, provider };
  return evaluateTrustPolicy({ ...question, nowSeconds: Math.floor(nowMs / 1000) }).verdict === 'allowed';
}
