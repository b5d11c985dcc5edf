// What --tls-min-version and --tls-cipher-suites say, in Node's words. The names are Go's, because manifests written for
// Kubernetes components use those.
import type { SecureContextOptions, SecureVersion } from 'node:tls';
import { DEFAULT_CIPHERS, getCiphers } from 'node:tls';
import { opensslNameOf } from './cipher-names.ts';

export interface TlsOptions {
  readonly minVersion: SecureVersion;
  /** OpenSSL's list; Node's default where undefined. */
  readonly ciphers: string | undefined;
}

/** An option's value, or why it cannot be taken; the value is the default where there are problems. */
export interface OptionOutcome<Value> {
  readonly value: Value;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const DEFAULT_MIN_VERSION: SecureVersion = 'TLSv1.2';

const VERSIONS: ReadonlyMap<string, SecureVersion> = new Map([
  ['1.0', 'TLSv1'],
  ['1.1', 'TLSv1.1'],
  ['1.2', 'TLSv1.2'],
  ['1.3', 'TLSv1.3'],
  ['VersionTLS10', 'TLSv1'],
  ['VersionTLS11', 'TLSv1.1'],
  ['VersionTLS12', 'TLSv1.2'],
  ['VersionTLS13', 'TLSv1.3'],
]);

/** The value of --tls-min-version; empty means the default. */
export function minVersionFrom(value: string): OptionOutcome<SecureVersion> {
  const version = value === '' ? DEFAULT_MIN_VERSION : VERSIONS.get(value);
  if (version === undefined) {
    const problem = `--tls-min-version=${JSON.stringify(value)}: want 1.0, 1.1, 1.2, 1.3 or VersionTLS10 to VersionTLS13`;
    return { value: DEFAULT_MIN_VERSION, problems: [problem], warnings: [] };
  }
  if (!isObsolete(version)) return { value: version, problems: [], warnings: [] };
  const warning = `--tls-min-version=${value}: this lowers OpenSSL's security level to 0; want 1.2, which every API server speaks`;
  return { value: version, problems: [], warnings: [warning] };
}

/** The value of --tls-cipher-suites, a comma list; empty means the default. `available`: OpenSSL's names in lower case. */
export function cipherSuitesFrom(
  value: string,
  available: readonly string[] = getCiphers(),
): OptionOutcome<string | undefined> {
  if (value === '') return { value: undefined, problems: [], warnings: [] };
  const names = value.split(',').map((name) => name.trim());
  const wanted = [...new Set(names.filter((name) => name !== ''))];
  const known = wanted.flatMap((name) => {
    const openssl = opensslNameOf(name);
    return openssl === undefined ? [] : [{ name, openssl }];
  });
  const usable = known.filter(({ openssl }) => available.includes(openssl.toLowerCase()));
  const warnings = known
    .filter((suite) => !usable.includes(suite))
    .map(({ name }) => `--tls-cipher-suites: ${name} is left out, this build of OpenSSL does not have it`);
  const problems = wanted
    .filter((name) => opensslNameOf(name) === undefined)
    .map((name) => `--tls-cipher-suites: ${JSON.stringify(name)} is unknown; want names as in ${EXAMPLE}`);
  if (problems.length === 0 && usable.length === 0) {
    problems.push(`--tls-cipher-suites=${JSON.stringify(value)}: no suite is left; want names as in ${EXAMPLE}`);
  }
  return { value: problems.length > 0 ? undefined : cipherList(usable), problems, warnings };
}

const EXAMPLE = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256';
const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

// In Go the suites of TLS 1.3 cannot be chosen: a list without any of them leaves TLS 1.3 on. In Node it turns it off.
function cipherList(suites: readonly { readonly openssl: string }[]): string {
  const names = suites.map(({ openssl }) => openssl);
  return [...names, ...(names.some((name) => TLS13_SUITES.includes(name)) ? [] : TLS13_SUITES)].join(':');
}

/** What every secure context of the server is made with, beside key, certificate and CA. */
export function contextOptionsFrom({ minVersion, ciphers }: TlsOptions): SecureContextOptions {
  // OpenSSL 3 allows the signatures of TLS 1.0 and 1.1 (MD5 with SHA-1) at security level 0 only.
  const list = isObsolete(minVersion) ? `${ciphers ?? DEFAULT_CIPHERS}:@SECLEVEL=0` : ciphers;
  return { minVersion, ...(list === undefined ? {} : { ciphers: list }) };
}

function isObsolete(version: SecureVersion): boolean {
  return version === 'TLSv1' || version === 'TLSv1.1';
}
