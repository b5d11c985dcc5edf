// A certificate for a server on this machine, made in memory at start. Its CA signs once: the CA's key is never
// written or returned, so whoever trusts `caPem` trusts this one leaf.
import { CLOCK_SKEW_MS } from './authority-state.ts';
import { issueCa, issueLeaf } from './issue.ts';

export interface SelfSignedOptions {
  /** DNS names and IP addresses that the certificate is for; at least one. */
  readonly names: readonly string[];
  readonly lifetimeMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface SelfSigned {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

export async function issueSelfSigned({ names, lifetimeMs, now }: SelfSignedOptions): Promise<SelfSigned> {
  const validity = { notBefore: new Date(now() - CLOCK_SKEW_MS), notAfter: new Date(now() + lifetimeMs) };
  const ca = await issueCa({ ...validity, name: 'pod-identity-webhook throw-away CA' });
  const { certPem, keyPem } = await issueLeaf({ ...validity, ca, names });
  return { caPem: ca.certPem, certPem, keyPem };
}
