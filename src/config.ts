// What the server is told, checked: what the flags mean together, and every problem of it at once. Defaults stand in
// the table of flags, not here.
import type { Settings, Surroundings } from './admission/settings.ts';
import { isRegion, partitionOf } from './aws/partitions.ts';
import type { CertificateFiles, SelfSignedMode } from './certificates-from-flags.ts';
import { certificatesFrom } from './certificates-from-flags.ts';
import { ConfigError } from './config-error.ts';
import type { FlagValues } from './flags/given.ts';
import type { LogFormat, LogLevel } from './observe/log.ts';
import { cipherSuitesFrom, minVersionFrom } from './server/tls-options.ts';
import type { TlsOptions } from './server/tls-options.ts';
import { expirationWarnings, presentText, settingsFrom, surroundingsFrom } from './settings-from-flags.ts';

export interface ClientCertificates {
  readonly caFile: string;
  /** Any certificate of the CA will do where empty. */
  readonly names: readonly string[];
}

export interface Config {
  readonly port: number;
  /** All addresses where undefined. */
  readonly bindAddress: string | undefined;
  readonly metricsPort: number;
  readonly shutdownDelayMs: number;
  readonly tls: TlsOptions;
  /** One of these two; a certificate is made in memory where both are undefined, which only standalone mode may ask for. */
  readonly certificateFiles: CertificateFiles | undefined;
  readonly selfSigned: SelfSignedMode | undefined;
  readonly clientCertificates: ClientCertificates | undefined;
  readonly serviceName: string;
  readonly namespace: string;
  /** Directory of manifests that stand for a cluster. */
  readonly standalone: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly kubeApi: string | undefined;
  /** No bound of its own where undefined. */
  readonly maxLookupMs: number | undefined;
  readonly watchConfigMap: boolean;
  readonly containerCredentialsFile: string | undefined;
  readonly namespacePolicy: boolean;
  /** Between two audits of all stored pods; 0: there is none. */
  readonly auditIntervalMs: number;
  /** Base URL of the instance metadata service, without a slash at its end. */
  readonly metadataEndpoint: string;
  readonly settings: Settings;
  /** What the flags know of AWS account and region. */
  readonly surroundings: Surroundings;
  readonly debuggingHandlers: boolean;
  readonly shadow: boolean;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
}

export interface ConfigOutcome {
  readonly config: Config;
  /** What works, but perhaps not as meant. */
  readonly warnings: readonly string[];
}

/** Throws ConfigError `usage` with every problem. */
export function configFrom(flags: FlagValues): ConfigOutcome {
  const problems: string[] = [];
  const warnings: string[] = [];
  const standalone = flags.text('standalone');
  if (standalone === '')
    problems.push('--standalone="": want the directory of the manifests, as in --standalone=examples');
  const config: Config = {
    port: standalone !== undefined && !flags.isGiven('port') ? 8443 : flags.number('port'),
    bindAddress: presentText(flags, 'bind-address') ?? (standalone === undefined ? undefined : '127.0.0.1'),
    metricsPort: flags.number('metrics-port'),
    // No endpoint has to be taken out of service where there is no cluster.
    shutdownDelayMs: standalone !== undefined && !flags.isGiven('shutdown-delay') ? 0 : flags.number('shutdown-delay'),
    tls: tlsFrom(flags, problems, warnings),
    ...certificatesFrom(flags, { problems, warnings }),
    clientCertificates: clientCertificatesFrom(flags, problems),
    serviceName: flags.text('service-name') ?? '',
    namespace: flags.text('namespace') ?? '',
    standalone,
    kubeconfig: presentText(flags, 'kubeconfig'),
    kubeApi: presentText(flags, 'kube-api'),
    maxLookupMs: flags.number('service-account-lookup-grace-period') || undefined,
    watchConfigMap: flags.isOn('watch-config-map'),
    containerCredentialsFile: presentText(flags, 'watch-container-credentials-config'),
    namespacePolicy: flags.isOn('namespace-policy'),
    auditIntervalMs: flags.number('audit-interval'),
    metadataEndpoint: metadataEndpointFrom(flags, problems),
    settings: settingsFrom(flags, problems),
    surroundings: serverSurroundingsFrom(flags, { problems, warnings }),
    debuggingHandlers: flags.isOn('enable-debugging-handlers'),
    shadow: flags.isOn('shadow'),
    log: { level: logLevel(flags), format: flags.text('log-format') === 'text' ? 'text' : 'json' },
  };
  if (config.port !== 0 && config.port === config.metricsPort) {
    problems.push(`--port=${config.port} and --metrics-port=${config.metricsPort}: want two different ports`);
  }
  for (const name of ['service-name', 'namespace']) {
    if (presentText(flags, name) === undefined) problems.push(`--${name}="": want the name of a Kubernetes object`);
  }
  warnings.push(...expirationWarnings(flags));
  if (config.kubeApi !== undefined && !/^https?:\/\/./.test(config.kubeApi)) {
    problems.push(`--kube-api=${JSON.stringify(config.kubeApi)}: want a URL, as in https://10.0.0.1:6443`);
  }
  if (config.auditIntervalMs > 0 && config.auditIntervalMs < 1_000) {
    problems.push(`--audit-interval=${config.auditIntervalMs}ms: want 0, or 1s and more`);
  }
  if (config.auditIntervalMs > 0 && standalone !== undefined) {
    problems.push('--audit-interval: there are no stored pods without a cluster; leave it or --standalone out');
  }
  if (problems.length > 0) throw new ConfigError('usage', problems);
  return { config, warnings };
}

function tlsFrom(flags: FlagValues, problems: string[], warnings: string[]): TlsOptions {
  const version = minVersionFrom(flags.text('tls-min-version') ?? '');
  const suites = cipherSuitesFrom(presentText(flags, 'tls-cipher-suites') ?? '');
  problems.push(...version.problems, ...suites.problems);
  warnings.push(...version.warnings, ...suites.warnings);
  return { minVersion: version.value, ciphers: suites.value };
}

function clientCertificatesFrom(flags: FlagValues, problems: string[]): ClientCertificates | undefined {
  const caFile = presentText(flags, 'client-ca-file');
  const names = (flags.text('client-names') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (caFile === undefined && names.length > 0) {
    problems.push(`--client-names=${JSON.stringify(names.join(','))}: works only together with --client-ca-file`);
  }
  return caFile === undefined ? undefined : { caFile, names };
}

function metadataEndpointFrom(flags: FlagValues, problems: string[]): string {
  const endpoint = (flags.text('imds-endpoint') ?? '').replace(/\/+$/, '');
  if (!URL.canParse(endpoint) || new URL(endpoint).protocol !== 'http:') {
    problems.push(`--imds-endpoint=${JSON.stringify(endpoint)}: want an http URL, as in http://169.254.169.254`);
  }
  return endpoint;
}

/** The label of the webhook's own pod is a first answer to `auto`, where it is the name of an AWS region. */
function serverSurroundingsFrom(
  flags: FlagValues,
  { problems, warnings }: { readonly problems: string[]; readonly warnings: string[] },
): Surroundings {
  const known = surroundingsFrom(flags, problems);
  const label = presentText(flags, 'pod-region');
  if (label === undefined || flags.text('aws-default-region') !== 'auto') return known;
  if (isRegion(label)) return { partition: partitionOf(label), ...known, region: label };
  warnings.push(`--pod-region=${JSON.stringify(label)} is not the name of an AWS region, and not used`);
  return known;
}

function logLevel(flags: FlagValues): LogLevel {
  const levels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];
  return levels.find((level) => level === flags.text('log-level')) ?? 'info';
}
