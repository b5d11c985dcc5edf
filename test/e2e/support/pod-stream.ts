// Ten pods a second, whatever else happens, and what became of each: as the API server has stored it, not as anybody
// says. The pods are gated, so that no node has work with them. A pod that is refused is tried again, as controllers do.
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, ownField, ownList, ownString } from '../../../src/admission/json.ts';
import { report } from '../../cluster/support/report.ts';
import { roleArnsOf, roleFor, serviceAccount } from '../../cluster/support/objects.ts';
import type { Cluster } from './cluster.ts';

export interface PodStreamOptions {
  readonly cluster: Pick<Cluster, 'call' | 'kubectl'>;
  readonly namespace: string;
  /** ServiceAccounts that exist for long, with the role `roleFor(name)`. */
  readonly accounts: readonly string[];
}

export interface CreatedPod {
  readonly name: string;
  readonly account: string;
  /** It must not exist without its identity, and says so by its label. */
  readonly required: boolean;
  /** Its ServiceAccount was created right before it. */
  readonly fresh: boolean;
  /** Of the try that was accepted: `performance.now()`. */
  readonly beganAt: number;
  readonly acceptedAt: number;
  /** What the API server said to the tries before that one. */
  readonly refusals: readonly string[];
}

export interface Outcome {
  /** Those that are stored. */
  readonly created: readonly CreatedPod[];
  /** Those of them that are stored without the role or without the token. */
  readonly without: readonly CreatedPod[];
  /** Those of them that were refused at least once. */
  readonly refused: readonly CreatedPod[];
}

const INTERVAL_MS = 100;
/** Before and after what happens, so that it happens under load from its beginning to its end. */
const AROUND_MS = 1_000;
const RETRY_MS = 250;
/** After what happened is over, a controller must have its pods. */
const PATIENCE_MS = 60_000;

/** Creates pods while that happens; prints what became of them, and leaves none behind. */
export async function whilePodsAreCreated(
  { cluster, namespace, accounts }: PodStreamOptions,
  happening: string,
  happens: () => Promise<unknown>,
): Promise<Outcome> {
  const phase = happening.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  const ending = new AbortController();
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  let giveUpAt = Infinity;

  async function accepted(
    path: string,
    body: object,
  ): Promise<Pick<CreatedPod, 'beganAt' | 'acceptedAt' | 'refusals'>> {
    const refusals: string[] = [];
    for (;;) {
      const beganAt = performance.now();
      const { status, body: answer } = await cluster.call('POST', path, body);
      // 409: an answer was lost, and the object is there.
      if (status === 201 || status === 409) return { beganAt, acceptedAt: performance.now(), refusals };
      const refusal = `${status}: ${ownString(answer, 'message') ?? ''}`;
      // A webhook that cannot be called is 500; what is wrong with the pod itself stays so.
      if (status < 500 && status !== 429) throw new Error(`Refused for good, ${refusal}`);
      if (performance.now() > giveUpAt) throw new Error(`Still refused, ${refusal}`);
      refusals.push(refusal);
      await sleep(RETRY_MS);
    }
  }

  async function create(index: number): Promise<CreatedPod> {
    // Of ten pods two have an account of their own, and half are labelled: each kind meets each.
    const fresh = index % 10 >= 8;
    const required = index % 2 === 0;
    const name = `${phase}-${String(index).padStart(4, '0')}`;
    const account = fresh ? name : (accounts[index % accounts.length] ?? 'default');
    if (fresh) {
      const object = serviceAccount({ namespace, name, roleArn: roleFor(name) });
      await accepted(`/api/v1/namespaces/${namespace}/serviceaccounts`, object);
    }
    const labels = required ? { 'eks.amazonaws.com/pod-identity-required': 'true' } : {};
    const metadata = { name, namespace, labels };
    const spec = {
      serviceAccountName: account,
      schedulingGates: [{ name: 'e2e.pod-identity-webhook/never' }],
      containers: [{ name: 'app', image: 'registry.example/app:1' }],
    };
    return {
      name,
      account,
      required,
      fresh,
      ...(await accepted(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec })),
    };
  }

  async function createUntilTheEnd(): Promise<readonly CreatedPod[]> {
    const creating: Promise<CreatedPod>[] = [];
    const beganAt = performance.now();
    for (let index = 0; !ending.signal.aborted; index += 1) {
      const pod = create(index);
      // Whoever waits for all of them hears of it; before that, it is no fault of the test run.
      pod.catch(() => undefined);
      creating.push(pod);
      await sleep(Math.max(0, beganAt + (index + 1) * INTERVAL_MS - performance.now()));
    }
    giveUpAt = performance.now() + PATIENCE_MS;
    return Promise.all(creating);
  }

  const creating = createUntilTheEnd();
  creating.catch(() => undefined);
  try {
    await sleep(AROUND_MS);
    await happens();
    await sleep(AROUND_MS);
  } finally {
    ending.abort();
  }
  const created = await creating;
  const list: unknown = (await cluster.call('GET', pods)).body;
  const outcome = outcomeOf(created, list);
  report(`${happening}: ${summaryOf(outcome)}`);
  // Gated pods are on no node, so that nobody has to say that they have ended.
  await cluster.kubectl(['delete', '--raw', `${pods}?gracePeriodSeconds=0`]);
  return outcome;
}

function outcomeOf(created: readonly CreatedPod[], list: unknown): Outcome {
  const stored = new Map(
    ownList(list, 'items').map((pod) => [ownString(ownField(pod, 'metadata'), 'name') ?? '', pod] as const),
  );
  const lost = created.find(({ name }) => !stored.has(name));
  if (lost !== undefined) throw new Error(`${lost.name} was accepted and is not stored.`);
  const without = created.filter(({ name, account }) => !hasIdentity(stored.get(name), roleFor(account)));
  return { created, without, refused: created.filter(({ refusals }) => refusals.length > 0) };
}

function hasIdentity(pod: unknown, roleArn: string): boolean {
  const sources = ownList(ownField(pod, 'spec'), 'volumes').flatMap((volume) =>
    ownList(ownField(volume, 'projected'), 'sources'),
  );
  const audiences = sources
    .map((source) => ownField(source, 'serviceAccountToken'))
    .filter(isObject)
    .map((token) => ownString(token, 'audience'));
  const [found, ...more] = roleArnsOf(pod);
  return found === roleArn && more.length === 0 && audiences.includes('sts.amazonaws.com');
}

function summaryOf({ created, without, refused }: Outcome): string {
  const tries = refused.reduce((sum, { refusals }) => sum + refusals.length, 0);
  const longestMs = Math.max(...created.map(({ beganAt, acceptedAt }) => acceptedAt - beganAt));
  const labelled = without.filter(({ required }) => required).length;
  return [
    `${created.length} pods, ${created.length - without.length} with identity`,
    `${without.length} without (${labelled} of them labelled)`,
    `${refused.length} refused and created after ${tries} more tries`,
    `longest create ${Math.round(longestMs)} ms`,
  ].join(', ');
}
