// Words that several signatures share: who speaks, and what kind of trouble it is. Each is read in one pass.

/** AWS or its identities are spoken of: what any program may say counts only beside this. */
export const AWS: RegExp =
  /\baws|amazon|\bsts\b|\beks\b|\bec2\b|\birsa\b|\bboto|assume-?_?role|web.?identity|\bs3a?\b|\becs|container-role|\biam\b|\bIdentityToken/i;

/** STS itself, or the call for a web identity. */
export const STS: RegExp =
  /\bsts\b|securitytoken|assume-?_?role|web.?identity|InvalidIdentityToken|GetCallerIdentity|EKS Auth\b/i;

/** Other clouds have identities of pods and metadata at the same address, too. */
export const OTHER_CLOUD: RegExp =
  /azure|\baad-|ManagedIdentity|metadata\/identity|google|computeMetadata|alibaba|aliyun|tencent/i;

export const UNREACHABLE: RegExp =
  /no such host|time-?d? ?-?out|timeout|deadline exceeded|connection ?refused|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|connection (?:reset|was closed)|broken connection|server misbehaving|temporarily unavailable|": Forbidden\b|remote error: tls|: EOF\b|(?:could not|couldn'?t|cannot|unable to|failed to) (?:connect|resolve|reach|send|open)|NetworkingError|Endpoint ?Connection|ConnectTimeout|UnknownHost|getaddrinfo|name (?:or service )?not known|name resolution|unreachable|x509|certificate|PKIX|\bSSL|TLS handshake|dispatch failure|proxyconnect|CONNECT: 403|cURL error|Unable to execute HTTP request|send request failed|no route to host/i;

export const FORBIDDEN: RegExp =
  /permission ?denied|EACCES|errno 13\b|os error 13\b|access is denied|access to the path|nio\.file\.AccessDenied|UnauthorizedAccess|operation not permitted|\bEPERM\b/i;

export const FAILURE: RegExp =
  /error|fail|exception|denied|unauthori[sz]ed|refused|time-?d? ?-?out|deadline|cancell?ed|invalid|unable|cannot|no (?:active )?pod.identity|not found|unreachable|\bwarn/i;

export const THROTTLED: RegExp =
  /\bThrottl(?:ing|ed)|rate exceeded|TooManyRequestsException|RequestLimitExceeded|\bSlowDown\b|too many requests|status ?code:? 429/i;
