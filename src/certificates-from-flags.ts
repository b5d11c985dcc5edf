// Where the serving certificate is to come from, by the flags: files, or a CA of our own in a Secret.
import type { FlagValues } from './flags/given.ts';
import { presentText } from './settings-from-flags.ts';

export interface CertificateFiles {
  readonly keyFile: string;
  readonly certFile: string;
}

export interface SelfSignedMode {
  /** Name of the Secret, in the namespace of the Service. */
  readonly secret: string;
  /** Name of the MutatingWebhookConfiguration. */
  readonly webhookConfiguration: string;
  readonly caLifetimeMs: number;
  readonly leafLifetimeMs: number;
}

export interface CertificateSource {
  readonly certificateFiles: CertificateFiles | undefined;
  readonly selfSigned: SelfSignedMode | undefined;
}

interface Findings {
  readonly problems: string[];
  readonly warnings: string[];
}

/** Certificates are looked at six times in their life at least, and calls to a busy API server take seconds. */
const LEAST_LEAF_MS = 60_000;
/** The third of its life in which a CA is replaced must hold two steps a minute apart, and what delays them. */
const LEAST_CA_MS = 600_000;
/** Years of X.509 have four digits, and nobody waits for this one. */
const MOST_CA_MS = 100 * 365 * 86_400_000;

export function certificatesFrom(flags: FlagValues, findings: Findings): CertificateSource {
  const isInCluster = flags.isOn('in-cluster');
  if (isInCluster || flags.text('tls-mode') === 'self-signed') {
    if (isInCluster) findings.warnings.push('--in-cluster=true is taken as --tls-mode=self-signed; give that instead');
    return { certificateFiles: undefined, selfSigned: selfSignedFrom(flags, findings.problems) };
  }
  if (flags.isGiven('webhook-configuration')) {
    const given = `--webhook-configuration=${JSON.stringify(flags.text('webhook-configuration') ?? '')}`;
    findings.warnings.push(`${given}: its caBundle is kept only with --tls-mode=self-signed`);
  }
  return { certificateFiles: certificateFilesFrom(flags, findings.problems), selfSigned: undefined };
}

function certificateFilesFrom(flags: FlagValues, problems: string[]): CertificateFiles | undefined {
  const given = flags.isGiven('tls-key') || flags.isGiven('tls-cert');
  if (flags.text('standalone') !== undefined && !given) return undefined;
  if (flags.isGiven('tls-key') !== flags.isGiven('tls-cert') && flags.text('standalone') !== undefined) {
    problems.push('--tls-key and --tls-cert: give both, or neither for a certificate made in memory');
  }
  return { keyFile: flags.text('tls-key') ?? '', certFile: flags.text('tls-cert') ?? '' };
}

function selfSignedFrom(flags: FlagValues, problems: string[]): SelfSignedMode {
  const mode = flags.isOn('in-cluster') ? '--in-cluster=true' : '--tls-mode=self-signed';
  if (flags.isOn('in-cluster') && flags.isGiven('tls-mode') && flags.text('tls-mode') === 'files') {
    problems.push('--in-cluster=true and --tls-mode=files: want --tls-mode alone');
  }
  for (const name of ['tls-key', 'tls-cert']) {
    if (!flags.isGiven(name)) continue;
    const given = `--${name}=${JSON.stringify(flags.text(name) ?? '')}`;
    problems.push(`${given} and ${mode}: want certificates from files, or from a CA of our own`);
  }
  if (flags.text('standalone') !== undefined) {
    problems.push(`--standalone and ${mode}: without a cluster there is no Secret for a CA; leave one of them out`);
  }
  return {
    secret: objectName(flags, 'tls-secret', problems),
    webhookConfiguration: objectName(flags, 'webhook-configuration', problems),
    ...lifetimesFrom(flags, problems),
  };
}

function objectName(flags: FlagValues, name: string, problems: string[]): string {
  const text = presentText(flags, name) ?? '';
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) {
    const what =
      name === 'tls-secret' ? 'the Secret of the CA' : 'the MutatingWebhookConfiguration to keep the caBundle of';
    problems.push(`--${name}=${JSON.stringify(text)}: want the name of ${what}, with --tls-mode=self-signed`);
  }
  return text;
}

function lifetimesFrom(flags: FlagValues, problems: string[]): Pick<SelfSignedMode, 'caLifetimeMs' | 'leafLifetimeMs'> {
  const [caLifetimeMs, leafLifetimeMs] = [flags.number('tls-ca-lifetime'), flags.number('tls-leaf-lifetime')];
  const [ca, leaf] = [`--tls-ca-lifetime=${caLifetimeMs / 1_000}s`, `--tls-leaf-lifetime=${leafLifetimeMs / 1_000}s`];
  if (caLifetimeMs < LEAST_CA_MS) problems.push(`${ca}: want 10m or more: its replacement takes minutes`);
  if (caLifetimeMs > MOST_CA_MS) problems.push(`${ca}: want 876000h (100 years) or less`);
  if (leafLifetimeMs < LEAST_LEAF_MS)
    problems.push(`${leaf}: want 1m or more: it is renewed with a third of that left`);
  // A CA is replaced in the last third of its life, in which the leaves that it has signed must find room to end.
  if (leafLifetimeMs * 4 > caLifetimeMs) problems.push(`${leaf}: want a quarter of ${ca} or less`);
  return { caLifetimeMs, leafLifetimeMs };
}
