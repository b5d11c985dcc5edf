// With whose credentials a call was made, or that none, no region and no way to STS was found. These texts are broader
// than those of STS and of the files, so they are asked last.
import type { Signature } from './cause.ts';

// What SDKs name the sessions of web identity by themselves, and what EKS names those of Pod Identity.
const CALLER = /assumed-role\/[^/\s"']+\/[^\s"',]+/;
const NODE_ROLE =
  /assumed-role\/(?:[^/\s]+\/i-|[^/\s]*(?:node-?_?(?:instance|group)?-?_?role|NodeInstance|nodegroup|node-group|-nodes?-|FargatePodExecution)[^/\s]*\/|nodes?\.[^/\s]+\/|[^/\s]*[-_.]nodes?\/)/i;
const UNREACHABLE =
  /no such host|time-?d? ?-?out|timeout|deadline exceeded|connection ?refused|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|connection reset|broken connection|server misbehaving|temporarily unavailable|": Forbidden\b|remote error: tls|: EOF\b|(?:could not|couldn'?t|cannot|unable to|failed to) (?:connect|resolve|reach|send|open)|NetworkingError|Endpoint ?Connection|ConnectTimeout|UnknownHost|getaddrinfo|name (?:or service )?not known|name resolution|unreachable|x509|certificate|PKIX|SSL|TLS handshake|dispatch failure|proxyconnect|CONNECT: 403|cURL error|Unable to execute HTTP request|send request failed|no route to host/i;
const STS_CALL =
  /https?:\/\/sts[.-]|\bsts(?:-fips)?\.[a-z0-9.-]{0,99}(?:amazonaws|aws|c2s|sgov)|lookup sts|operation error STS|calling the AssumeRoleWithWebIdentity|Service: (?:AWSSecurityTokenService|Sts)|assumed credentials via web identity|vpce-[\w.-]*sts/i;

// What SDKs for Java list where they know no web identity: the whole chain, and it is not in it.
const OLD_JAVA_CHAIN = [
  /in the chain/i,
  /EnvironmentVariableCredentialsProvider/,
  /ProfileCredentialsProvider/,
  /EC2Container|InstanceProfile/,
];

export const CREDENTIAL_SIGNATURES: readonly Signature[] = [
  {
    has: [
      /Found credentials from IAM Role|name=arn:aws[\w-]*:(?:iam|sts)::[0-9]*:(?:assumed-)?role\/\S*NodeInstanceRole/i,
    ],
    causes: ['node-role-fallback', 'pod-not-mutated', 'sdk-too-old'],
  },
  {
    has: [/Found credentials in (?:environment variables|shared credentials file|config file)/i],
    causes: ['static-keys-win'],
  },
  { has: [NODE_ROLE], causes: ['node-role-fallback', 'pod-not-mutated', 'sdk-too-old'] },
  {
    has: [/arn:aws[\w-]*:iam::[0-9]*[^:]*:(?:user\/|root\b)/, /not authorized|denied|"?(?:Arn|UserId)"?:/i],
    causes: ['static-keys-win'],
    why: 'the call was made as an IAM user: keys in the environment or a profile beat the identity of the ServiceAccount',
  },
  {
    has: [/not authorized to perform:? sts:TagSession/i],
    causes: ['wrong-action'],
    why: 'the trust policy of the role lacks sts:TagSession, which EKS Pod Identity and chained sessions with tags need beside sts:AssumeRole',
  },
  {
    has: [
      /not authorized to perform:? sts:AssumeRole\b|\(AccessDenied\) when calling the AssumeRole operation|AssumeRole,.*AccessDenied/i,
    ],
    causes: ['wrong-action', 'role-missing'],
    why: 'the program calls sts:AssumeRole, not sts:AssumeRoleWithWebIdentity: either it needs no further role and must not be told one, or the trust policy of the second role must allow the first',
  },
  {
    has: [CALLER, /not authorized|AccessDenied|UnauthorizedOperation/i],
    causes: ['unknown'],
    why: 'the identity arrived: the call was made with the role that the line names, and STS has no part in this. The permissions policy of that role lacks the action',
  },
  {
    has: [
      /Credential should be scoped to a valid region|sts\.\.amazonaws|AuthorizationHeaderMalformed|region '[^']*' is wrong/i,
    ],
    causes: ['region-missing'],
  },
  {
    has: [
      /InvalidClientTokenId|security token included in the request is invalid|InvalidAccessKeyId|Access ?Key ?Id you provided|UnrecognizedClient|SignatureDoesNotMatch|not able to validate the provided access credentials|\bAuthFailure\b|partial credentials|static credentials are empty|multiple credential sources/i,
    ],
    causes: ['static-keys-win'],
  },
  {
    has: [
      /config profile .*could not be found|ProfileNotFound|failed to (?:get|load) shared config profile|(?:resolve credentials using|could not find|load) profile:? ?\[|profile .*(?:was not found|could not be found|not found in)/i,
    ],
    unless: /in the chain|in chain/i,
    causes: ['static-keys-win'],
    why: 'AWS_PROFILE or the program names a profile that is not there; JavaScript and Rust take a profile before the identity of the ServiceAccount',
  },
  {
    has: [
      /endpoint rule error.*missing region|failed to resolve service endpoint.*region is required|sts\.(?:undefined|null|none)\./i,
    ],
    causes: ['region-missing'],
  },
  { has: [STS_CALL, UNREACHABLE], unless: /169\.254\.169\.254/, causes: ['network-to-sts'] },
  {
    has: [/\[aws_credentials\] STS assume role request failed/i],
    unless: /AccessDenied|InvalidIdentityToken|ExpiredToken/,
    causes: ['network-to-sts', 'subject-mismatch', 'throttled'],
    why: 'Fluent Bit got no session from STS and does not log the answer: most often STS was not reached; the lines before this one say more at log_level debug',
  },
  {
    has: [
      /region is missing|missing region|specify a region|NoRegion|MissingRegion|could not find region|find a region|load region|region (?:is|was|must be) ?(?:not )?(?:required|set|found|configured)|region is required|no region(?:endpoint)? ?(?:was |is )?(?:set|found|configured|provided|or)|missing keyword:? :?region|invalid (?:aws )?region|InvalidRegionError|client configuration options:? ?"?region|A region must be set|\bregion"? not set/i,
    ],
    causes: ['region-missing'],
  },
  {
    has: [
      /no role ARN configured|role ARN is not set|AWS_ROLE_ARN (?:environment variable )?(?:must be|is not|not) set|token file path is not set|value for roleArn and webIdentityTokenFile|(?:only|both) .{0,200}AWS_ROLE_ARN.{0,200}AWS_WEB_IDENTITY_TOKEN_FILE|web_identity_token_file.*role_arn/i,
    ],
    unless: /in the chain|in chain/i,
    causes: ['pod-not-mutated'],
    why: 'only one of AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE is set: somebody set it by hand, and the webhook did not add the other',
  },
  {
    has: [/WebIdentityErr: failed to retrieve credentials|AssumeRoleWithWebIdentity.*StatusCode: 400/i],
    causes: ['subject-mismatch', 'provider-missing', 'provider-audience', 'role-missing', 'token-expired'],
    why: 'STS was asked and refused, and the line does not say why: the line after it does, which begins with "caused by" or "api error". Most often the trust policy does not let the ServiceAccount in',
  },
  {
    has: [/IAM role must be associated with service account/i],
    causes: ['pod-not-mutated'],
    why: 'the ServiceAccount that the line names has no annotation eks.amazonaws.com/role-arn, which this driver reads by itself',
  },
  { has: OLD_JAVA_CHAIN, unless: /WebIdentity/, causes: ['sdk-too-old', 'pod-not-mutated'] },
  {
    has: [
      /(?:load|locate|retrieve|find|resolve|obtain|get) (?:any )?(?:valid )?(?:AWS |IAM |STS )?(?:security )?credentials?|NoCredential|no valid (?:credential|providers)|no (?:AWS )?credentials? (?:found|provider|were|was|available|could)|any credential sources|Missing ?Credentials|missing credentials in config|CredentialsNotLoaded|Credentials ?Provider ?(?:Error|Exception)|without credentials set|no providers? in chain|credential provider was not enabled|No EC2 IMDS role|ec2imds|EC2MetadataError|EC2RoleRequest|IMDS|instance (?:profile )?metadata|169\.254\.169\.254|EC2 Metadata \w+ request returned|Credential is missing|EC2 metadata service|EC2ResourceFetcher|establish security credentials|Failed to check IAM role name|load IAM role name|AWS_WEB_IDENTITY_TOKEN_FILE or the java ?property|Token file must be specified|returned no credentials|credentials?.{0,20}(?:not found|could not be (?:loaded|found|resolved))|credentials? in the environment|get credentials/i,
    ],
    unless: /no basic auth credentials/i,
    causes: ['pod-not-mutated', 'sdk-too-old', 'webhook-down'],
  },
];
