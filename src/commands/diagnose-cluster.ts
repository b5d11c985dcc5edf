// `diagnose pod` and `diagnose serviceaccount`: the rules of `diagnose manifests` on what a live cluster has stored, and
// then what AWS would say to a token of the account.
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { messageOf } from '../admission/thrown.ts';
import { parseRoleArn } from '../aws/arn.ts';
import type { OidcProvider } from '../aws/oidc-provider.ts';
import { annotationsOf } from '../diagnosis/account.ts';
import { nameOf } from '../diagnosis/facts.ts';
import type { KubeClient } from '../kube/client.ts';
import type { AwsQuestion } from './diagnose-aws.ts';
import { awsProblems } from './diagnose-aws.ts';
import type { DiagnosisOptions } from './diagnose-inputs.ts';
import { diagnosed } from './diagnose-inputs.ts';
import { accountNameIn, configMapOf, createReader, inputOf, podsOf, surroundingsOf } from './diagnose-reading.ts';
import { reportedFrom, reportJson, reportText } from './diagnose-report.ts';
import type { CommandIo, ExitCode } from './io.ts';
import { withTypedLists } from './listed-manifests.ts';
import { wrong } from './option-files.ts';
import { paintWith } from './paint.ts';
import { configMapIn } from './told.ts';
import type { ClusterIssuer } from './cluster-issuer.ts';

export interface DiagnoseClusterOptions
  extends DiagnosisOptions, Pick<AwsQuestion, 'fetch' | 'policy' | 'stsEndpoint'> {
  readonly client: Pick<KubeClient, 'get' | 'write'>;
  readonly readIssuer: () => Promise<ClusterIssuer>;
  /** Of the role's account; throws ConfigError where what was given is none. */
  readonly providerOf: (roleArn: string) => OidcProvider | null | undefined;
  readonly subject: 'pod' | 'serviceaccount';
  /** `NAMESPACE/NAME`. */
  readonly target: string;
  readonly output: 'text' | 'json';
}

/** Rejects with ConfigError where there is no such object, with KubeError where the cluster cannot be read. */
export async function runDiagnoseCluster(options: DiagnoseClusterOptions, io: CommandIo): Promise<ExitCode> {
  const { client, subject, target, settings } = options;
  const [namespace = '', name = '', rest] = target.split('/');
  if (namespace === '' || name === '' || rest !== undefined) {
    throw wrong(
      `${JSON.stringify(target)}: want NAMESPACE/NAME, as in shop/${subject === 'pod' ? 'orders-7d9c' : 'orders'}`,
    );
  }
  const cluster = createReader(client);
  const pods = await podsOf(cluster, { subject, namespace, name });
  const account = { namespace, name: subject === 'pod' ? accountNameIn(pods) : name };
  const serviceAccount = await cluster.object(`/api/v1/namespaces/${namespace}/serviceaccounts/${account.name}`);
  if (serviceAccount === undefined && subject === 'serviceaccount') {
    throw wrong(`${JSON.stringify(target)}: there is no such ServiceAccount in the cluster`);
  }
  const role = annotationsOf(serviceAccount)[`${settings.annotationPrefix}/role-arn`]?.trim() ?? '';
  const hint = (sentence: string): void => io.stderr(`${sentence}\n`);
  const items = await surroundingsOf(cluster, {
    hint,
    namespace,
    pods,
    serviceAccount,
    withOthers: role === '',
  });
  const listed = withTypedLists([inputOf([...items, ...(await configMapOf(cluster, options.configMapNamespace))])]);
  const { entries, problems: unreadable } = configMapIn(listed.inputs, options);
  for (const problem of unreadable) hint(problem);
  const found = await diagnosed(listed, { ...options, entries });
  const objects = [
    ...pods.map((pod) => `Pod ${nameOf(pod)}`),
    `ServiceAccount ${keyOf(account)}`,
    `Namespace ${namespace}`,
  ];
  const local = found.problems
    .filter(({ object }) => objects.some((each) => object === each || object.startsWith(`${each} `)))
    .map(reportedFrom);
  const remote =
    parseRoleArn(role) === undefined ? [] : await remoteProblems(options, { account, role, serviceAccount, hint });
  const problems = [...local, ...remote];
  io.stdout(options.output === 'json' ? reportJson(problems) : reportText(problems, paintWith(io.colour)));
  return problems.length > 0 ? 1 : 0;
}

interface Entitled {
  readonly account: AccountKey;
  readonly role: string;
  readonly serviceAccount: JsonObject | undefined;
  readonly hint: (sentence: string) => void;
}

/** What cannot be asked is said on stderr, and keeps nothing else from being said. */
async function remoteProblems(options: DiagnoseClusterOptions, { account, role, serviceAccount, hint }: Entitled) {
  const { settings, readIssuer } = options;
  const own = annotationsOf(serviceAccount)[`${settings.annotationPrefix}/audience`] ?? '';
  try {
    const cluster = await readIssuer();
    const audience = own === '' ? settings.tokenAudience : own;
    return await awsProblems({
      ...options,
      account,
      roleArn: role,
      audience,
      cluster,
      provider: options.providerOf(role),
      hint,
    });
  } catch (error) {
    hint(`issuer, trust policy and STS were not checked: ${messageOf(error)}`);
    return [];
  }
}
