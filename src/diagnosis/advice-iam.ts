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

// Each check and fix is one line that a shell takes as it is. What is to be read beside the command stands on the line
// below, behind a # and without a character that means something to zsh, which takes no comments where people type.
export const IAM_ADVICE: Readonly<Record<IamCauseId, Adviser>> = {
  'subject-mismatch': ({ roleName, namespace, serviceAccount }) => ({
    why: `${SAME_TEXT}. Most often no statement of the trust policy lets this ServiceAccount in: its :sub is another namespace or name, has a * under StringEquals, or its Federated names another cluster's provider`,
    check: `${trustPolicyOf(roleName)}; kubectl get --raw /.well-known/openid-configuration\n# :sub must match system:serviceaccount:${namespace}:${serviceAccount}, Federated and the condition keys the issuer`,
    fix: `${updateTrustPolicy(roleName)}\n# with system:serviceaccount:${namespace}:${serviceAccount} as :sub, under StringLike where it has an asterisk`,
  }),
  'audience-mismatch': ({ roleName, namespace, serviceAccount }) => ({
    why: 'the aud of the token is not the one that the :aud condition of the trust policy demands; a provider that does not know the audience says "Incorrect token audience" instead',
    check: `${trustPolicyOf(roleName)}; kubectl get pod POD -n ${namespace} -o jsonpath='{.spec.volumes[*].projected.sources[*].serviceAccountToken.audience}'\n# :aud must be that audience`,
    fix: `kubectl annotate serviceaccount ${serviceAccount} -n ${namespace} eks.amazonaws.com/audience-\n# sts.amazonaws.com is right in every partition, or correct :aud instead by ${updateTrustPolicy(roleName)}`,
  }),
  'provider-missing': (mentioned) => ({
    why: 'the account of the role has no IAM OIDC provider for exactly this issuer; a role of another account needs the provider there too',
    check: `aws iam list-open-id-connect-providers; kubectl get --raw /.well-known/openid-configuration\n# as account ${mentioned.accountId}, want ${providerArn(mentioned)} byte for byte, and the issuer of the cluster`,
    fix: `aws iam create-open-id-connect-provider --url https://${mentioned.issuer} --client-id-list sts.amazonaws.com\n# where it is the issuer of your cluster`,
  }),
  'provider-audience': (mentioned) => ({
    why: "the client IDs of the IAM OIDC provider lack the token's audience; a mismatch with the trust policy alone would be AccessDenied",
    check: `aws iam get-open-id-connect-provider --open-id-connect-provider-arn ${providerArn(mentioned)} --query ClientIDList`,
    fix: `aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${providerArn(mentioned)} --client-id sts.amazonaws.com`,
  }),
  'issuer-keys-unreachable': ({ issuer }) => ({
    why: "STS cannot read the issuer's documents over public HTTPS, or the published keys lack the one that signed the token",
    check: `curl -fsS https://${issuer}/.well-known/openid-configuration; kubectl get --raw /openid/v1/jwks\n# from outside of the cluster, what its jwks_uri gives must have every kid of the second`,
    fix: 'kubectl get --raw /openid/v1/jwks > jwks.json\n# publish it at the jwks_uri, readable without credentials, the issuer must be the same text everywhere. Where it is, try again, STS may have been late',
  }),
  thumbprint: (mentioned) => ({
    why: "the certificate of the issuer's server does not chain to a thumbprint of the IAM OIDC provider, nor to a CA that AWS trusts",
    check: `openssl s_client -showcerts -connect ${mentioned.issuer.replace(/[:/].*/, '')}:443 </dev/null; aws iam get-open-id-connect-provider --open-id-connect-provider-arn ${providerArn(mentioned)} --query ThumbprintList\n# the SHA-1 of the last certificate must be in the list`,
    fix: `aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn ${providerArn(mentioned)} --thumbprint-list SHA1_OF_THE_CA`,
  }),
  'role-missing': ({ roleArn, roleName, namespace, serviceAccount }) => ({
    why: `${SAME_TEXT}: the role may not exist, or have another path or account than the ARN says`,
    check: `aws iam get-role --role-name ${roleName} --query Role.Arn\n# NoSuchEntity means that there is none, otherwise it must be ${roleArn} to the letter`,
    fix: `kubectl annotate serviceaccount ${serviceAccount} -n ${namespace} --overwrite eks.amazonaws.com/role-arn=ARN\n# the role that exists, or create this one, then create the pods again`,
  }),
  'wrong-action': ({ roleName }) => ({
    why: 'the trust policy of the role allows another action: web identity needs sts:AssumeRoleWithWebIdentity, EKS Pod Identity needs sts:AssumeRole and sts:TagSession for pods.eks.amazonaws.com',
    check: `aws iam get-role --role-name ${roleName} --query 'Role.AssumeRolePolicyDocument.Statement[].[Principal,Action]'`,
    fix: `${updateTrustPolicy(roleName)}\n# with sts:AssumeRoleWithWebIdentity as Action beside the Federated principal`,
  }),
  'duration-too-long': ({ roleName }) => ({
    why: 'the program asks for a session longer than the role allows; sessions of chained roles last an hour at most',
    check: `aws iam get-role --role-name ${roleName} --query Role.MaxSessionDuration\n# compare with duration_seconds, DurationSeconds or AWS_ROLE_SESSION_DURATION of the program`,
    fix: `aws iam update-role --role-name ${roleName} --max-session-duration 43200\n# or ask for a shorter session, an hour where roles are chained`,
  }),
  'session-name-invalid': ({ namespace }) => ({
    why: 'STS takes session names of 2 to 64 letters, digits and +=,.@-_, and the name that the program gives is none',
    check: `kubectl get pod POD -n ${namespace} -o jsonpath='{.spec.containers[*].env[?(@.name=="AWS_ROLE_SESSION_NAME")]}'`,
    fix: `kubectl set env deployment NAME -n ${namespace} AWS_ROLE_SESSION_NAME-\n# SDKs make a valid one, or shorten it, or role_session_name of the program`,
  }),
};
