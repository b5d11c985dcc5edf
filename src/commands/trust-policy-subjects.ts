// Whom `trust-policy generate` is to trust: the ServiceAccounts that are named, those that are annotated in manifests
// or in a cluster, and the issuer of their tokens.
import { ownField } from '../admission/json.ts';
import { messageOf } from '../admission/thrown.ts';
import { DISCOVERY_PATH } from '../aws/discovery.ts';
import type { Trusted } from '../aws/trust-policy-generate.ts';
import { parseTrusted } from '../aws/trust-policy-generate.ts';
import { ConfigError } from '../config-error.ts';
import type { FlagValues } from '../flags/given.ts';
import type { KubeClient } from '../kube/client.ts';
import { objectsOf } from '../kube/manifest-documents.ts';
import { presentText } from '../settings-from-flags.ts';
import type { AnnotatedAccount } from './annotated-accounts.ts';
import { annotatedIn, annotatedInCluster, issuerOfCluster } from './annotated-accounts.ts';
import { refusalFix } from './cluster-issuer.ts';
import { readInputs } from './inputs.ts';
import type { CommandIo } from './io.ts';

/** Opens a connection to the cluster that the flags name. */
export type ClientFrom = (flags: FlagValues) => Pick<KubeClient, 'get' | 'stream' | 'close'>;

export interface Given {
  /** Empty where there is none, which is among the problems. */
  readonly issuer: string;
  readonly accounts: readonly Trusted[];
  /** Of the annotated accounts that were found, without doubles. */
  readonly roles: readonly string[];
  /** The subjects first. */
  readonly problems: readonly string[];
  /** Whether nothing says whom to trust. */
  readonly isWithoutSubject: boolean;
}

export interface GivenFrom {
  readonly flags: FlagValues;
  readonly io: CommandIo;
  readonly clientFrom: ClientFrom;
}

/** Rejects with ConfigError where the accounts of the cluster cannot be read. */
export async function whatIsGiven({ flags, io, clientFrom }: GivenFrom): Promise<Given> {
  const problems: string[] = [];
  const audience = flags.text('audience') ?? '';
  const named = namedIn(flags, problems).map((account) => ({ ...account, audience }));
  const inManifests = await annotatedInManifests({ flags, io, problems });
  const cluster = flags.isOn('from-cluster') ? await clusterSays(flags, clientFrom(flags)) : undefined;
  const role = flags.text('role');
  const wanted = [...inManifests, ...(cluster?.annotated ?? [])].filter(
    ({ roleArn }) => role === undefined || roleArn === role,
  );
  const accounts = [...named, ...wanted.map((one) => ({ ...one, audience: one.audience ?? audience }))];
  const isWithoutSubject = accounts.length === 0 && problems.length === 0;
  if (isWithoutSubject) problems.push(noSubject(flags));
  if (audience === '') problems.push('--audience="": want the audience of the tokens, sts.amazonaws.com for AWS');
  const issuer = presentText(flags, 'issuer') ?? cluster?.issuer ?? '';
  if (issuer === '') problems.push(cluster?.issuerProblem ?? NO_ISSUER);
  return { issuer, accounts, roles: [...new Set(wanted.map(({ roleArn }) => roleArn))], problems, isWithoutSubject };
}

const NO_ISSUER = `--issuer: give the issuer of the cluster’s tokens, as kubectl get --raw /${DISCOVERY_PATH} names it`;

function namedIn(flags: FlagValues, problems: string[]): readonly { namespace: string; name: string }[] {
  return flags
    .all('service-account')
    .flatMap((text) => text.split(','))
    .flatMap((text) => {
      const account = parseTrusted(text.trim());
      if (account === undefined)
        problems.push(`--service-account=${JSON.stringify(text)}: want NAMESPACE/NAME, in small letters`);
      return account ?? [];
    });
}

async function annotatedInManifests({
  flags,
  io,
  problems,
}: Omit<GivenFrom, 'clientFrom'> & { readonly problems: string[] }): Promise<readonly AnnotatedAccount[]> {
  if (!flags.isGiven('filename')) return [];
  const { inputs, problems: unread } = await readInputs(flags.all('filename'), io);
  problems.push(...unread);
  const manifests = inputs.flatMap(({ documents }) => documents.flatMap(({ value }) => objectsOf(value)));
  return annotatedIn(manifests, flags.text('annotation-prefix') ?? '');
}

interface ClusterSays {
  readonly annotated: readonly AnnotatedAccount[];
  /** Undefined where it names none, or was not asked. */
  readonly issuer: string | undefined;
  /** Why it was not told. */
  readonly issuerProblem: string | undefined;
}

async function clusterSays(flags: FlagValues, client: ReturnType<ClientFrom>): Promise<ClusterSays> {
  const { signal } = new AbortController();
  try {
    const prefix = flags.text('annotation-prefix') ?? '';
    const annotated = await annotatedInCluster(client, { prefix, signal });
    if (presentText(flags, 'issuer') !== undefined) return { annotated, issuer: undefined, issuerProblem: undefined };
    try {
      return { annotated, issuer: await issuerOfCluster(client, signal), issuerProblem: undefined };
    } catch (error) {
      return { annotated, issuer: undefined, issuerProblem: `--from-cluster: ${messageOf(error)}; or give --issuer` };
    }
  } catch (error) {
    const fix = refusalFix(ownField(error, 'status'), 'list of serviceaccounts in all namespaces');
    const problem = [messageOf(error), ...(fix === undefined ? [] : [fix])].join('; ');
    throw new ConfigError('usage', [`--from-cluster: ${problem}`], { cause: error });
  } finally {
    client.close();
  }
}

function noSubject(flags: FlagValues): string {
  const isRead = flags.isGiven('filename') || flags.isOn('from-cluster');
  if (!isRead) {
    return 'no ServiceAccount to trust: give --service-account=NAMESPACE/NAME, or annotated ones by -f FILE or --from-cluster';
  }
  const annotation = `${flags.text('annotation-prefix')}/role-arn`;
  const role = flags.text('role');
  const what = role === undefined ? `the ARN of a role in ${annotation}` : `${annotation}: ${role}`;
  return `no ServiceAccount to trust: none that was read has ${what}; name it by --service-account=NAMESPACE/NAME`;
}
