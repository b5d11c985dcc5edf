// The issuer of a control plane's tokens as it should be published, and what the commands must be told to find it here.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishIssuer } from '../../support/sts-issuer.ts';
import type { ControlPlane } from './control-plane.ts';

export interface PublicIssuer {
  /** Flags of diagnose. */
  readonly args: readonly string[];
  close(): Promise<void>;
}

/** The control plane's own keys, at the address that it says. */
export async function startPublicIssuer(controlPlane: ControlPlane): Promise<PublicIssuer> {
  const { kubectl, workspace, serviceAccountIssuer: issuer } = controlPlane;
  const keySet: unknown = JSON.parse(await kubectl(['get', '--raw', '/openid/v1/jwks']));
  const published = await publishIssuer({ issuer, keySet });
  const authority = join(workspace.directory, 'issuer-ca.pem');
  writeFileSync(authority, published.caPem);
  return {
    args: [`--certificate-authority=${authority}`, `--connect-to=${published.address}`],
    close: () => published.close(),
  };
}
