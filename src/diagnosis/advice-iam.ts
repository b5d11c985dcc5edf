// What to tell people whose error comes from STS and IAM: why, how to make sure, how to mend it.
import type { Advice, CauseId } from './cause.ts';
import type { Mentioned } from './log-text.ts';

export type Adviser = (mentioned: Mentioned) => Advice;

const SAME_TEXT =
  'STS answers "Not authorized" alike for a trust policy that does not fit and a role that is not there';

export type IamCauseId = Extract<
  CauseId,
  | 'subject-mismatch'
  | 'audience-mismatch'
  | 'provider-missing'
  | 'provider-audience'
  | 'issuer-keys-unreachable'
  | 'thumbprint'
  | 'role-missing'
  | 'wrong-action'
  | 'duration-too-long'
  | 'session-name-invalid'
>;

const trustPolicyOf = (roleName: string): string =>
  `aws iam get-role --role-name ${roleName} --query Role.AssumeRolePolicyDocument`;
const updateTrustPolicy = (roleName: string): string =>
  `aws iam update-assume-role-policy --role-name ${roleName} --policy-document file://trust-policy.json`;
const providerArn = ({ accountId, issuer, partition }: Mentioned): string =>
  `arn:${partition}:iam::${accountId}:oidc-provider/${issuer}`;

export const IAM_ADVICE: Readonly<Record<IamCauseId, Adviser>> = {
  'subject-mismatch': ({ roleName, namespace, serviceAccount }) => ({
    why: `${SAME_TEXT}. Most often no statement of the trust policy lets this ServiceAccount in: its :sub is another namespace or name, has a * under StringEquals, or its Federated names another cluster's provider`,
    check: `${trustPolicyOf(roleName)}; its :sub must match system:serviceaccount:${namespace}:${serviceAccount}, its Federated and condition keys the issuer of: kubectl get --raw /.well-known/openid-configuration`,
    fix: `write "system:serviceaccount:${namespace}:${serviceAccount}" as :sub (under StringLike where it has a *), then: ${updateTrustPolicy(roleName)}`,
  }),
  'audience-mismatch': ({ roleName, namespace }) => ({
    why: 'the aud of the token is not the one that the :aud condition of the trust policy demands; a provider that does not know the audience says "Incorrect token audience" instead',
    check: `${trustPolicyOf(roleName)}; compare its :aud with: kubectl get pod POD -n ${namespace} -o jsonpath='{.spec.volumes[*].projected.sources[*].serviceAccountToken.audience}'`,
    fix: `use sts.amazonaws.com (in every partition) in both: remove the annotation eks.amazonaws.com/audience from the ServiceAccount or correct :aud, then: ${updateTrustPolicy(roleName)}`,
  }),
  'provider-missing': (mentioned) => ({
    why: 'the account of the role has no IAM OIDC provider for exactly this issuer; a role of another account needs the provider there too',
    check: `aws iam list-open-id-connect-providers, as account ${mentioned.accountId}; want ${providerArn(mentioned)}, byte for byte`,
    fix: `aws iam create-open-id-connect-provider --url https://${mentioned.issuer} --client-id-list sts.amazonaws.com`,
  }),
  'provider-audience': (mentioned) => ({
    why: "the client IDs of the IAM OIDC provider lack the token's audience; a mismatch with the trust policy alone would be AccessDenied",
    check: `aws iam get-open-id-connect-provider --open-id-connect-provider-arn ${providerArn(mentioned)} --query ClientIDList`,
    fix: `aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${providerArn(mentioned)} --client-id sts.amazonaws.com`,
  }),
  'issuer-keys-unreachable': ({ issuer }) => ({
    why: "STS cannot read the issuer's documents over public HTTPS, or the published keys lack the one that signed the token",
    check: `from outside of the cluster: curl -fsS https://${issuer}/.well-known/openid-configuration, then its jwks_uri; its keys must have every kid of: kubectl get --raw /openid/v1/jwks`,
    fix: 'publish what kubectl get --raw /openid/v1/jwks prints at the jwks_uri, readable without credentials; the issuer must be the same text everywhere. Where it is: try again, STS may have been late',
  }),
  thumbprint: (mentioned) => ({
    why: "the certificate of the issuer's server does not chain to a thumbprint of the IAM OIDC provider, nor to a CA that AWS trusts",
    check: `openssl s_client -showcerts -connect ${mentioned.issuer.replace(/\/.*/, '')}:443 </dev/null; the SHA-1 of the last certificate must be in: aws iam get-open-id-connect-provider --open-id-connect-provider-arn ${providerArn(mentioned)} --query ThumbprintList`,
    fix: `aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn ${providerArn(mentioned)} --thumbprint-list SHA1_OF_THE_CA`,
  }),
  'role-missing': ({ roleArn, roleName, namespace }) => ({
    why: `${SAME_TEXT}: the role may not exist, or have another path or account than the ARN says`,
    check: `aws iam get-role --role-name ${roleName} --query Role.Arn; NoSuchEntity means that there is none, otherwise it must be ${roleArn} to the letter`,
    fix: `create the role, or name the right one and create the pods again: kubectl annotate serviceaccount SERVICE_ACCOUNT -n ${namespace} --overwrite eks.amazonaws.com/role-arn=ARN`,
  }),
  'wrong-action': ({ roleName }) => ({
    why: 'the trust policy of the role allows another action: web identity needs sts:AssumeRoleWithWebIdentity, EKS Pod Identity needs sts:AssumeRole and sts:TagSession for pods.eks.amazonaws.com',
    check: `aws iam get-role --role-name ${roleName} --query 'Role.AssumeRolePolicyDocument.Statement[].[Principal,Action]'`,
    fix: `write "Action": "sts:AssumeRoleWithWebIdentity" beside the Federated principal, then: ${updateTrustPolicy(roleName)}`,
  }),
  'duration-too-long': ({ roleName }) => ({
    why: 'the program asks for a session longer than the role allows; sessions of chained roles last an hour at most',
    check: `aws iam get-role --role-name ${roleName} --query Role.MaxSessionDuration; compare with duration_seconds, DurationSeconds or AWS_ROLE_SESSION_DURATION of the program`,
    fix: `ask for a shorter session, or: aws iam update-role --role-name ${roleName} --max-session-duration 43200`,
  }),
  'session-name-invalid': ({ namespace }) => ({
    why: 'STS takes session names of 2 to 64 letters, digits and +=,.@-_, and the name that the program gives is none',
    check: `kubectl get pod POD -n ${namespace} -o jsonpath='{.spec.containers[*].env[?(@.name=="AWS_ROLE_SESSION_NAME")]}'`,
    fix: 'shorten AWS_ROLE_SESSION_NAME or role_session_name, or leave it out: SDKs make a valid one',
  }),
};
