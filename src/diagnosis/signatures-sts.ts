// What STS and IAM say, as the SDKs hand it on. The words are AWS's own; the first signature that fits counts.
import type { Signature } from './cause.ts';
import { AWS, STS, THROTTLED } from './signatures-context.ts';

const WEB_IDENTITY = /AssumeRoleWithWebIdentity|WebIdentityErr|web.?identity/i;
// A call to another service, as SDKs and Kubernetes' own code for AWS name it.
const OTHER_SERVICE =
  /operation error (?!STS|EKS Auth)[\w ]{2,60}:|\(Service: (?!Sts|AWSSecurityToken)\w|when calling the (?!AssumeRole|GetCallerIdentity)\w{1,60} operation|\b[a-z][a-z0-9]{1,30}::[A-Z][a-z]|error \w{3,20}ing AWS [a-z]|(?:failed to|cannot|could not|unable to) (?:list|describe|autodiscover|create|delete|update|change) (?!\w{0,20} ?(?:session|credential|token))(?:[\w-]{1,20} ){0,2}[\w-]{1,20}: (?:Throttling|RequestLimitExceeded)/;

/** What is wrong is which file is read, not whom it is for. */
const OTHER_TOKEN = {
  check:
    'kubectl exec POD -n NAMESPACE -- printenv AWS_WEB_IDENTITY_TOKEN_FILE\n# want the file of a token that is projected for STS, and not another one',
  fix: 'kubectl set env deployment NAME -n NAMESPACE AWS_WEB_IDENTITY_TOKEN_FILE-\n# the webhook then sets it to a token for STS',
};

export const STS_SIGNATURES: readonly Signature[] = [
  { has: [/configured thumbprint/i], causes: ['thumbprint'] },
  {
    has: [/thumbprint/i, /(?:doesn'?t|does not|not|mis-?) ?match|invalid/i, /open-?id|oidc/i, AWS],
    causes: ['thumbprint'],
  },
  { has: [/No ?OpenID ?Connect ?provider (?:was )?found/i], causes: ['provider-missing'] },
  {
    has: [
      /open-?id-?connect.?provider/i,
      /NoSuchEntity|provider(?: "?[^\s"]{1,200}"?)? (?:was )?(?:not found|cannot be found|does not exist)/i,
    ],
    unless: /AccessDenied/,
    causes: ['provider-missing'],
  },
  { has: [/incorrect (?:token )?audience/i], causes: ['provider-audience', 'audience-mismatch'] },
  {
    has: [/missing a required claim:? ?'?(?:aud|sub|iat|exp)/i],
    // What Cognito says of the tokens that people log in with.
    unless: /invalid login token/i,
    causes: ['audience-mismatch'],
    why: 'the token lacks a claim that STS demands: it is the token of a Secret, or one for the API server, not one that is projected with an audience',
    ...OTHER_TOKEN,
  },
  {
    has: [
      /could(?:n'?t| not) retrieve (?:the )?verification key|IDPCommunicationError|identity provider[^"]{0,60} (?:unreachable|could not be reached)/i,
    ],
    causes: ['issuer-keys-unreachable'],
  },
  {
    has: [
      /(?:security token included in the request|provided token|security token) (?:is|has) expired|\bRequestExpired\b/i,
    ],
    unless: WEB_IDENTITY,
    causes: ['token-expired', 'static-keys-win'],
    why: 'the session of the program has expired and was not renewed: the SDK kept credentials, or they stand as fixed values in AWS_SESSION_TOKEN',
  },
  {
    has: [/Signature expired: |Signature not yet current|RequestTimeTooSkewed/i],
    causes: ['token-expired'],
    why: 'the clock of the node and that of AWS differ, so that AWS takes the signature as one of another time',
  },
  {
    has: [
      /token expired: current date|token too old: [0-9]|ExpiredToken|ExpiredIdentityToken|(?:provided|security|identity) token[^"]{0,40} expired/i,
    ],
    causes: ['token-expired'],
  },
  // What any program may say of the tokens that its own users log in with.
  {
    has: [/clock ?skew|Signature has expired|token (?:is|has|was) expired|token expired|jwt (?:is )?expired/i, STS],
    causes: ['token-expired'],
  },
  {
    has: [
      /token[^.]{0,40}could not be validated|invalid (?:token )?signature|signature (?:verification failed|is invalid)/i,
      STS,
    ],
    unless: /\bSignatureDoesNotMatch\b/,
    causes: ['issuer-keys-unreachable', 'token-expired'],
    why: 'STS read the published keys, and none of them signed the token: the signing key was rotated without publishing it, or the token is of another cluster or out of date',
  },
  {
    has: [
      /not a valid jwt|malformed (?:jwt|token)|(?:jwt|token) (?:is )?malformed|webIdentityToken'? failed to satisfy|token[^"]{0,40} must (?:have|contain) (?:three|3)/i,
      STS,
    ],
    unless: /provided token is malformed/i,
    causes: ['token-file-missing'],
    why: 'what the token file holds is no token: it is empty, cut off, or another file',
    check:
      'kubectl exec POD -n NAMESPACE -- printenv AWS_WEB_IDENTITY_TOKEN_FILE\n# the file must begin with eyJ and hold one line',
    fix: 'kubectl delete pod POD -n NAMESPACE\n# where its owner creates it again, and nothing but the kubelet writes that file',
  },
  {
    has: [
      /DurationSeconds exceeds|MaxSessionDuration|1 hour session limit|durationSeconds'? failed to satisfy|parameter DurationSeconds, value|DurationSeconds must be|may not specify a duration (?:larger|longer|greater)/i,
    ],
    causes: ['duration-too-long'],
  },
  {
    has: [/role-?_?session-?_?name/i, /failed to satisfy|invalid|regular expression|length|constraint|must/i],
    unless: /Not authorized to perform|AccessDenied|in the chain|InvalidIdentityToken/i,
    causes: ['session-name-invalid'],
  },
  {
    has: [
      /roleArn'? failed to satisfy|parameter RoleArn, value|minimum field size of 20, AssumeRole\w{0,20}\.RoleArn|request arn is invalid|arn: (?:invalid prefix|not enough sections)|invalid role ?-?arn|\barn:aws[\w-]{0,20}:iam:[^\s:]{0,20}:[^\s:]{0,20}:?[^\s:]{0,150} is invalid|role ?arn[^.]{0,40} is (?:invalid|not valid|not a valid)/i,
    ],
    // Terraform's list of what may be wrong.
    unless: /possible causes of this/,
    causes: ['role-missing'],
    why: 'what stands in AWS_ROLE_ARN is not the ARN of a role: a blank, a missing part, or a name without arn:aws:iam::',
  },
  {
    has: [
      /\brole (?:with name |named )?\S{1,256} ?(?:cannot be found|does not exist|not found|doesn'?t exist)/i,
      /NoSuchEntity|arn:aws|GetRole|\bIAM\b/,
    ],
    // Databases have roles, too, and quote their names.
    unless: /\brole "[^"]{0,64}" does not exist|(?:cluster)?role\.rbac/i,
    causes: ['role-missing'],
  },
  {
    has: [/IDP ?Rejected ?Claim/i],
    causes: ['token-expired', 'audience-mismatch'],
    why: 'the identity provider rejects the token: it is out of date or revoked, or a claim of it is not what was agreed',
  },
  {
    has: [/RegionDisabled|is not activated in this region/i],
    causes: ['region-missing'],
    why: 'STS is switched off for the account in this region, or the region is not the one that was meant',
  },
  {
    has: [THROTTLED, OTHER_SERVICE],
    unless: STS,
    causes: ['unknown'],
    why: 'AWS throttles the calls to the service that the line names, not those to STS: the identity arrived and has no part in this. Make fewer calls, or ask for a higher quota',
  },
  {
    has: [
      THROTTLED,
      /\bThrottling(?:Exception)?\b|rate exceeded|TooManyRequestsException|RequestLimitExceeded|\baws|amazon|\bsts\b/i,
    ],
    unless: /client-side throttling|Throttling request|pull rate limit|\bdocker\b|api\.github\.com/i,
    causes: ['throttled'],
  },
  {
    has: [/explicit deny/i, /AssumeRoleWithWebIdentity/i],
    causes: ['subject-mismatch', 'audience-mismatch'],
    why: 'a policy denies sts:AssumeRoleWithWebIdentity by name: look for the Deny in the trust policy, in service and resource control policies and VPC endpoint policies',
  },
  {
    has: [/AssumeRoleWithWebIdentity/i, /not authorized|access ?denied|status ?code:? 403|\b403\b/i],
    unless: /InvalidIdentityToken|CONNECT: 403/,
    causes: ['subject-mismatch', 'audience-mismatch', 'role-missing', 'wrong-action'],
  },
  {
    has: [/web.?identity/i, /\bAccessDenied\b/],
    unless: /is not authorized to perform|java\.nio\.file/i,
    causes: ['subject-mismatch', 'audience-mismatch', 'role-missing', 'wrong-action'],
  },
  {
    has: [/InvalidIdentityToken/i],
    causes: ['provider-missing', 'provider-audience', 'issuer-keys-unreachable'],
    why: 'STS does not take the token, and the line does not say which of three reasons it gave; the most frequent is that the account of the role has no IAM OIDC provider for the issuer',
  },
];
