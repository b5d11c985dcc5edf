// What SDKs and Kubernetes say before AWS is asked: files, agents, SDKs, webhooks. The first signature that fits counts.
import type { Signature } from './cause.ts';
import { IDENTITY_WEBHOOK } from './registration.ts';
import { AWS, FAILURE, FORBIDDEN, OTHER_CLOUD, THROTTLED } from './signatures-context.ts';

const TOKEN_FILE =
  /secrets\/(?:pods\.)?eks\.amazonaws\.com|web.?identity.?token(?!Cred)|aws-iam-token|eks-pod-identity-token|AWS_(?:WEB_IDENTITY|CONTAINER_AUTHORIZATION)_TOKEN_FILE|secrets\/(?=[^\s"']{0,40}aws)(?:(?!secrets)[^\s"']){0,60}token/i;
const AGENT =
  /169\.254\.170\.23|fd00:ec2::23|AssumeRoleForPodIdentity|eks-auth|EKS Auth\b|called agent through invalid|service account token (?:cannot be|failed basic)|pod.identity.(?:agent|association)|EKS does not have permissions to assume/i;
const FOREIGN_HOST =
  /(?:invalid|unsupported) (?:endpoint )?host|only loopback hosts|is not a valid container metadata|only supports|(?:URL|URI) not accepted|host (?:can only be|should resolve)|can only retrieve metadata from|not in the allowed/i;

export const POD_SIGNATURES: readonly Signature[] = [
  {
    has: [FOREIGN_HOST, /169\.254\.170\.23|fd00:ec2::23/i],
    // What names the agent's address among those that it takes knows the agent.
    unless: /(?:one of these hosts|one of the following)[^"]{0,200}169\.254\.170\.23/i,
    causes: ['sdk-too-old'],
  },
  {
    has: [
      /unsupported host|invalid (?:endpoint )?host\b|only loopback hosts|(?:URL|URI) not accepted|is not a valid container metadata|can only retrieve metadata from|host (?:can only be|should resolve)/i,
      /container|credential/i,
      /169\.254\.170\.2\b|AWS_CONTAINER|loopback/i,
    ],
    unless: /AssumeRoleWithWebIdentity/,
    causes: ['pod-identity-agent'],
    why: 'AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that SDKs do not take over plain HTTP: only loopback, 169.254.170.2, 169.254.170.23 and [fd00:ec2::23]',
  },
  {
    has: [
      /sts'?"? (?:service )?module must be on the class ?path|StsWebIdentityCredentialsProviderFactory|aws-java-sdk-sts|software\.amazon\.awssdk:sts|AWSSDK\.SecurityToken could not be found|cannot load such file[^"]{0,60}web_identity/i,
    ],
    causes: ['sdk-too-old'],
  },
  {
    has: [
      /ClassNotFound|NoClassDefFound/,
      /(?:awssdk|amazonaws)[\w./]{0,80}(?:\bsts\b|securitytoken|WebIdentityToken)|AWSSDK\.SecurityToken/i,
    ],
    causes: ['sdk-too-old'],
  },
  {
    has: [/source_profile|credential_source/i, /assume.role|role_arn/i, /\b(?:requires?|missing)\b/i],
    causes: ['sdk-too-old'],
    why: 'the SDK does not know web_identity_token_file and looks for another source of the role’s credentials: it is older than web identity',
  },
  {
    has: [
      /MountVolume\.SetUp failed|FailedMount|Unable to attach or mount volumes/i,
      /aws-iam-token|eks-pod-identity-token/,
    ],
    causes: ['token-file-missing'],
    why: 'the kubelet cannot get the token, so that the volume is not mounted and the pod does not start: the ServiceAccount is gone, or the API server issues no such token',
  },
  {
    has: [
      /MountVolume\.SetUp failed|FailedMount/i,
      IDENTITY_WEBHOOK,
      /(?:secret|configmap)s? \\?"?[\w/.-]{1,253}\\?"? not found/i,
    ],
    unless: OTHER_CLOUD,
    causes: ['webhook-down'],
    why: 'the webhook does not start: its volume wants a Secret that is not there, the one of its serving certificate',
  },
  {
    has: [/\bWebIdentityToken\b/i, /value: 0, valid min length|minimum field size of 4\b|Found bool\(false\)/i],
    causes: ['token-file-missing', 'token-file-permission'],
    why: 'the program sent an empty token: the token file is empty, not there, or may not be read',
  },
  {
    has: [/web.?identity.?token/i, /\bopen ?(?:''|"")? ?: no such file/i],
    causes: ['pod-not-mutated', 'token-file-missing'],
    why: 'AWS_WEB_IDENTITY_TOKEN_FILE is empty, so that the program opens a file without a name: the webhook did not change this pod',
  },
  { has: [TOKEN_FILE, FORBIDDEN], causes: ['token-file-permission'] },
  {
    has: [
      TOKEN_FILE,
      /ENOENT|no such file|NoSuchFile|FileNotFound|errno 2\b|os error 2\b|kind: NotFound|could not find (?:a part of the path|file)|cannot find the (?:path|file)|\bEISDIR\b|is a directory|(?:file|path)\b[^\s"]{0,3} (?:\S{1,100} )?(?:does not exist|doesn'?t exist|not found|is empty)|ENOTDIR/i,
    ],
    causes: ['token-file-missing'],
  },
  {
    has: [
      TOKEN_FILE,
      /(?:unable|failed|could not|couldn'?t|cannot|can'?t|error) (?:to )?(?:read|open|load|locate)|(?:failed|error) (?:reading|opening|loading)/i,
    ],
    unless: /not authorized|AccessDenied|in the chain|InvalidIdentityToken|ExpiredToken/i,
    causes: ['token-file-missing', 'token-file-permission'],
  },
  {
    has: [/failed fetching WebIdentity token|MissingWebIdentityTokenFile/],
    unless: /not authorized|AccessDenied/i,
    causes: ['token-file-missing', 'token-file-permission'],
  },
  {
    has: [/container metadata service|from container metadata:/i],
    unless: /not a valid container metadata|in the chain/i,
    causes: ['pod-identity-agent'],
  },
  {
    has: [/EKS does not have permissions to assume/i],
    causes: ['pod-identity-agent', 'wrong-action'],
    why: 'EKS may not assume the role of the association: its trust policy must allow pods.eks.amazonaws.com both sts:AssumeRole and sts:TagSession',
  },
  {
    has: [AGENT, THROTTLED],
    causes: ['throttled', 'pod-identity-agent'],
    why: 'the agent of EKS Pod Identity is throttled: it asks EKS Auth for each client that keeps no credentials, and many start at once',
  },
  { has: [AGENT, FAILURE], unless: /failed calling webhook/, causes: ['pod-identity-agent'] },
  {
    has: [
      /(?:container|ContainerCredentials|HttpProvider|EcsContainer|ContainerProvider|EndpointCredentials|CredentialsEndpoint|container-role)/,
      /error retrieving metadata|Non-success status from HTTP credential provider|retrieving credentials from container|failed to load credentials|CredentialsEndpointError|Error occurred when retrieving credentials|ECONNREFUSED|EHOSTUNREACH/i,
      AWS,
    ],
    unless:
      /neither AWS_CONTAINER|IMDS|Instance ?Profile|environment variables? (?:is|are) not set|MetadataService|in chain|AssumeRoleWithWebIdentity/i,
    causes: ['pod-identity-agent'],
  },
  { has: [/expected webhook response of admission\.k8s\.io/i], causes: ['webhook-down'] },
  {
    has: [
      /fail(?:ed|ing)? (?:to )?call(?:ing)? (?:the )?(?:admission )?webhook|error (?:calling|trying to reach) (?:the )?webhook|no endpoints available for service|failed to (?:connect|dial)[^"]{0,100}mutate|service \\?"?[\w.-]{1,253}\\?"? not found/i,
      IDENTITY_WEBHOOK,
    ],
    unless: OTHER_CLOUD,
    causes: ['webhook-down'],
  },
  {
    has: [/no serving certificate available for the webhook/i],
    causes: ['webhook-down'],
    why: 'the webhook has no certificate to serve with, so that the API server cannot ask it: its request for one was not approved, or its Secret is empty',
  },
  {
    has: [/TLS handshake error from/i, /bad certificate|unknown certificate/i],
    causes: ['webhook-down'],
    why: 'the API server does not trust the certificate of the webhook: the caBundle of the webhook configuration is not the CA that issued it',
  },
  {
    has: [/demands an AWS identity, and it would get none/],
    causes: ['pod-not-mutated'],
    why: 'the webhook refused the pod, because its label demands an identity that its ServiceAccount does not give; the message names the reason and what to do',
  },
];
