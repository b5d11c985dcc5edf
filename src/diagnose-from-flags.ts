// What `diagnose pod` and `diagnose serviceaccount` are told by their flags.
import { clusterClientFrom } from './commands/cluster-client.ts';
import { readClusterIssuer } from './commands/cluster-issuer.ts';
import type { DiagnoseClusterOptions } from './commands/diagnose-cluster.ts';
import { runDiagnoseCluster } from './commands/diagnose-cluster.ts';
import type { CommandCall, ExitCode } from './commands/io.ts';
import { fetchFrom, orWrongUse, refuseWrongUse } from './commands/issuer-options.ts';
import { readJsonOption, readOption } from './commands/option-files.ts';
import { policyTextFrom, providerFrom } from './commands/trust-policy-files.ts';
import { ConfigError } from './config-error.ts';
import { injectOptionsFrom } from './inject-from-flags.ts';
import { presentText } from './settings-from-flags.ts';

/** Rejects with ConfigError where it is used wrongly, or the cluster cannot be read. */
export async function diagnoseCluster(
  { flags, operands, io }: CommandCall,
  subject: DiagnoseClusterOptions['subject'],
): Promise<ExitCode> {
  const problems: string[] = [];
  const fetch = await fetchFrom(flags, io, problems);
  const stsEndpoint = presentText(flags, 'sts-endpoint');
  // A token must not travel where others can read it.
  if (
    stsEndpoint !== undefined &&
    !/^(?:https:\/\/|http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])[:/])/.test(`${stsEndpoint}/`)
  ) {
    problems.push(
      `--sts-endpoint=${JSON.stringify(stsEndpoint)}: want https://, as in https://sts.eu-west-1.amazonaws.com`,
    );
  }
  refuseWrongUse(problems);
  const told = await injectOptionsFrom(flags, io.readFile);
  const policyFile = presentText(flags, 'policy');
  const policy = policyFile === undefined ? undefined : await readOption({ option: '--policy', file: policyFile }, io);
  const file = presentText(flags, 'provider');
  const provider = file === undefined ? undefined : await readJsonOption({ option: '--provider', file }, io);
  const client = clusterClientFrom(flags);
  const cluster = { kubeconfig: presentText(flags, 'kubeconfig'), server: presentText(flags, 'kube-api') };
  try {
    return await runDiagnoseCluster(
      {
        ...told,
        client,
        fetch,
        stsEndpoint,
        subject,
        policy: policy === undefined ? undefined : policyTextFrom(policy),
        providerOf: (roleArn) => (file === undefined ? undefined : providerFrom(provider, { file, roleArn })),
        readIssuer: () => readClusterIssuer(cluster),
        target: operands[0] ?? '',
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
