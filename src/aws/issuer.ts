// The issuer's URL: what IAM demands of it, and the addresses that follow from it. It is compared byte for byte
// everywhere, so nothing here normalises it.
import { DISCOVERY_PATH } from './discovery.ts';
import { isBucketOfTwoLabels } from './s3-place.ts';

const SCHEME = 'https://';
/** IAM, CreateOpenIDConnectProvider: Url. */
const MAX_LENGTH = 255;
// Names that no public resolver knows, by RFC 6761, RFC 6762, RFC 8375 and Kubernetes' own DNS.
const PRIVATE_NAME = /(?:^|\.)(?:svc|local|localhost|internal|home\.arpa|invalid|test)$/i;

interface Rule {
  readonly isBroken: (issuer: string, url: URL) => boolean;
  readonly problem: string;
}

const RULES: readonly Rule[] = [
  {
    isBroken: (issuer) => issuer.length > MAX_LENGTH,
    problem: `it is longer than ${MAX_LENGTH} characters, which is all that IAM takes`,
  },
  {
    isBroken: (issuer) => /[^!-~]/.test(issuer),
    problem: 'it has blanks or characters that are not ASCII; write it exactly as --service-account-issuer has it',
  },
  {
    // URL drops the default port, and IAM refuses any.
    isBroken: (issuer) => /^https:\/\/[^/?#]*:[0-9]*(?:[/?#]|$)/.test(issuer),
    problem: 'it names a port, which IAM does not take: serve it on 443 and leave the port out',
  },
  { isBroken: (issuer) => issuer.includes('?'), problem: 'it has a query, which IAM does not take: use a path' },
  { isBroken: (issuer) => issuer.includes('#'), problem: 'it has a fragment, which is no part of an address' },
  {
    // URL resolves them, also percent-encoded and behind a backslash.
    isBroken: (issuer) => /[/\\](?:\.|%2e){1,2}(?:[/\\?#]|$)|\\/i.test(issuer),
    problem:
      'its path has dot segments or backslashes, for which IAM and STS fetch another address: write the path out',
  },
  { isBroken: (_, url) => url.username + url.password !== '', problem: 'it names a user: it must be open to anybody' },
];

/** What STS demands of any address. */
const HOST_RULES: readonly Rule[] = [
  {
    isBroken: (_, { hostname }) => /^[0-9.]+$|^\[/.test(hostname),
    problem: 'its host is an IP address: want a DNS name for which a public CA signs',
  },
  {
    isBroken: (_, { hostname }) => !hostname.includes('.') || PRIVATE_NAME.test(hostname),
    problem: 'its host is a name that only your network knows, and STS must reach it: want a public DNS name',
  },
];

/** Why IAM would refuse the URL or STS could not reach it, a sentence each; empty where it will do. */
export function issuerProblems(issuer: string): readonly string[] {
  return problemsOf(issuer, [...RULES, ...HOST_RULES]);
}

/** Why STS could not read what is at the address. */
export function addressProblems(address: string): readonly string[] {
  return problemsOf(address, HOST_RULES);
}

function problemsOf(address: string, rules: readonly Rule[]): readonly string[] {
  if (!address.startsWith(SCHEME) || !URL.canParse(address)) return ['it is no URL that begins with https://'];
  const url = new URL(address);
  return rules.filter(({ isBroken }) => isBroken(address, url)).map(({ problem }) => problem);
}

export interface IssuerWarning {
  readonly warning: string;
  readonly fix: string;
}

const BYTE_BY_BYTE = 'compare them byte by byte';

const DOUBTS: readonly (IssuerWarning & { readonly isThere: (issuer: string) => boolean })[] = [
  {
    isThere: (issuer) => issuer.endsWith('/'),
    warning: 'it ends in a slash, which then belongs to the issuer in tokens, IAM and trust policies alike',
    fix: BYTE_BY_BYTE,
  },
  {
    isThere: (issuer) => /^https:\/\/[^/]*[A-Z]/.test(issuer),
    warning: 'its host has capital letters, which then belong to it in tokens, IAM and trust policies alike',
    fix: BYTE_BY_BYTE,
  },
  {
    isThere: isBucketOfTwoLabels,
    warning: "its bucket's name has a dot, and S3's certificate does not fit such a host",
    fix: 'choose another name, or the form https://s3.REGION.amazonaws.com/BUCKET',
  },
];

/** What is often the mistake, of a URL without problems. */
export function issuerWarnings(issuer: string): readonly IssuerWarning[] {
  return DOUBTS.filter(({ isThere }) => isThere(issuer)).map(({ warning, fix }) => ({ warning, fix }));
}

/** Where the discovery document is (OpenID Connect Discovery 1.0 §4.1: a slash at the end of the issuer is dropped). */
export function discoveryUrlOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/${DISCOVERY_PATH}`;
}

/** Where the keys are, unless the cluster says otherwise: the API server's own path. */
export function jwksUriOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/openid/v1/jwks`;
}

/** Path below the issuer, without a slash in front; undefined where the address is elsewhere. */
export function pathBelow(issuer: string, address: string): string | undefined {
  const base = `${issuer.replace(/\/$/, '')}/`;
  const path = address.startsWith(base) ? address.slice(base.length) : '';
  // It becomes the path of a file: nothing may lead out of its directory.
  const isPlain = /^[\w.~-]+(?:\/[\w.~-]+)*$/.test(path) && !path.split('/').some((part) => /^\.{1,2}$/.test(part));
  return isPlain ? path : undefined;
}
