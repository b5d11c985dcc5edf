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
        selfSigned: undefined,
        clientCertificates: undefined,
        serviceName: 'pod-identity-webhook',
        namespace: 'eks',
        standalone: undefined,
        kubeconfig: undefined,
        kubeApi: undefined,
        maxLookupMs: undefined,
        watchConfigMap: false,
        containerCredentialsFile: undefined,
        namespacePolicy: false,
        auditIntervalMs: 0,
        metadataEndpoint: 'http://169.254.169.254',
        settings: {
          annotationPrefix: 'eks.amazonaws.com',
          tokenAudience: 'sts.amazonaws.com',
          tokenMountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount',
          tokenExpirationSeconds: 86_400,
          jitteredExpiration: false,
          regionFromSurroundings: false,
          regionalSts: false,
          allowInvalidRoleArn: false,
          composeRoleArn: false,
          mirroredRegion: false,
          regionWithoutRole: false,
          roleSessionName: false,
          variablesFirst: false,
          containerCredentials: {
            audience: 'pods.eks.amazonaws.com',
            mountPath: '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount',
            volumeName: 'eks-pod-identity-token',
            tokenPath: 'eks-pod-identity-token',
            fullUri: 'http://169.254.170.23/v1/credentials',
          },
        },
        surroundings: {},
        debuggingHandlers: false,
        shadow: false,
        log: { level: 'info', format: 'json' },
      },
    });
  });

  it('audits stored pods now and then where it is asked to, and where there are any', () => {
    expect(configOf('--audit-interval=10m').config.auditIntervalMs).toBe(600_000);
    expect(problemsOf('--audit-interval=10ms')).toMatchObject({
      problems: ['--audit-interval=10ms: want 0, or 1s and more'],
    });
    expect(problemsOf('--audit-interval=10m', '--standalone=examples')).toMatchObject({
      problems: ['--audit-interval: there are no stored pods without a cluster; leave it or --standalone out'],
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
    const { config, warnings } = configOf(
      '--token-expiration=-5',
      '--client-ca-file=ca.crt',
      '--client-names=kube-apiserver, admin',
      '--service-account-lookup-grace-period=300ms',
      '--token-mount-path=/aws//',
      '--aws-default-region=',
    );
    expect(config.settings.tokenExpirationSeconds).toBe(600);
    expect(warnings).toEqual(["token-expiration -5 of the flag raised to 600, Kubernetes' minimum"]);
    expect(config.settings.tokenMountPath).toBe('/aws');
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
        '--token-audience="": want a value',
        '--token-mount-path="relative": want an absolute directory without a colon',
        '--port=9999 and --metrics-port=9999: want two different ports',
        '--kube-api="no url": want a URL, as in https://10.0.0.1:6443',
      ],
    });
  });

  it('finds the region in the label of the own pod, where it is an AWS region', () => {
    const auto = ['--aws-default-region=auto'];
    expect(configOf(...auto, '--pod-region=cn-north-1').config.surroundings).toEqual({
      region: 'cn-north-1',
      partition: 'aws-cn',
    });
    expect(configOf('--pod-region=cn-north-1').config.surroundings).toEqual({});
    expect(configOf(...auto, '--pod-region=nbg1')).toMatchObject({
      config: { surroundings: {} },
      warnings: ['--pod-region="nbg1" is not the name of an AWS region, and not used'],
    });
    expect(configOf('--aws-default-region=moon-base').config.surroundings).toEqual({ region: 'moon-base' });
  });

  it('knows the owner of composed roles by its flags', () => {
    const { surroundings } = configOf(
      '--compose-role-arn',
      '--aws-account-id=111122223333',
      '--aws-default-region=us-gov-west-1',
    ).config;
    expect(surroundings).toEqual({ region: 'us-gov-west-1', accountId: '111122223333', partition: 'aws-us-gov' });
    expect(problemsOf('--aws-account-id=1234', '--aws-partition=amazon')).toMatchObject({
      problems: [
        '--aws-account-id="1234": want 12 digits',
        '--aws-partition="amazon": want aws, or aws- and a name, as in aws-cn',
      ],
    });
  });

  it.each([
    'http://127.0.0.5/x',
    'http://localhost:80/x',
    'http://[::1]/x',
    'http://169.254.170.2/x',
    'http://[fd00:ec2::23]/x',
    'https://agent.example/x',
  ])('takes %s as the agent’s endpoint, as every SDK does', (uri) => {
    expect(configOf(`--container-credentials-full-uri=${uri}`).config.settings.containerCredentials.fullUri).toBe(uri);
  });

  it.each([
    'http://agent.example/x',
    'http://127.0.0.1.example/x',
    'http://10.0.0.1/x',
    'ftp://127.0.0.1/x',
    'agent',
    '',
  ])('refuses %j as the agent’s endpoint, which SDKs would refuse in every pod', (uri) => {
    expect(problemsOf(`--container-credentials-full-uri=${uri}`)).toMatchObject({
      problems: [
        expect.stringContaining('want HTTPS, or HTTP to loopback, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]'),
      ],
    });
  });

  it('refuses what Kubernetes would refuse in every pod', () => {
    expect(
      problemsOf(
        '--container-credentials-token-path=../token',
        '--container-credentials-token-volume-name=Token',
        '--container-credentials-token-mount-path=C:\\token',
        '--container-credentials-audience=',
        '--imds-endpoint=169.254.169.254',
      ),
    ).toMatchObject({
      problems: [
        '--imds-endpoint="169.254.169.254": want an http URL, as in http://169.254.169.254',
        '--container-credentials-token-path="../token": want a path within the volume',
        '--container-credentials-token-volume-name="Token": want up to 63 lower-case letters, digits and dashes',
        '--container-credentials-audience="": want a value',
        '--container-credentials-token-mount-path="C:\\\\token": want an absolute directory without a colon',
      ],
    });
  });
});

describe('the self-signed mode', () => {
  const SELF_SIGNED = ['--tls-mode=self-signed', '--webhook-configuration=ours.eks'];

  it('needs the configuration to keep, and takes the place of files', () => {
    expect(configOf(...SELF_SIGNED)).toMatchObject({
      warnings: [],
      config: {
        certificateFiles: undefined,
        selfSigned: {
          secret: 'pod-identity-webhook',
          webhookConfiguration: 'ours.eks',
          caLifetimeMs: 8_760 * 3_600_000,
          leafLifetimeMs: 168 * 3_600_000,
        },
      },
    });
  });

  it('is what --in-cluster=true is taken as', () => {
    expect(configOf('--in-cluster', '--webhook-configuration=ours')).toMatchObject({
      warnings: ['--in-cluster=true is taken as --tls-mode=self-signed; give that instead'],
      config: { certificateFiles: undefined, selfSigned: { webhookConfiguration: 'ours' } },
    });
    expect(problemsOf('--in-cluster', '--tls-mode=files', '--webhook-configuration=ours')).toMatchObject({
      problems: ['--in-cluster=true and --tls-mode=files: want --tls-mode alone'],
    });
  });

  it('is not mixed with files, nor with a server that stands alone', () => {
    expect(problemsOf('--tls-mode=self-signed', '--tls-key=k', '--tls-cert=c', '--tls-secret=Ours')).toMatchObject({
      problems: [
        '--tls-key="k" and --tls-mode=self-signed: want certificates from files, or from a CA of our own',
        '--tls-cert="c" and --tls-mode=self-signed: want certificates from files, or from a CA of our own',
        '--tls-secret="Ours": want the name of the Secret of the CA, with --tls-mode=self-signed',
        '--webhook-configuration="": want the name of the MutatingWebhookConfiguration to keep the caBundle of, ' +
          'with --tls-mode=self-signed',
      ],
    });
    expect(problemsOf(...SELF_SIGNED, '--standalone=examples')).toMatchObject({
      problems: [
        '--standalone and --tls-mode=self-signed: without a cluster there is no Secret for a CA; leave one of them out',
      ],
    });
  });

  it('takes lifetimes from minutes to a century, and a leaf of a quarter of the CA at most', () => {
    const least = configOf(...SELF_SIGNED, '--tls-leaf-lifetime=60s', '--tls-ca-lifetime=10m').config;
    expect(least.selfSigned).toMatchObject({ caLifetimeMs: 600_000, leafLifetimeMs: 60_000 });
    expect(problemsOf(...SELF_SIGNED, '--tls-leaf-lifetime=59s', '--tls-ca-lifetime=9m')).toMatchObject({
      problems: [
        '--tls-ca-lifetime=540s: want 10m or more: its replacement takes minutes',
        '--tls-leaf-lifetime=59s: want 1m or more: it is renewed with a third of that left',
      ],
    });
    expect(problemsOf(...SELF_SIGNED, '--tls-leaf-lifetime=151s', '--tls-ca-lifetime=10m')).toMatchObject({
      problems: ['--tls-leaf-lifetime=151s: want a quarter of --tls-ca-lifetime=600s or less'],
    });
    expect(problemsOf(...SELF_SIGNED, '--tls-ca-lifetime=900000h')).toMatchObject({
      problems: ['--tls-ca-lifetime=3240000000s: want 876000h (100 years) or less'],
    });
  });

  it('is meant by a configuration to keep', () => {
    expect(configOf('--webhook-configuration=ours').warnings).toEqual([
      '--webhook-configuration="ours": its caBundle is kept only with --tls-mode=self-signed',
    ]);
  });
});

// The arguments of published installations, as they stand.
describe('published manifests', () => {
  it('upstream’s own', () => {
    const { config, warnings } = configOf(
      '/webhook',
      '--in-cluster=false',
      '--namespace=default',
      '--service-name=pod-identity-webhook',
      '--tls-secret=pod-identity-webhook',
      '--annotation-prefix=eks.amazonaws.com',
      '--token-audience=sts.amazonaws.com',
      '--logtostderr',
    );
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      port: 443,
      metricsPort: 9999,
      namespace: 'default',
      serviceName: 'pod-identity-webhook',
    });
  });

  it('kOps’', () => {
    const { config, warnings } = configOf(
      '/webhook',
      '--in-cluster=false',
      '--namespace=kube-system',
      '--service-name=pod-identity-webhook',
      '--annotation-prefix=eks.amazonaws.com',
      '--token-audience=amazonaws.com',
      '--metrics-port=9443',
      '--watch-config-map',
      '--sts-regional-endpoint',
      '--aws-default-region=us-east-1',
      '--logtostderr',
    );
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      metricsPort: 9443,
      watchConfigMap: true,
      settings: { tokenAudience: 'amazonaws.com', regionalSts: true },
      surroundings: { region: 'us-east-1', partition: 'aws' },
    });
  });

  it('the community chart’s', () => {
    const { config, warnings } = configOf(
      '--in-cluster=false',
      '--port=8443',
      '--metrics-port=9999',
      '--annotation-prefix=eks.amazonaws.com',
      '--namespace=kube-system',
      '--service-name=amazon-eks-pod-identity-webhook',
      '--aws-default-region=us-east-1',
      '--sts-regional-endpoint=false',
      '--token-audience=sts.amazonaws.com',
      '--token-expiration=86400',
      '--token-mount-path=/var/run/secrets/eks.amazonaws.com/serviceaccount',
      '--resync-period=60s',
      '--tls-cert=/etc/webhook/certs/tls.crt',
      '--tls-key=/etc/webhook/certs/tls.key',
      '-v=4',
    );
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      port: 8443,
      log: { level: 'debug' },
      serviceName: 'amazon-eks-pod-identity-webhook',
    });
  });

  it('OpenShift’s', () => {
    const { config, warnings } = configOf(
      '/usr/bin/aws-pod-identity-webhook',
      '--in-cluster=false',
      '--tls-cert=/var/run/app/certs/tls.crt',
      '--tls-key=/var/run/app/certs/tls.key',
      '--namespace=openshift-cloud-credential-operator',
      '--port=9443',
      '--service-name=pod-identity-webhook',
      '--annotation-prefix=eks.amazonaws.com',
      '--token-audience=sts.amazonaws.com',
      '--aws-default-region=us-east-2',
      '--tls-min-version=VersionTLS12',
      '--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      '--logtostderr',
    );
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      port: 9443,
      tls: {
        minVersion: 'TLSv1.2',
        ciphers: expect.stringMatching(/^ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256(:TLS_\w+)*$/),
      },
    });
  });
});
