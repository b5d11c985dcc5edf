// Whether the webhook would give a new pod its identity now, and if not, why: a dry run, and a look at the certificates that
// the webhook's registration does not tell.
import type { Duplex } from 'node:stream';
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownList, ownString } from '../admission/json.ts';
import { messageOf } from '../admission/thrown.ts';
import { shellWord } from '../aws/shell-word.ts';
import type { ProblemId } from '../diagnosis/problem.ts';
import type { IdentityWebhook } from '../diagnosis/registration.ts';
import {
  caBundleOf,
  IDENTITY_WEBHOOK,
  identityWebhooks,
  readyEndpoints,
  serviceOf,
} from '../diagnosis/registration.ts';
import type { KubeClient } from '../kube/client.ts';
import type { PodPort } from '../kube/port-forward.ts';
import type { Reader } from './diagnose-reading.ts';
import { pathIn } from './diagnose-reading.ts';
import type { Reported } from './diagnose-report.ts';
import { reportedFrom } from './diagnose-report.ts';
import { callProblem } from './probe-pod.ts';
import type { Rehearsal } from './rehearsal.ts';
import { rehearse } from './rehearsal.ts';
import { certificateProblem } from './served-certificate.ts';

/** How a webhook is reached from here. */
export interface Dial {
  readonly pod: (port: PodPort) => Promise<Duplex>;
  /** Undefined for an address that means another machine here than at the API server. */
  readonly url: (url: URL) => (() => Promise<Duplex>) | undefined;
}

export interface WebhookQuestion {
  readonly account: AccountKey;
  /** One of the account; undefined where it has none. */
  readonly pod: JsonObject | undefined;
  readonly annotationPrefix: string;
  /** Undefined where they may not be read. */
  readonly configurations: readonly JsonObject[] | undefined;
  readonly endpointSlices: readonly JsonObject[];
  readonly cluster: Pick<Reader, 'object'>;
  readonly client: Pick<KubeClient, 'write'>;
  readonly dial: Dial;
  readonly hint: (sentence: string) => void;
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
  const lacking = found.find(({ id }) => id === 'pod-not-mutated');
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
      problem.id === 'pod-not-mutated' ? { ...problem, evidence: `${problem.evidence}${now}` } : problem,
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
  return { problems: [...before, problem, ...after.filter(({ id }) => id !== 'pod-not-mutated')], ahead: [] };
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

/** What cannot be looked at is a hint. */
async function certificateProblems(
  webhooks: readonly IdentityWebhook[],
  question: WebhookQuestion,
): Promise<readonly string[]> {
  const problems = new Set<string>();
  for (const { name, webhook } of webhooks) {
    const caBundle = caBundleOf(webhook);
    // One by URL may have none; the API server then takes the authorities of its own machine, which are not known here.
    if (caBundle === '') continue;
    const note = (problem: string): void => void problems.add(`MutatingWebhookConfiguration ${name}: ${problem}`);
    for (const { host, open } of await placesOf(webhook, question, note)) {
      try {
        const problem = await certificateProblem({ socket: await open(), host, caBundle });
        if (problem !== undefined) note(problem);
      } catch (error) {
        question.hint(`not checked: the certificate of ${host}: ${messageOf(error)}`);
      }
    }
  }
  return [...problems];
}

interface Place {
  readonly host: string;
  readonly open: () => Promise<Duplex>;
}

async function placesOf(
  webhook: JsonObject,
  { cluster, endpointSlices, dial }: WebhookQuestion,
  note: (problem: string) => void,
): Promise<readonly Place[]> {
  const address = ownString(ownField(webhook, 'clientConfig'), 'url');
  if (address !== undefined && URL.canParse(address)) {
    const url = new URL(address);
    const open = dial.url(url);
    return open === undefined ? [] : [{ host: url.hostname.replace(/^\[|\]$/g, ''), open }];
  }
  const service = serviceOf(webhook);
  if (service === undefined) return [];
  const { namespace, name } = service;
  const stored = await cluster.object(pathIn(namespace, 'services', name)).catch(() => ({}));
  if (stored === undefined) {
    note(`its Service ${namespace}/${name} does not exist`);
    return [];
  }
  const number = Number(ownField(ownField(ownField(webhook, 'clientConfig'), 'service'), 'port') ?? 443);
  const port = ownList(ownField(stored, 'spec'), 'ports').find((each) => ownField(each, 'port') === number);
  const portName = ownString(port, 'name') ?? '';
  return readyEndpoints(service, endpointSlices).flatMap(({ endpoint, ports }) => {
    const pod = ownString(ownField(endpoint, 'targetRef'), 'name');
    const target = ownField(
      ports.find((each) => (ownString(each, 'name') ?? '') === portName),
      'port',
    );
    if (pod === undefined || typeof target !== 'number') return [];
    return [{ host: `${name}.${namespace}.svc`, open: () => dial.pod({ namespace, pod, port: target }) }];
  });
}
