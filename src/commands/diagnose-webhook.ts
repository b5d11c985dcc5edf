// Whether the webhook would give a new pod its identity now, and if not, why: by a dry run, and a look at the certificates
// that the webhook serves.
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownString } from '../admission/json.ts';
import { messageOf } from '../admission/thrown.ts';
import { shellWord } from '../aws/shell-word.ts';
import { nameOf } from '../diagnosis/facts.ts';
import type { ProblemId } from '../diagnosis/problem.ts';
import type { IdentityWebhook } from '../diagnosis/registration.ts';
import { IDENTITY_WEBHOOK, identityWebhooks, serviceOf } from '../diagnosis/registration.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Reported } from './diagnose-report.ts';
import { reportedFrom } from './diagnose-report.ts';
import { callProblem } from './probe-pod.ts';
import type { Rehearsal } from './rehearsal.ts';
import { rehearse } from './rehearsal.ts';
import type { CertificateProblem, CertificateQuestion } from './webhook-certificates.ts';
import { certificateProblems } from './webhook-certificates.ts';

export interface WebhookQuestion extends CertificateQuestion {
  readonly account: AccountKey;
  /** Those of the account. */
  readonly pods: readonly JsonObject[];
  readonly annotationPrefix: string;
  /** Undefined where they may not be read. */
  readonly configurations: readonly JsonObject[] | undefined;
  readonly client: Pick<KubeClient, 'write'>;
  /** Told what was asked, in a few words each. */
  readonly asked: (what: string) => void;
}

export interface Rehearsed {
  /** What was found before, with what the dry run says about it. */
  readonly problems: readonly Reported[];
  /** What will befall the next pod: said last, for this one has its identity. */
  readonly ahead: readonly Reported[];
}

/** With one of these it is known why no webhook gives the pod an identity, and no new pod would have one. */
const SHUT_OUT: ReadonlySet<string> = new Set<ProblemId>([
  'opted-out-by-label',
  'namespace-excluded',
  'webhook-down',
  'container-skipped',
]);

export async function rehearsed(found: readonly Reported[], question: WebhookQuestion): Promise<Rehearsed> {
  const { account, pods, configurations, hint } = question;
  const known: Rehearsed = { problems: found, ahead: [] };
  const lacking = found.find(isWholePod);
  const webhooks = identityWebhooks(configurations ?? []);
  if (configurations !== undefined && webhooks.length === 0) return known;
  const isShutOut = (named: string): boolean =>
    found.some(({ id, object }) => SHUT_OUT.has(id) && `${object} `.startsWith(`${named} `));
  const pod = pods.find((each) => !isShutOut(`Pod ${nameOf(each)}`));
  if (isShutOut(`Namespace ${account.namespace}`) || (pod === undefined && pods.length > 0)) return known;
  const isIdentityWebhook = (name: string): boolean =>
    configurations === undefined ? IDENTITY_WEBHOOK.test(name) : webhooks.some(({ entryName }) => entryName === name);
  const outcome = await rehearse({ ...question, pod, isIdentityWebhook }).catch((error: unknown) => ({
    kind: 'unknown' as const,
    why: messageOf(error),
  }));
  if (outcome.kind === 'unknown') {
    hint(`not tried with a new pod: ${outcome.why}`);
    return known;
  }
  question.asked('the webhook, by a dry run');
  if (outcome.kind === 'identity') {
    const now = '; a new pod of the account gets its identity now, as a dry run shows';
    const problems = found.map((problem) =>
      isWholePod(problem) ? { ...problem, evidence: `${problem.evidence}${now}` } : problem,
    );
    return { problems, ahead: [] };
  }
  // By whom nobody knows, nor whether there is one.
  if (configurations === undefined && lacking === undefined && outcome.kind === 'none') return known;
  const reasons = outcome.kind === 'refused' ? [] : await certificateProblems(webhooks, question);
  const problem = problemOf(outcome, { account, webhooks, reasons, isLacking: lacking !== undefined });
  if (lacking === undefined) return { problems: found, ahead: [problem] };
  // What keeps all of its pods from an identity comes before what one of them has.
  const first = found.findIndex(({ object }) => object.startsWith('Pod '));
  const others = found.slice(first).filter((each) => !isWholePod(each));
  return { problems: [...found.slice(0, first), problem, ...others], ahead: [] };
}

/** Not of a container that was added to a pod with an identity, of which a dry run says nothing. */
function isWholePod({ id, object }: Reported): boolean {
  return id === 'pod-not-mutated' && /^Pod \S+$/.test(object);
}

interface Circumstances {
  readonly account: AccountKey;
  readonly webhooks: readonly IdentityWebhook[];
  /** What is wrong with what the webhook serves. */
  readonly reasons: readonly CertificateProblem[];
  /** Whether there is a pod without its identity. */
  readonly isLacking: boolean;
}

function problemOf(
  outcome: Exclude<Rehearsal, { readonly kind: 'identity' | 'unknown' }>,
  { account, webhooks, reasons, isLacking }: Circumstances,
): Reported {
  const [id, what]: [ProblemId, string] =
    outcome.kind === 'refused'
      ? ['pod-not-mutated', `the webhook says: ${outcome.message}`]
      : outcome.kind === 'uncalled'
        ? ['webhook-down', `the API server cannot call "${outcome.name}": ${outcome.cause}`]
        : ['webhook-down', 'the webhook was not called, did not answer or left it alone'];
  const whys = reasons.map(({ webhook, problem }) => `MutatingWebhookConfiguration ${webhook.name}: ${problem}`);
  const evidence = ['a new pod of the account gets no identity now, as a dry run shows', what, ...whys].join('; ');
  const fix = fixOf(outcome, webhooks, reasons);
  return reportedFrom({
    id,
    severity: isLacking ? 'error' : 'warning',
    object: `ServiceAccount ${keyOf(account)}`,
    evidence,
    // A remark behind a command stands on a line of its own.
    fix: isLacking ? `${fix}, then create its pods again` : fix,
  });
}

function fixOf(
  outcome: Exclude<Rehearsal, { readonly kind: 'identity' | 'unknown' }>,
  webhooks: readonly IdentityWebhook[],
  reasons: readonly CertificateProblem[],
): string {
  if (outcome.kind === 'refused') return 'do what it says';
  const untrusted = reasons.find(({ problem }) => problem.includes('caBundle'))?.webhook;
  const service = webhooks.map((each) => serviceOf(each.webhook)).find((each) => each !== undefined);
  const url = webhooks.map((each) => urlOf(each.webhook)).find((each) => each !== undefined);
  const log =
    service === undefined
      ? `the log of the webhook${url === undefined ? '' : ` at ${url}`}`
      : `kubectl logs -n ${shellWord(service.namespace)} deployment/${shellWord(service.name)}`;
  if (untrusted !== undefined) {
    const path = `/webhooks/${untrusted.index}/clientConfig/caBundle`;
    const patch = JSON.stringify([{ op: 'replace', path, value: 'BASE64_OF_ITS_CA' }]);
    const words = [untrusted.configuration, '--type=json', '-p', patch].map(shellWord);
    return `kubectl patch mutatingwebhookconfiguration ${words.join(' ')}\n# where the webhook itself or cert-manager writes the caBundle, ${log} says why it did not`;
  }
  // What is known of causes is about pods behind a Service.
  if (outcome.kind === 'uncalled' && service !== undefined) return callProblem(outcome.cause);
  return url === undefined ? `${log} says which` : `see that a webhook answers at ${url}, and what its log says`;
}

function urlOf(webhook: JsonObject): string | undefined {
  return ownString(ownField(webhook, 'clientConfig'), 'url');
}
