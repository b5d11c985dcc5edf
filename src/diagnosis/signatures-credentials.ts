// That no region or no credentials were found: what a chain of providers sums up at its end. These texts are the
// broadest, so they are asked last; what any program may say counts only where AWS is spoken of.
import type { Signature } from './cause.ts';
import { AWS, OTHER_CLOUD } from './signatures-context.ts';

const REFUSED =
  'STS was asked and refused, and the line does not say why: the line after it does, which begins with "caused by" or "api error". Most often the trust policy does not let the ServiceAccount in';

export const CREDENTIAL_SIGNATURES: readonly Signature[] = [
  {
    has: [
      /region is missing|missing region|specify a region|NoRegion|MissingRegion|could not find region|find a region via|load region from|missing keyword:? :?region|InvalidRegionError|client configuration options:? ?"?region|A region must be set|configuration: "?region"? not set|(?:missing|required)[^"]{0,20}AWS_(?:DEFAULT_)?REGION|introspect region|Error retrieving region|(?:get|determine|detect|find|retrieve) (?:the )?AWS region/i,
    ],
    causes: ['region-missing'],
  },
  {
    has: [
      /region (?:is|was|must be) ?(?:not )?(?:required|set|found|configured)|no region(?:endpoint)? ?(?:was |is )?(?:set|found|configured|provided|or)|invalid (?:aws )?region/i,
      AWS,
    ],
    causes: ['region-missing'],
  },
  {
    has: [
      /no role ARN configured|role ARN is not set|AWS_ROLE_ARN (?:environment variable )?(?:must be|is not|not) set|(?:missing|required)[^"]{0,20}AWS_(?:ROLE_ARN|WEB_IDENTITY_TOKEN_FILE)|token file path is not set|value for roleArn and webIdentityTokenFile|(?:only|both) [^.]{0,60}AWS_ROLE_ARN[^.]{0,60}AWS_WEB_IDENTITY_TOKEN_FILE|web_identity_token_file[^.]{0,60}role_arn/i,
    ],
    unless: /in the chain|in chain/i,
    causes: ['pod-not-mutated'],
    why: 'only one of AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE is set: somebody set it by hand, and the webhook did not add the other',
  },
  {
    has: [/WebIdentityErr: failed to retrieve credentials/i],
    causes: ['subject-mismatch', 'provider-missing', 'provider-audience', 'role-missing', 'token-expired'],
    why: REFUSED,
  },
  {
    has: [/AssumeRoleWithWebIdentity/i, /StatusCode: 400/i],
    causes: ['subject-mismatch', 'provider-missing', 'provider-audience', 'role-missing', 'token-expired'],
    why: REFUSED,
  },
  {
    has: [/IAM role must be associated with service account/i],
    causes: ['pod-not-mutated'],
    why: 'the ServiceAccount that the line names has no annotation eks.amazonaws.com/role-arn, which this driver reads by itself',
  },
  {
    has: [/\b(?:VPC ?ID|vpcID|mac) (?:from|through|metadata)|introspect vpc/i, /metadata/i],
    unless: /credential/i,
    causes: ['unknown'],
    why: 'the controller asks the metadata of the instance for its VPC, not for credentials, and pods may not reach it: give it --aws-vpc-id and --aws-region. The identity has no part in this',
  },
  {
    // What SDKs for Java list where they know no web identity: the whole chain, and it is not in it.
    has: [
      /in the chain|AWSCredentialsProviderChain/i,
      /EnvironmentVariableCredentialsProvider/,
      /ProfileCredentialsProvider/,
      /EC2Container|InstanceProfile/,
    ],
    unless: /WebIdentity/,
    causes: ['sdk-too-old', 'pod-not-mutated'],
  },
  {
    has: [/NoAuthWithAWSException|No AWS Credentials provided by/i],
    unless: /WebIdentity|DefaultCredentialsProvider|DefaultAWSCredentialsProviderChain/,
    causes: ['sdk-too-old', 'pod-not-mutated'],
    why: 'none of the providers that s3a asks knows web identity: name the one of its SDK in fs.s3a.aws.credentials.provider, WebIdentityTokenFileCredentialsProvider for version 2 and WebIdentityTokenCredentialsProvider for version 1',
  },
  {
    has: [
      /\bAWS_?ACCESS_?KEY_?ID['"]? (?:(?:is|was) )?(?:not (?:found|set|provided)|missing|required|doesn'?t exist|does not exist)/i,
    ],
    causes: ['pod-not-mutated', 'static-keys-win'],
    why: 'the program asks for access keys of its own: tell it to take the identity of its pod instead (KEDA: podIdentity with provider aws, or identityOwner: operator), and see that the pod has one',
  },
  {
    has: [
      /NoCredential|no valid providers|locate credentials|credentials from any providers?|any provider in the chain|any of the providers in the chain|no valid credential sources|any credential sources|Missing ?Credentials|missing credentials in config|CredentialsNotLoaded|Credentials? ?Provider ?(?:Error|Exception)|without credentials set|no providers? in chain|(?:credentials|identity) could be (?:loaded|resolved) from the chain|credential provider was not enabled|No EC2 IMDS role|ec2imds|EC2MetadataError|EC2RoleRequest|169\.254\.169\.254(?!\/(?:metadata|computeMetadata))|EC2 Metadata \w{1,30} request returned|Credential is missing|EC2 metadata service|EC2ResourceFetcher|establish security credentials|Failed to check IAM role name|load IAM role name|AWS_WEB_IDENTITY_TOKEN_FILE or the java ?property|Token file must be specified|returned no credentials|No signing credentials|bad AWS credentials|IAM role associated with this instance|AWS_AUTH_CREDENTIALS_PROVIDER|credentials could not be sourced/i,
    ],
    unless: /no basic auth credentials|ManagedIdentity|metadata\.google|metadata\/identity/i,
    causes: ['pod-not-mutated', 'sdk-too-old', 'webhook-down'],
  },
  {
    has: [
      /(?:load|locate|retrieve|find|resolve|obtain|get) (?:any )?(?:valid )?(?:AWS |IAM |STS )?(?:IAM )?(?:security )?credentials?\b|no (?:valid )?(?:AWS )?credentials? (?:found|provider|were|was|available|could)|IMDS|instance (?:profile )?metadata|\bcredentials? (?:were |was )?(?:not found|could not be (?:loaded|found|resolved))|credentials? in the environment/i,
      AWS,
    ],
    unless: OTHER_CLOUD,
    causes: ['pod-not-mutated', 'sdk-too-old', 'webhook-down'],
  },
];
