// What STS would find at an issuer: its URL, its certificate, its two documents. From what was fetched without
// credentials; nothing here fetches.
import type { Check } from './check.ts';
import { failed, passed, skipped, warned } from './check.ts';
import type { Discovery } from './discovery.ts';
import { parseDiscovery } from './discovery.ts';
import { addressProblems, issuerProblems, issuerWarnings } from './issuer.ts';
import type { Jwks } from './jwks.ts';
import { countProblems, parseJwks } from './jwks.ts';
import { publishCommand } from './publish-command.ts';
import { NO_VERIFICATION_KEY, WRONG_THUMBPRINT } from './sts-errors.ts';

/** How the server of a document proved who it is. */
export interface ServerProof {
  /** Why no client may trust it; undefined where it may. */
  readonly problem: string | undefined;
  /** Whether only a CA that was given vouches for it, and no public one. */
  readonly isPrivate: boolean;
  /** SHA-1 thumbprint of the last certificate that the server sends. */
  readonly thumbprint: string;
  /** Number of certificates that it sends. */
  readonly certificates: number;
  /** ISO 8601. */
  readonly notAfter: string;
}

/** One document as anybody gets it. */
export interface PublicDocument {
  readonly url: string;
  readonly proof: ServerProof;
  readonly status: number;
  readonly text: string;
}

/** Not even an answer. */
export interface NoAnswer {
  readonly url: string;
  readonly failure: string;
}

const PUBLIC_READ = 'let everybody read it: on S3 by a bucket policy, as ACLs and public access are blocked by default';

export function checkUrl(issuer: string): Check {
  const problems = issuerProblems(issuer);
  if (problems.length > 0) {
    const fix = 'choose another --service-account-issuer, and keep the old one as its second value for running tokens';
    return failed('issuer-url', `${issuer}: ${problems.join('; ')}`, { fix });
  }
  const warnings = issuerWarnings(issuer);
  if (warnings.length === 0) return passed('issuer-url', `${issuer} is a URL that IAM takes`);
  const fixes = [...new Set(warnings.map(({ fix }) => fix))];
  return warned('issuer-url', `${issuer}: ${warnings.map(({ warning }) => warning).join('; ')}`, fixes.join('; '));
}

/** `check` names the document whose server it is. */
export function checkProof(check: string, { url, proof }: Pick<PublicDocument, 'url' | 'proof'>): Check {
  const { problem, isPrivate, thumbprint, certificates, notAfter } = proof;
  const chain = `${certificates} certificate${certificates === 1 ? '' : 's'}, valid until ${notAfter}`;
  if (problem !== undefined) {
    const fix = 'serve a certificate of a public CA for that name, or give your own CA: --certificate-authority=FILE';
    return failed(check, `${url}: ${problem} (${chain})`, { fix, stsError: WRONG_THUMBPRINT });
  }
  if (!isPrivate) return passed(check, `${chain}, of a public CA: IAM needs no thumbprint`);
  const pin = `IAM needs the thumbprint of the last one: ${thumbprint}`;
  if (certificates > 1) return warned(check, `${chain}, of a CA of your own`, pin);
  const alone = 'the server sends its certificate alone, so that each renewal changes it: send the CA along';
  return warned(check, `${chain}, of a CA of your own`, `${pin}; ${alone}`);
}

export interface DiscoveryFound {
  readonly checks: readonly Check[];
  /** Undefined where there is none to go on with. */
  readonly discovery: Discovery | undefined;
}

export function checkDiscovery(issuer: string, document: PublicDocument): DiscoveryFound {
  const found = jsonOf('discovery', issuer, document);
  if ('refused' in found) return { checks: [found.refused], discovery: undefined };
  const discovery = parseDiscovery(found.value);
  if (discovery === undefined) {
    const fix = anew(issuer);
    const evidence = `${document.url} has no issuer or no jwks_uri`;
    return { checks: [failed('discovery', evidence, { fix, stsError: NO_VERIFICATION_KEY })], discovery };
  }
  const read = passed('discovery', `${document.url} is there for everybody`);
  return { checks: [read, checkIssuer(issuer, discovery), checkAddress(discovery)], discovery };
}

function checkIssuer(issuer: string, discovery: Discovery): Check {
  const both = `the document says ${JSON.stringify(discovery.issuer)}`;
  if (discovery.issuer === issuer) return passed('discovery-issuer', `${both}, as it must`);
  const fix = 'publish it for the issuer that is in the tokens, byte by byte, a slash at the end included';
  const evidence = `${both}, and the issuer is ${JSON.stringify(issuer)}`;
  return failed('discovery-issuer', evidence, { fix, stsError: NO_VERIFICATION_KEY });
}

function checkAddress({ jwksUri }: Discovery): Check {
  const problems = addressProblems(jwksUri);
  if (problems.length === 0) return passed('jwks-uri', `${jwksUri} is a public address`);
  const fix = 'publish the document with the public address of the keys, and give it as --service-account-jwks-uri';
  return failed('jwks-uri', `${jwksUri}: ${problems.join('; ')}`, { fix, stsError: NO_VERIFICATION_KEY });
}

export interface JwksFound {
  readonly checks: readonly Check[];
  readonly jwks: Jwks | undefined;
}

/** Without a document where discovery did not lead to one. */
export function checkJwks(issuer: string, document: PublicDocument | NoAnswer | undefined): JwksFound {
  if (document === undefined) {
    return { checks: [skipped('jwks', 'there is no discovery document that says where it is')], jwks: undefined };
  }
  if ('failure' in document) {
    const evidence = `${document.url} does not answer: ${document.failure}`;
    const fix = 'serve it where jwks_uri says';
    return { checks: [failed('jwks', evidence, { fix, stsError: NO_VERIFICATION_KEY })], jwks: undefined };
  }
  const found = jsonOf('jwks', issuer, document);
  if ('refused' in found) return { checks: [found.refused], jwks: undefined };
  const jwks = parseJwks(found.value);
  if (jwks === undefined) {
    const fix = anew(issuer);
    const evidence = `${document.url} is no JSON Web Key Set`;
    return { checks: [failed('jwks', evidence, { fix, stsError: NO_VERIFICATION_KEY })], jwks };
  }
  return { checks: keyChecks(document.url, jwks, anew(issuer)), jwks };
}

function keyChecks(url: string, { keys, unusable, leaked }: Jwks, fix: string): readonly Check[] {
  const problems = countProblems(keys);
  const stsError = NO_VERIFICATION_KEY;
  const count = `${url} is there for everybody, with ${keys.length} key${keys.length === 1 ? '' : 's'}`;
  return [
    problems.length === 0 ? passed('jwks', count) : failed('jwks', `${url}: ${problems.join('; ')}`, { fix, stsError }),
    ...(unusable.length === 0
      ? []
      : [warned('jwks-keys', unusable.join('; '), 'AWS passes over them: sign with RSA, P-256, P-384 or P-521')]),
    ...(leaked.length === 0
      ? []
      : [
          failed('jwks-private', `the private half of ${leaked.join(', ')} is public`, {
            fix: 'give the cluster a new key at once: whoever read it can make tokens of any account',
          }),
        ]),
  ];
}

/** Where what is published is of no use, nothing of it is kept. */
function anew(issuer: string): string {
  return `upload what this writes: ${publishCommand(issuer, false)}`;
}

function jsonOf(
  check: string,
  issuer: string,
  { url, status, text }: PublicDocument,
): { readonly value: unknown } | { readonly refused: Check } {
  const stsError = NO_VERIFICATION_KEY;
  if (status !== 200) {
    const fix = fixOf(status, issuer);
    return { refused: failed(check, `${url} answers ${status} to a caller without credentials`, { fix, stsError }) };
  }
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { refused: failed(check, `${url} is no JSON`, { fix: anew(issuer), stsError }) };
  }
}

function fixOf(status: number, issuer: string): string {
  if (status >= 300 && status < 400) return 'serve it at that address itself';
  // S3 answers 403 also where there is no such object, to callers who may not list the bucket.
  if (status === 401 || status === 403) return `publish it, and ${PUBLIC_READ}`;
  return status === 404 ? anew(issuer) : 'repair its server';
}
