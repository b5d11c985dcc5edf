// With whose credentials a call was made, which region it went to, and whether it arrived. These texts are broader than
// those of STS and of the files, so they are asked after them.
import type { Signature } from './cause.ts';
import { AWS, UNREACHABLE } from './signatures-context.ts';

// What SDKs name the sessions of web identity by themselves, and what EKS names those of Pod Identity.
const CALLER = /assumed-role\/[^/\s"']{1,64}\/[^\s"',]/;
const NODE_ROLE =
  /assumed-role\/(?:[^/\s]{1,64}\/i-[0-9a-z]{8,17}\b|[^/\s]{0,64}(?:node-?_?(?:instance|group)?-?_?role|NodeInstance|nodegroup|node-group|-nodes?-|FargatePodExecution)[^/\s]{0,64}\/|nodes?\.[^/\s]{1,64}\/|[^/\s]{0,64}[-_.]nodes?\/)/i;
const STS_HOST = /https?:\/\/(?:vpce-[\w.-]{1,60}\.)?sts[.-]|\blookup sts|"host(?:name)?": ?"sts\./i;
const STS_CALL =
  /https?:\/\/sts[.-]|\bsts(?:-fips)?\.(?:[a-z0-9-]{1,25}\.){0,3}(?:amazonaws|aws|c2s|sgov)|lookup sts|operation error STS|calling the AssumeRoleWithWebIdentity|Service: (?:AWSSecurityTokenService|Sts)|assumed credentials via web identity|vpce-[\w.-]{1,60}sts|(?:Sts|SecurityTokenService)Client\.assumeRole/i;

const NO_PROFILE =
  'AWS_PROFILE or the program names a profile that is not there; JavaScript and Rust take a profile before the identity of the ServiceAccount';

export const NETWORK_SIGNATURES: readonly Signature[] = [
  {
    has: [
      /Found credentials from IAM Role|name=arn:aws[\w-]{0,20}:(?:iam|sts)::[0-9]{0,12}:(?:assumed-)?role\/[^\s,"]{0,100}NodeInstanceRole/i,
    ],
    causes: ['node-role-fallback', 'pod-not-mutated', 'sdk-too-old'],
  },
  {
    has: [/Found credentials in (?:environment variables|shared credentials file|config file)/i],
    causes: ['static-keys-win'],
  },
  { has: [NODE_ROLE], causes: ['node-role-fallback', 'pod-not-mutated', 'sdk-too-old'] },
  {
    has: [/arn:aws[\w-]{0,20}:iam::[^:\s]{0,20}:(?:user\/|root\b)/, /not authorized|denied|"?(?:Arn|UserId)"?:/i],
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
      /not authorized to perform:? sts:AssumeRole\b|\(AccessDenied\) when calling the AssumeRole operation|AssumeRole,[^"]{0,160}AccessDenied/i,
    ],
    causes: ['wrong-action', 'role-missing'],
    why: 'the program calls sts:AssumeRole, not sts:AssumeRoleWithWebIdentity: either it needs no further role and must not be told one, or the trust policy of the second role must allow the first',
  },
  {
    has: [/IAM Role \(arn:[^)\s]{1,160}\) cannot be assumed/i],
    unless: /InvalidClientTokenId|ExpiredToken|ValidationError|AssumeRoleWithWebIdentity/,
    causes: ['wrong-action', 'role-missing', 'static-keys-win'],
    why: 'the credentials that the program has may not assume the role, by its trust policy or by their own; which of the causes it is stands in the AWS error after this text',
  },
  {
    has: [CALLER, /not authorized|AccessDenied|UnauthorizedOperation/i],
    causes: ['unknown'],
    why: 'the identity arrived: the call was made with the role that the line names, and STS has no part in this. The permissions policy of that role lacks the action',
  },
  {
    has: [/UnauthorizedOperation/],
    causes: ['unknown'],
    why: 'EC2 refuses the action and does not say to whom: the identity may be right and its permissions policy lack the action, or the call was made with the role of the node',
  },
  {
    has: [
      /Credential should be scoped to a valid region|sts\.\.amazonaws|AuthorizationHeaderMalformed|region '[^']{0,40}' is wrong/i,
    ],
    causes: ['region-missing'],
  },
  {
    has: [/provided token is malformed or otherwise invalid/i],
    causes: ['static-keys-win', 'region-missing'],
    why: 'the service does not take the session: it is a fixed value in AWS_SESSION_TOKEN, or one of the global STS endpoint, which regions that are off by default refuse: set AWS_STS_REGIONAL_ENDPOINTS=regional',
  },
  {
    has: [
      /InvalidClientTokenId|security token included in the request is invalid|InvalidAccessKeyId|Access ?Key ?Id you provided|UnrecognizedClient|SignatureDoesNotMatch|not able to validate the provided access credentials|\bAuthFailure\b|partial credentials|static credentials are empty|multiple credential sources/i,
    ],
    causes: ['static-keys-win'],
  },
  {
    has: [
      /config profile [^:]{1,130}could not be found|ProfileNotFound|failed to (?:get|load) shared config profile|resolve credentials using profile:? ?\[|(?:could not find|load) profile:? ?\[/i,
    ],
    unless: /in the chain|in chain/i,
    causes: ['static-keys-win'],
    why: NO_PROFILE,
  },
  {
    has: [/\bprofile [^:]{1,100}(?:was not found|could not be found|not found in)/i, AWS],
    unless: /in the chain|in chain/i,
    causes: ['static-keys-win'],
    why: NO_PROFILE,
  },
  {
    has: [
      /endpoint rule error[^"]{0,60}missing region|failed to resolve service endpoint[^"]{0,60}region is required|sts\.(?:undefined|null|none)\.|could not resolve endpoint, partition: "?\w{0,20}"?, service: "?\w{0,20}"?, region: ""/i,
    ],
    causes: ['region-missing'],
  },
  { has: [STS_HOST, UNREACHABLE], causes: ['network-to-sts'] },
  { has: [STS_CALL, UNREACHABLE], unless: /169\.254\.169\.254|ec2imds/, causes: ['network-to-sts'] },
  {
    has: [/"host(?:name)?": ?"sts[^"]{1,99}"/, /"retryable": ?true/],
    unless: /"statusCode"/i,
    causes: ['network-to-sts', 'throttled'],
    why: 'STS was called and gave no answer: an error that may be tried again and has no status is one of the network',
  },
  {
    has: [
      /WebIdentityErr|AssumeRoleWithWebIdentity/,
      /failed to unmarshal|UnmarshalError|SerializationError|deserialization failed|invalid character '<'|not well-formed|unable to parse response/i,
    ],
    causes: ['network-to-sts'],
    why: 'what answered is not STS: a proxy, a captive portal, or an endpoint of another service that AWS_ENDPOINT_URL or the program names for all',
  },
  {
    has: [/\[aws_credentials\] STS assume role request failed/i],
    unless: /AccessDenied|InvalidIdentityToken|ExpiredToken/,
    causes: ['network-to-sts', 'subject-mismatch', 'region-missing', 'throttled'],
    why: 'Fluent Bit got no session from STS and does not log the answer: most often STS was not reached; the lines before this one say more at log_level debug',
  },
  {
    has: [/get credentials: (?:request cancell?ed|cancell?ed|context (?:cancell?ed|deadline exceeded))/i],
    causes: ['network-to-sts', 'pod-not-mutated', 'pod-identity-agent'],
    why: 'the program gave up before it had credentials: whom it asks for them, STS where the pod has a token, does not answer in time',
  },
];
