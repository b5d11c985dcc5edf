import { describe, expect, it } from '@jest/globals';
import { parseCommandLine } from '../src/cli.ts';
import { configFrom } from '../src/config.ts';

function configOf(...args: readonly string[]) {
  const commandLine = parseCommandLine(args, {});
  if (commandLine.kind !== 'run') throw new Error(commandLine.kind);
  return configFrom(commandLine.flags);
}

function problemsOf(...args: readonly string[]): unknown {
  try {
    return configOf(...args);
  } catch (error) {
    return error;
  }
}

describe('configFrom', () => {
  it('takes the defaults of the table', () => {
    expect(configOf()).toEqual({
      warnings: [],
      config: {
        port: 443,
        bindAddress: undefined,
        metricsPort: 9999,
        shutdownDelayMs: 10_000,
        tls: { minVersion: 'TLSv1.2', ciphers: undefined },
        certificateFiles: { keyFile: '/etc/webhook/certs/tls.key', certFile: '/etc/webhook/certs/tls.crt' },
        clientCertificates: undefined,
        serviceName: 'pod-identity-webhook',
        namespace: 'eks',
        standalone: undefined,
        kubeconfig: undefined,
        kubeApi: undefined,
        maxLookupMs: undefined,
        settings: {
          annotationPrefix: 'eks.amazonaws.com',
          tokenAudience: 'sts.amazonaws.com',
          tokenMountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount',
          tokenExpirationSeconds: 86_400,
          region: undefined,
          regionalSts: false,
          allowInvalidRoleArn: false,
        },
        shadow: false,
        log: { level: 'info', format: 'json' },
      },
    });
  });

  it('listens on loopback with a certificate of its own where it stands alone', () => {
    const { config } = configOf('--standalone=examples');
    expect([config.port, config.bindAddress, config.certificateFiles]).toEqual([8443, '127.0.0.1', undefined]);
    const given = configOf(
      '--standalone=examples',
      '--port=0',
      '--tls-key=k',
      '--tls-cert=c',
      '--bind-address=::1',
    ).config;
    expect([given.port, given.bindAddress, given.certificateFiles]).toEqual([
      0,
      '::1',
      { keyFile: 'k', certFile: 'c' },
    ]);
  });

  it('clamps the expiration, and reads client certificates and lookups', () => {
    const { config } = configOf(
      '--token-expiration=-5',
      '--client-ca-file=ca.crt',
      '--client-names=kube-apiserver, admin',
      '--service-account-lookup-grace-period=300ms',
      '--token-mount-path=/aws//',
      '--aws-default-region=',
    );
    expect(config.settings.tokenExpirationSeconds).toBe(600);
    expect(config.settings.tokenMountPath).toBe('/aws');
    expect(config.settings.region).toBeUndefined();
    expect(config.clientCertificates).toEqual({ caFile: 'ca.crt', names: ['kube-apiserver', 'admin'] });
    expect(config.maxLookupMs).toBe(300);
  });

  it('reports every combination that cannot work', () => {
    expect(
      problemsOf(
        '--standalone=',
        '--port=9999',
        '--kube-api=no url',
        '--annotation-prefix=not/a/domain',
        '--token-mount-path=relative',
        '--token-audience=',
        '--client-names=a',
        '--tls-min-version=1.4',
        '--tls-key=k',
      ),
    ).toMatchObject({
      name: 'ConfigError',
      code: 'usage',
      problems: [
        '--standalone="": want the directory of the manifests, as in --standalone=examples',
        expect.stringMatching(/^--tls-min-version="1.4": /),
        '--tls-key and --tls-cert: give both, or neither for a certificate made in memory',
        '--client-names="a": works only together with --client-ca-file',
        '--annotation-prefix="not/a/domain": want a domain, as in eks.amazonaws.com',
        '--token-mount-path="relative": want an absolute directory without a colon',
        '--token-audience="": want an audience, as in sts.amazonaws.com',
        '--port=9999 and --metrics-port=9999: want two different ports',
        '--kube-api="no url": want a URL, as in https://10.0.0.1:6443',
      ],
    });
  });
});
