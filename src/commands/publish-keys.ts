// Where `oidc publish` has the keys from: the API server, or the files that it is given.
import { messageOf } from '../admission/thrown.ts';
import type { PublicJwk } from '../aws/jwks.ts';
import { keysFromPem } from '../aws/public-keys.ts';
import { presentText } from '../settings-from-flags.ts';
import type { ClusterIssuer } from './cluster-issuer.ts';
import { readClusterIssuer } from './cluster-issuer.ts';
import type { CommandCall, CommandIo } from './io.ts';
import { orWrongUse, refuseWrongUse } from './issuer-options.ts';
import { readOption } from './option-files.ts';

export interface CurrentKeys {
  readonly keys: readonly PublicJwk[];
  /** Where the keys are the API server's. */
  readonly cluster: ClusterIssuer | undefined;
  /** For people. */
  readonly notes: readonly string[];
}

/** Rejects with ConfigError where there is not exactly one place, or it cannot be read. */
export async function currentKeys({ flags, io }: CommandCall): Promise<CurrentKeys> {
  const files = flags.all('public-key');
  const fromCluster = flags.isOn('from-cluster');
  const isClear = fromCluster !== files.length > 0;
  refuseWrongUse(isClear ? [] : ['give either --from-cluster or --public-key=FILE: where the keys are']);
  if (fromCluster) {
    const options = { kubeconfig: presentText(flags, 'kubeconfig'), server: presentText(flags, 'kube-api') };
    const cluster = await orWrongUse(readClusterIssuer(options), '--from-cluster');
    return { keys: cluster.keys, cluster, notes: cluster.unusable };
  }
  const problems: string[] = [];
  const keys = await Promise.all(files.map((file) => keysOf(file, io, problems)));
  refuseWrongUse(problems);
  return { keys: keys.flat(), cluster: undefined, notes: [] };
}

async function keysOf(file: string, io: CommandIo, problems: string[]): Promise<readonly PublicJwk[]> {
  try {
    const found = keysFromPem(await readOption({ option: '--public-key', file, form: 'keys in PEM' }, io));
    problems.push(...found.problems.map((problem) => `--public-key=${JSON.stringify(file)}: ${problem}`));
    return found.keys;
  } catch (error) {
    problems.push(messageOf(error));
    return [];
  }
}
