// `diagnose pod` and `diagnose serviceaccount`: the rules of `diagnose manifests` on what a live cluster has stored, a new
// pod on trial, and then what AWS would say to a token of the account.
import { keyOf } from '../admission/identity.ts';
import { shellWord } from '../aws/shell-word.ts';
import { parseRoleArn } from '../aws/arn.ts';
import type { OidcProvider } from '../aws/oidc-provider.ts';
import { annotateCommand, annotationsOf } from '../diagnosis/account.ts';
import type { PodFacts } from '../diagnosis/facts.ts';
import { nameOf } from '../diagnosis/facts.ts';
import type { KubeClient } from '../kube/client.ts';
import { createReader, pathIn } from './cluster-reader.ts';
import type { AwsQuestion, StsPlace } from './diagnose-aws.ts';
import { awsProblems } from './diagnose-aws.ts';
import type { DiagnosisOptions } from './diagnose-inputs.ts';
import { diagnosed } from './diagnose-inputs.ts';
import type { Target } from './diagnose-reading.ts';
import { accountNameIn, configMapOf, inputOf, podsOf, surroundingsOf } from './diagnose-reading.ts';
import type { Reported } from './diagnose-report.ts';
import { reportedFrom, reportJson, reportText } from './diagnose-report.ts';
import type { PolicyGiven } from './trust-policy-files.ts';
import type { Dial } from './webhook-certificates.ts';
import { rehearsed } from './diagnose-webhook.ts';
import { printable } from './findings.ts';
import type { CommandIo, ExitCode } from './io.ts';
import { withTypedLists } from './listed-manifests.ts';
import { wrong } from './option-files.ts';
import { paintWith } from './paint.ts';
import type { StsRequest } from './sts-request.ts';
import { stsRequestOf } from './sts-request.ts';
import { configMapIn } from './told.ts';

export interface DiagnoseClusterOptions extends DiagnosisOptions, Pick<AwsQuestion, 'fetch' | 'readIssuer'> {
  readonly policy: PolicyGiven | undefined;
  readonly client: Pick<KubeClient, 'get' | 'write'>;
  readonly dial: Dial;
  /** Of the role's account; throws ConfigError where what was given is none. */
  readonly providerOf: (roleArn: string) => OidcProvider | null | undefined;
  /** Where a role is asked for in a region; undefined where STS is not to be asked. */
  readonly stsOf: (asked: { readonly roleArn: string; readonly region?: string }) => StsPlace | undefined;
  readonly target: Target;
  readonly output: 'text' | 'json';
}

/** Of `NAMESPACE/NAME`. Throws ConfigError where it is something else. */
export function targetFrom(text: string, subject: Target['subject']): Target {
  const [namespace = '', name = '', rest] = text.split('/');
  if (namespace !== '' && name !== '' && rest === undefined) return { subject, namespace, name };
  const example = `shop/${subject === 'pod' ? 'orders-7d9c' : 'orders'}`;
  throw wrong(`${JSON.stringify(text)}: want NAMESPACE/NAME, as in ${example}`);
}

/** Rejects with ConfigError where there is no such object, with KubeError where the cluster cannot be read. */
export async function runDiagnoseCluster(options: DiagnoseClusterOptions, io: CommandIo): Promise<ExitCode> {
  const { client, target, settings } = options;
  const { subject, namespace } = target;
  const hint = (sentence: string): void => io.stderr(`${printable(sentence)}\n`);
  const sources = ['what is stored'];
  const asked = (what: string): void => void sources.push(what);
  const cluster = createReader(client);
  const pods = await podsOf(cluster, target);
  const account = { namespace, name: subject === 'pod' ? accountNameIn(pods) : target.name };
  const serviceAccount = await cluster.object(pathIn(namespace, 'serviceaccounts', account.name));
  if (serviceAccount === undefined && subject === 'serviceaccount') {
    throw wrong(`"${keyOf(account)}": there is no such ServiceAccount in the cluster`);
  }
  const annotated = annotationsOf(serviceAccount)[`${settings.annotationPrefix}/role-arn`]?.trim() ?? '';
  const around = await surroundingsOf(cluster, { hint, namespace, pods, serviceAccount, withOthers: annotated === '' });
  const configMap = await configMapOf(cluster, { namespace: options.configMapNamespace, hint });
  const listed = withTypedLists([inputOf([...around.items, ...configMap])]);
  const { entries, problems: unreadable } = configMapIn(listed.inputs, options);
  for (const problem of unreadable) hint(problem);
  const found = await diagnosed(listed, { ...options, entries, isAsked: true });
  const objects = [
    ...pods.map((pod) => `Pod ${nameOf(pod)}`),
    `ServiceAccount ${keyOf(account)}`,
    `Namespace ${namespace}`,
  ];
  const local = found.problems
    .filter(({ object }) => objects.some((each) => object === each || object.startsWith(`${each} `)))
    .map(reportedFrom);
  const own = found.pods.filter(({ object }) => objects.includes(object));
  const [facts] = own;
  const { problems: tried, ahead } = isEntitled(annotated, facts)
    ? await rehearsed(local, {
        ...around,
        account,
        pods,
        annotationPrefix: settings.annotationPrefix,
        cluster,
        client,
        dial: options.dial,
        hint,
        asked,
      })
    : { problems: local, ahead: [] };
  const hasForeignToken = local.some(({ id }) => id === 'audience-mismatch');
  const request = stsRequestOf({ ...options, serviceAccount, facts, hasForeignToken });
  const remote = request === undefined ? [] : await remoteProblems(options, { request, account, hint, asked });
  const problems = [...tried, ...remote, ...ahead];
  const isJson = options.output === 'json';
  io.stdout(isJson ? reportJson(problems) : reportText(problems, paintWith(io.colour)));
  // Without a word on what was looked at, "nothing is wrong" would say more than is known.
  if (!isJson) io.stdout(`asked: ${sources.map(printable).join('; ')}\n`);
  return problems.length > 0 ? 1 : 0;
}

/** Whether the webhook would give a new pod of the account an identity. */
function isEntitled(annotated: string, facts: PodFacts | undefined): boolean {
  return facts?.decision.method !== undefined || parseRoleArn(annotated) !== undefined;
}

async function remoteProblems(
  options: DiagnoseClusterOptions,
  { request, ...question }: Pick<AwsQuestion, 'account' | 'hint' | 'asked'> & { readonly request: StsRequest },
): Promise<readonly Reported[]> {
  const { roleArn, region, endpointVariable, audience, isAnnotatedAudience } = request;
  const key = `${options.settings.annotationPrefix}/audience`;
  const unset = `${annotateCommand(question.account)} ${shellWord(`${key}-`)}`;
  const sts = options.stsOf({ roleArn, ...(region === undefined ? {} : { region }) });
  const isElsewhere = sts?.isNamed === false && endpointVariable !== undefined;
  if (isElsewhere) {
    question.hint(`STS was not asked: the pod asks another one, by ${endpointVariable}; name it by --sts-endpoint=URL`);
  }
  const owner = options.policy?.roleArn ?? roleArn;
  if (owner !== roleArn) {
    question.hint(`the trust policy was not judged: --policy is that of ${owner}, and the role is ${roleArn}`);
  }
  return awsProblems({
    ...options,
    ...question,
    ...request,
    policy: owner === roleArn ? options.policy?.text : undefined,
    audienceFix: isAnnotatedAudience && audience !== options.settings.tokenAudience ? unset : undefined,
    provider: options.providerOf(roleArn),
    sts: isElsewhere ? undefined : sts,
  });
}
