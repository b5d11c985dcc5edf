// What the flags say about injection, checked: for the server and for every command that must decide as it does.
import { clampedExpiration } from './admission/annotations.ts';
import type { Settings } from './admission/settings.ts';
import type { FlagValues } from './cli.ts';

/** Adds a sentence to `problems` for each value that cannot be used. */
export function settingsFrom(flags: FlagValues, problems: string[]): Settings {
  const annotationPrefix = flags.text('annotation-prefix') ?? '';
  // A key's prefix is a DNS subdomain (Kubernetes' rule for label and annotation keys).
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(annotationPrefix)) {
    problems.push(`--annotation-prefix=${JSON.stringify(annotationPrefix)}: want a domain, as in eks.amazonaws.com`);
  }
  const tokenMountPath = (flags.text('token-mount-path') ?? '').replace(/\/+$/, '');
  if (!/^\/[^:]*$/.test(tokenMountPath)) {
    problems.push(`--token-mount-path=${JSON.stringify(tokenMountPath)}: want an absolute directory without a colon`);
  }
  const tokenAudience = flags.text('token-audience') ?? '';
  if (tokenAudience === '') problems.push('--token-audience="": want an audience, as in sts.amazonaws.com');
  return {
    annotationPrefix,
    tokenAudience,
    tokenMountPath,
    tokenExpirationSeconds: clampedExpiration(flags.number('token-expiration')),
    region: presentText(flags, 'aws-default-region'),
    regionalSts: flags.isOn('sts-regional-endpoint'),
    allowInvalidRoleArn: flags.isOn('allow-invalid-role-arn'),
  };
}

/** An empty value counts as not given, as it does in Go's flags. */
export function presentText(flags: FlagValues, name: string): string | undefined {
  const text = flags.text(name);
  return text === '' ? undefined : text;
}
