// What the flags say about injection, checked: for the server and for every command that must decide as it does.
import { clampedExpiration, expirationFrom } from './admission/expiration.ts';
import type { ContainerCredentialsSettings, Settings, Surroundings } from './admission/settings.ts';
import { isRegion, PARTITION_PATTERN, partitionOf } from './aws/partitions.ts';
import type { FlagValues } from './flags/given.ts';

/** The region that `--aws-default-region` names so that it is found out at run time. */
const AUTOMATIC = 'auto';

/** Adds a sentence to `problems` for each value that cannot be used. */
export function settingsFrom(flags: FlagValues, problems: string[]): Settings {
  const annotationPrefix = flags.text('annotation-prefix') ?? '';
  // A key's prefix is a DNS subdomain (Kubernetes' rule for label and annotation keys).
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(annotationPrefix)) {
    problems.push(`--annotation-prefix=${JSON.stringify(annotationPrefix)}: want a domain, as in eks.amazonaws.com`);
  }
  return {
    annotationPrefix,
    tokenAudience: requiredText(flags, 'token-audience', problems),
    tokenMountPath: mountPath(flags, 'token-mount-path', problems),
    tokenExpirationSeconds: clampedExpiration(flags.number('token-expiration')),
    jitteredExpiration: flags.isOn('token-expiration-jitter'),
    regionFromSurroundings: flags.text('aws-default-region') === AUTOMATIC,
    regionalSts: flags.isOn('sts-regional-endpoint'),
    allowInvalidRoleArn: flags.isOn('allow-invalid-role-arn'),
    composeRoleArn: flags.isOn('compose-role-arn'),
    mirroredRegion: flags.isOn('mirror-region'),
    regionWithoutRole: flags.isOn('region-without-role'),
    roleSessionName: flags.isOn('role-session-name'),
    variablesFirst: flags.isOn('variables-first'),
    containerCredentials: containerCredentialsFrom(flags, problems),
  };
}

/** Why tokens do not live as long as the flag says, in the words for annotations. */
export function expirationWarnings(flags: FlagValues): readonly string[] {
  const { warning } = expirationFrom(String(flags.number('token-expiration')), 'the flag');
  return warning === undefined ? [] : [warning];
}

/** What the flags know of AWS account and region; the rest may be found out at run time. */
export function surroundingsFrom(flags: FlagValues, problems: string[]): Surroundings {
  const named = presentText(flags, 'aws-default-region');
  const region = named === AUTOMATIC ? undefined : named;
  const accountId = presentText(flags, 'aws-account-id');
  if (accountId !== undefined && !/^[0-9]{12}$/.test(accountId)) {
    problems.push(`--aws-account-id=${JSON.stringify(accountId)}: want 12 digits`);
  }
  const given = presentText(flags, 'aws-partition');
  if (given !== undefined && !new RegExp(`^${PARTITION_PATTERN}$`).test(given)) {
    problems.push(`--aws-partition=${JSON.stringify(given)}: want aws, or aws- and a name, as in aws-cn`);
  }
  const partition = given ?? (region !== undefined && isRegion(region) ? partitionOf(region) : undefined);
  return {
    ...(region === undefined ? {} : { region }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(partition === undefined ? {} : { partition }),
  };
}

function containerCredentialsFrom(flags: FlagValues, problems: string[]): ContainerCredentialsSettings {
  const fullUri = flags.text('container-credentials-full-uri') ?? '';
  if (!isAcceptedBySdks(fullUri)) {
    const hosts = 'HTTPS, or HTTP to loopback, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]: SDKs refuse all others';
    problems.push(`--container-credentials-full-uri=${JSON.stringify(fullUri)}: want ${hosts}`);
  }
  const tokenPath = requiredText(flags, 'container-credentials-token-path', problems);
  if (tokenPath.startsWith('/') || tokenPath.split('/').includes('..')) {
    problems.push(`--container-credentials-token-path=${JSON.stringify(tokenPath)}: want a path within the volume`);
  }
  const volumeName = flags.text('container-credentials-token-volume-name') ?? '';
  // Kubernetes' rule for names of volumes.
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(volumeName)) {
    const flag = '--container-credentials-token-volume-name';
    problems.push(`${flag}=${JSON.stringify(volumeName)}: want up to 63 lower-case letters, digits and dashes`);
  }
  return {
    audience: requiredText(flags, 'container-credentials-audience', problems),
    mountPath: mountPath(flags, 'container-credentials-token-mount-path', problems),
    volumeName,
    tokenPath,
    fullUri,
  };
}

/** The hosts that every SDK takes over plain HTTP. */
function isAcceptedBySdks(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname } = new URL(uri);
  if (protocol === 'https:') return true;
  const known = ['localhost', '[::1]', '169.254.170.2', '169.254.170.23', '[fd00:ec2::23]'];
  return protocol === 'http:' && (known.includes(hostname) || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname));
}

function mountPath(flags: FlagValues, name: string, problems: string[]): string {
  const text = flags.text(name) ?? '';
  const path = text.replace(/\/+$/, '');
  if (!/^\/[^:]*$/.test(path)) {
    problems.push(`--${name}=${JSON.stringify(text)}: want an absolute directory without a colon`);
  }
  return path;
}

function requiredText(flags: FlagValues, name: string, problems: string[]): string {
  const text = flags.text(name) ?? '';
  if (text === '') problems.push(`--${name}="": want a value`);
  return text;
}

/** An empty value counts as not given, as it does in Go's flags. */
export function presentText(flags: FlagValues, name: string): string | undefined {
  const text = flags.text(name);
  return text === '' ? undefined : text;
}
