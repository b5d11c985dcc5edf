import { createSecureContext, DEFAULT_CIPHERS, getCiphers } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { cipherSuitesFrom, contextOptionsFrom, minVersionFrom } from '../../src/server/tls-options.ts';

const tls13 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

describe('--tls-min-version', () => {
  test.each([
    ['', 'TLSv1.2', 0],
    ['1.0', 'TLSv1', 1],
    ['1.1', 'TLSv1.1', 1],
    ['1.2', 'TLSv1.2', 0],
    ['1.3', 'TLSv1.3', 0],
    ['VersionTLS10', 'TLSv1', 1],
    ['VersionTLS11', 'TLSv1.1', 1],
    ['VersionTLS12', 'TLSv1.2', 0],
    ['VersionTLS13', 'TLSv1.3', 0],
  ])('%j is %s', (value, want, warnings) => {
    const outcome = minVersionFrom(value);
    expect([outcome.value, outcome.problems, outcome.warnings.length]).toEqual([want, [], warnings]);
  });

  test.each(['1', '1.4', 'TLSv1.2', 'versiontls12', ' 1.2', 'toString', '1.2,1.3'])('%j is refused', (value) => {
    expect(minVersionFrom(value)).toEqual({
      value: 'TLSv1.2',
      problems: [`--tls-min-version=${JSON.stringify(value)}: want 1.0, 1.1, 1.2, 1.3 or VersionTLS10 to VersionTLS13`],
      warnings: [],
    });
  });
});

describe('--tls-cipher-suites', () => {
  test('nothing leaves the choice to Node', () => {
    expect(cipherSuitesFrom('')).toEqual({ value: undefined, problems: [], warnings: [] });
  });

  test('Go names become OpenSSL names in the order given, blanks and repetitions gone, TLS 1.3 still on', () => {
    const value =
      'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 , TLS_RSA_WITH_AES_128_CBC_SHA,,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,';
    expect(cipherSuitesFrom(value)).toEqual({
      value: `ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA:${tls13}`,
      problems: [],
      warnings: [],
    });
  });

  test('suites of TLS 1.3 that are named are the only ones', () => {
    expect(cipherSuitesFrom('TLS_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305')).toEqual({
      value: 'TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-CHACHA20-POLY1305',
      problems: [],
      warnings: [],
    });
  });

  test('a Go name that OpenSSL lacks is left out with a warning', () => {
    expect(cipherSuitesFrom('TLS_RSA_WITH_RC4_128_SHA,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256')).toEqual({
      value: `ECDHE-RSA-AES128-GCM-SHA256:${tls13}`,
      problems: [],
      warnings: ['--tls-cipher-suites: TLS_RSA_WITH_RC4_128_SHA is left out, this build of OpenSSL does not have it'],
    });
  });

  test('a list of which nothing is left is refused', () => {
    const example = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256';
    expect(cipherSuitesFrom('TLS_RSA_WITH_RC4_128_SHA')).toEqual({
      value: undefined,
      problems: [`--tls-cipher-suites="TLS_RSA_WITH_RC4_128_SHA": no suite is left; want names as in ${example}`],
      warnings: ['--tls-cipher-suites: TLS_RSA_WITH_RC4_128_SHA is left out, this build of OpenSSL does not have it'],
    });
    expect(cipherSuitesFrom(' , ').problems).toEqual([
      `--tls-cipher-suites=" , ": no suite is left; want names as in ${example}`,
    ]);
  });

  test('every unknown name is refused, those of OpenSSL and of objects too', () => {
    const outcome = cipherSuitesFrom('ECDHE-RSA-AES128-GCM-SHA256,constructor,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256');
    expect([outcome.value, outcome.problems]).toEqual([
      undefined,
      ['ECDHE-RSA-AES128-GCM-SHA256', 'constructor'].map(
        (name) => `--tls-cipher-suites: "${name}" is unknown; want names as in TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`,
      ),
    ]);
  });

  // tls.CipherSuites() and tls.InsecureCipherSuites() of Go 1.25, by what this OpenSSL has of them.
  const goSuites = `TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256
    TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
    TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 TLS_RSA_WITH_RC4_128_SHA TLS_RSA_WITH_3DES_EDE_CBC_SHA
    TLS_RSA_WITH_AES_128_CBC_SHA TLS_RSA_WITH_AES_256_CBC_SHA TLS_RSA_WITH_AES_128_CBC_SHA256
    TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_RSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_ECDSA_WITH_RC4_128_SHA
    TLS_ECDHE_RSA_WITH_RC4_128_SHA TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256
    TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256`.split(/\s+/);

  test('every suite of Go is known, and all that OpenSSL lacks are RC4 and 3DES', () => {
    const outcome = cipherSuitesFrom(goSuites.join(','));
    const missing = goSuites.filter((name) => /RC4|3DES/.test(name));
    expect([outcome.problems, outcome.warnings.length]).toEqual([[], missing.length]);
    expect(outcome.value?.split(':')).toHaveLength(goSuites.length - missing.length);
    for (const name of outcome.value?.toLowerCase().split(':') ?? []) expect(getCiphers()).toContain(name);
    expect(() =>
      createSecureContext(contextOptionsFrom({ minVersion: 'TLSv1.2', ciphers: outcome.value })),
    ).not.toThrow();
  });
});

test('only TLS below 1.2 lowers the security level', () => {
  expect([
    contextOptionsFrom({ minVersion: 'TLSv1.2', ciphers: undefined }),
    contextOptionsFrom({ minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }),
    contextOptionsFrom({ minVersion: 'TLSv1', ciphers: 'AES128-SHA' }),
    contextOptionsFrom({ minVersion: 'TLSv1.1', ciphers: undefined }),
  ]).toEqual([
    { minVersion: 'TLSv1.2' },
    { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' },
    { minVersion: 'TLSv1', ciphers: 'AES128-SHA:@SECLEVEL=0' },
    { minVersion: 'TLSv1.1', ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` },
  ]);
});
