// Trust policies as the guides write them, and the question that they are asked.
import type { TrustDecision, TrustQuestion } from '../../src/aws/trust-policy.ts';
import { evaluateTrustPolicy, parseTrustPolicy } from '../../src/aws/trust-policy.ts';
import { claimsOfServiceAccount } from '../../src/aws/token.ts';

export const NAME = 'oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF';
export const ISSUER = `https://${NAME}`;
export const OTHER = 'oidc.eks.eu-west-1.amazonaws.com/id/FEDCBA9876543210';
export const ROLE = 'arn:aws:iam::111122223333:role/app';
export const PROVIDER_ARN = `arn:aws:iam::111122223333:oidc-provider/${NAME}`;
export const OTHER_ARN = `arn:aws:iam::111122223333:oidc-provider/${OTHER}`;
export const PROVIDER = { arn: PROVIDER_ARN, url: NAME, clientIds: ['sts.amazonaws.com'] };
export const SUBJECT = 'system:serviceaccount:prod:api';
export const AUD = { [`${NAME}:aud`]: 'sts.amazonaws.com' };
export const SUB = { [`${NAME}:sub`]: SUBJECT };
export const NOW = 1_800_000_000;

type Json = Readonly<Record<string, unknown>>;

/** The statement of a healthy policy, with other elements in their places; undefined takes one out. */
export function statement(changes: Json = {}): Json {
  return {
    Effect: 'Allow',
    Principal: { Federated: PROVIDER_ARN },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { ...AUD, ...SUB } },
    ...changes,
  };
}

/** A policy of one statement with this Condition. */
export function withCondition(condition: Json): string {
  return policyOf(statement({ Condition: condition }));
}

export function policyOf(...statements: readonly Json[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** Asked for ServiceAccount prod/api, of the right provider. */
export function decide(text: string, changes: Partial<TrustQuestion> = {}): TrustDecision {
  return evaluateTrustPolicy({
    policy: parseTrustPolicy(text),
    roleArn: ROLE,
    claims: claimsOfServiceAccount({ namespace: 'prod', name: 'api', issuer: ISSUER, audience: 'sts.amazonaws.com' }),
    provider: PROVIDER,
    nowSeconds: NOW,
    ...changes,
  });
}

/** Verdict, and the rules of the findings as `error rule`. */
export function rulesOf({ verdict, findings }: TrustDecision): readonly string[] {
  return [verdict, ...findings.map(({ severity, rule }) => `${severity} ${rule}`)];
}
