// What `diagnose pod` and `diagnose serviceaccount` are told by their flags.
import { parseRoleArn } from './aws/arn.ts';
import { stsUrlOf } from './aws/partitions.ts';
import { clusterConfigFrom } from './commands/cluster-client.ts';
import { readClusterIssuer } from './commands/cluster-issuer.ts';
import type { DiagnoseClusterOptions } from './commands/diagnose-cluster.ts';
import { runDiagnoseCluster, targetFrom } from './commands/diagnose-cluster.ts';
import type { Target } from './commands/diagnose-reading.ts';
import { createDial } from './commands/dial.ts';
import type { CommandCall, ExitCode } from './commands/io.ts';
import { fetchFrom, orWrongUse, refuseWrongUse } from './commands/issuer-options.ts';
import { readJsonOption, readOption } from './commands/option-files.ts';
import { policyFrom, providerFrom } from './commands/trust-policy-files.ts';
import { ConfigError } from './config-error.ts';
import type { FlagValues } from './flags/given.ts';
import { injectOptionsFrom } from './inject-from-flags.ts';
import { createKubeClient } from './kube/client.ts';
import { LOOPBACK } from './kube/kubeconfig.ts';
import { presentText } from './settings-from-flags.ts';

/** Rejects with ConfigError where it is used wrongly, or the cluster cannot be read. */
export async function diagnoseCluster(
  { flags, operands, io }: CommandCall,
  subject: Target['subject'],
): Promise<ExitCode> {
  const target = targetFrom(operands[0] ?? '', subject);
  const problems: string[] = [];
  const fetch = await fetchFrom(flags, io, problems);
  const stsOf = stsFrom(flags, problems);
  refuseWrongUse(problems);
  const told = await injectOptionsFrom(flags, io.readFile);
  const policyFile = presentText(flags, 'policy');
  const policy = policyFile === undefined ? undefined : await readOption({ option: '--policy', file: policyFile }, io);
  const file = presentText(flags, 'provider');
  const provider = file === undefined ? undefined : await readJsonOption({ option: '--provider', file }, io);
  const config = clusterConfigFrom(flags);
  const client = createKubeClient({ config });
  const cluster = { kubeconfig: presentText(flags, 'kubeconfig'), server: presentText(flags, 'kube-api') };
  try {
    return await runDiagnoseCluster(
      {
        ...told,
        client,
        fetch,
        stsOf,
        dial: createDial(config),
        policy: policy === undefined ? undefined : policyFrom(policy),
        providerOf: (roleArn) => (file === undefined ? undefined : providerFrom(provider, { file, roleArn })),
        readIssuer: () => readClusterIssuer(cluster),
        target,
        now: Date.now,
      },
      io,
    );
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    return await orWrongUse(Promise.reject(error), 'the cluster');
  } finally {
    client.close();
  }
}

/** Adds a sentence to `problems` where it is none. */
function stsFrom(flags: FlagValues, problems: string[]): DiagnoseClusterOptions['stsOf'] {
  const given = presentText(flags, 'sts-endpoint');
  if (given === undefined) {
    return ({ roleArn, region }) => {
      const partition = parseRoleArn(roleArn)?.partition ?? 'aws';
      return { url: stsUrlOf({ partition, ...(region === undefined ? {} : { region }) }), isNamed: false };
    };
  }
  if (given === 'none') return () => undefined;
  if (!isPrivate(given)) {
    const want = 'want https://, as in https://sts.eu-west-1.amazonaws.com, or none';
    problems.push(`--sts-endpoint=${JSON.stringify(given)}: ${want}`);
  }
  return () => ({ url: given, isNamed: true });
}

/** A token must not travel where others can read it. */
function isPrivate(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, password } = new URL(address);
  return (
    username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname)))
  );
}
