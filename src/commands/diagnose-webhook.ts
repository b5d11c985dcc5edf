// Whether the webhook would give a new pod its identity now, and if not, why: by a dry run, and a look at the certificates
// that the webhook serves.
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { messageOf } from '../admission/thrown.ts';
import { shellWord } from '../aws/shell-word.ts';
import type { ProblemId } from '../diagnosis/problem.ts';
import type { IdentityWebhook } from '../diagnosis/registration.ts';
import { IDENTITY_WEBHOOK, identityWebhooks, serviceOf } from '../diagnosis/registration.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Reported } from './diagnose-report.ts';
import { reportedFrom } from './diagnose-report.ts';
import { callProblem } from './probe-pod.ts';
import type { Rehearsal } from './rehearsal.ts';
import { rehearse } from './rehearsal.ts';
import type { CertificateQuestion } from './webhook-certificates.ts';
import { certificateProblems } from './webhook-certificates.ts';

export interface WebhookQuestion extends CertificateQuestion {
  readonly account: AccountKey;
  /** One of the account; undefined where it has none. */
  readonly pod: JsonObject | undefined;
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
  const { account, configurations, hint } = question;
  const lacking = found.find(isWholePod);
  const webhooks = identityWebhooks(configurations ?? []);
  const isRegistered = webhooks.length > 0 || (configurations === undefined && lacking !== undefined);
  if (!isRegistered || found.some(({ id }) => SHUT_OUT.has(id))) return { problems: found, ahead: [] };
  const isIdentityWebhook = (name: string): boolean =>
    configurations === undefined ? IDENTITY_WEBHOOK.test(name) : webhooks.some(({ entryName }) => entryName === name);
  const outcome = await rehearse({ ...question, isIdentityWebhook }).catch((error: unknown) => ({
    kind: 'unknown' as const,
    why: messageOf(error),
  }));
  if (outcome.kind === 'unknown') {
    hint(`not tried with a new pod: ${outcome.why}`);
    return { problems: found, ahead: [] };
  }
  question.asked('the webhook, by a dry run');
  if (outcome.kind === 'identity') {
    const now = '; a new pod of the account gets its identity now, as a dry run shows';
    const problems = found.map((problem) =>
      isWholePod(problem) ? { ...problem, evidence: `${problem.evidence}${now}` } : problem,
    );
    return { problems, ahead: [] };
  }
  const reasons = outcome.kind === 'refused' ? [] : await certificateProblems(webhooks, question);
  const problem = problemOf(outcome, {
    account,
    webhooks,
    reasons,
    severity: lacking === undefined ? 'warning' : 'error',
  });
  if (lacking === undefined) return { problems: found, ahead: [problem] };
  const [before, after] = [found.slice(0, found.indexOf(lacking)), found.slice(found.indexOf(lacking))];
  return { problems: [...before, problem, ...after.filter((each) => !isWholePod(each))], ahead: [] };
}

/** Not of a container that was added to a pod with an identity, of which a dry run says nothing. */
function isWholePod({ id, object }: Reported): boolean {
  return id === 'pod-not-mutated' && /^Pod \S+$/.test(object);
}

interface Circumstances {
  readonly account: AccountKey;
  readonly webhooks: readonly IdentityWebhook[];
  readonly reasons: readonly string[];
  readonly severity: 'error' | 'warning';
}

function problemOf(
  outcome: Exclude<Rehearsal, { readonly kind: 'identity' | 'unknown' }>,
  { account, webhooks, reasons, severity }: Circumstances,
): Reported {
  const service = webhooks.map(({ webhook }) => serviceOf(webhook)).find((each) => each !== undefined);
  const logs =
    service === undefined
      ? 'its log'
      : `kubectl logs -n ${shellWord(service.namespace)} deployment/${shellWord(service.name)}`;
  const object = `ServiceAccount ${keyOf(account)}`;
  const [id, what, fix]: [ProblemId, string, string] =
    outcome.kind === 'refused'
      ? ['pod-not-mutated', `the webhook says: ${outcome.message}`, 'do what it says']
      : outcome.kind === 'uncalled'
        ? ['webhook-down', `the API server cannot call "${outcome.name}": ${outcome.cause}`, callProblem(outcome.cause)]
        : ['webhook-down', 'the webhook was not called, did not answer or left it alone', `${logs} says which`];
  const evidence = ['a new pod of the account gets no identity now, as a dry run shows', what, ...reasons].join('; ');
  return reportedFrom({ id, severity, object, evidence, fix: `${fix}; then create its pods again` });
}
