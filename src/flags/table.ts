// The one table of flags: parsing, --help, the environment variables and the README's table come from it.
import { AUDIT_FLAGS } from './audit.ts';
import { CHECK_INSTALL_FLAGS } from './check-install.ts';
import { CLUSTER_FLAGS } from './cluster.ts';
import { DIAGNOSE_FLAGS } from './diagnose.ts';
import type { Flag } from './flag.ts';
import { INJECTION_FLAGS } from './injection.ts';
import { INPUT_FLAGS } from './input.ts';
import { ISSUER_FLAGS } from './issuer.ts';
import { SOURCE_FLAGS } from './sources.ts';
import { RUNNING_FLAGS } from './running.ts';
import { SOCKET_FLAGS } from './sockets.ts';
import { TRUST_FLAGS } from './trust.ts';

export const FLAGS: readonly Flag[] = [
  ...SOCKET_FLAGS,
  ...CLUSTER_FLAGS,
  ...INJECTION_FLAGS,
  ...SOURCE_FLAGS,
  ...RUNNING_FLAGS,
  ...AUDIT_FLAGS,
  ...TRUST_FLAGS,
  ...ISSUER_FLAGS,
  ...CHECK_INSTALL_FLAGS,
  ...DIAGNOSE_FLAGS,
  ...INPUT_FLAGS,
];
