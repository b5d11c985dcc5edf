// Whether a new pod of an account gets its identity now: one is created by a dry run, which calls every webhook and stores
// nothing. What the registration says is what should happen; this is what does.
import type { AccountKey } from '../admission/identity.ts';
import { isObject, ownList, ownString } from '../admission/json.ts';
import type { JsonObject } from '../admission/json.ts';
import { FULL_URI_VARIABLE } from '../admission/container-credentials.ts';
import { REQUIRED_LABEL } from '../admission/mutate.ts';
import { containersOf } from '../admission/pod.ts';
import { ROLE_ARN_VARIABLE } from '../admission/web-identity.ts';
import { annotationsOf } from '../diagnosis/account.ts';
import { labelsOf } from '../diagnosis/registration.ts';
import type { KubeAnswer } from '../kube/answer.ts';
import type { KubeClient } from '../kube/client.ts';
import { createdByDryRun, failedCallIn, probePod, refuserIn } from './probe-pod.ts';

export type Rehearsal =
  | { readonly kind: 'identity' }
  /** It came back without, and nobody says why: a call that fails is passed over with failurePolicy Ignore. */
  | { readonly kind: 'none' }
  /** Entry of the registration, and the API server's words. */
  | { readonly kind: 'uncalled'; readonly name: string; readonly cause: string }
  /** The webhook was called and says why not. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The pod of the dry run was not taken, which says nothing of others. */
  | { readonly kind: 'unknown'; readonly why: string };

export interface RehearsalOptions {
  readonly client: Pick<KubeClient, 'write'>;
  readonly account: AccountKey;
  /** Stored: labels, containers and our annotations are taken from it, because selectors and the webhook read them. */
  readonly pod: JsonObject | undefined;
  readonly annotationPrefix: string;
  /** Whether an entry of a registration, by its name, is of a webhook for pod identity. */
  readonly isIdentityWebhook: (entryName: string) => boolean;
}

/** Rejects with KubeError where the API server cannot be asked. */
export async function rehearse(options: RehearsalOptions): Promise<Rehearsal> {
  const labels = labelsOf(options.pod);
  const plain = readingOf(await createdBy(options, labels), options);
  if (plain.kind !== 'none' || labels[REQUIRED_LABEL] !== undefined) return plain;
  // A pod that demands its identity is refused with the reason that is passed over for others.
  const demanding = readingOf(await createdBy(options, { ...labels, [REQUIRED_LABEL]: 'true' }), options);
  return demanding.kind === 'uncalled' || demanding.kind === 'refused' ? demanding : plain;
}

async function createdBy(
  { client, account: { namespace, name }, pod, annotationPrefix }: RehearsalOptions,
  labels: Readonly<Record<string, unknown>>,
): Promise<KubeAnswer> {
  const annotations = Object.entries(annotationsOf(pod)).filter(([key]) => key.startsWith(`${annotationPrefix}/`));
  const stored = containersOf(pod ?? {})
    .filter(({ list }) => list === 'containers')
    .map(({ container }) => ({
      name: ownString(container, 'name') ?? '',
      image: ownString(container, 'image') ?? '',
    }));
  const probe = probePod({
    prefix: 'diagnose-',
    namespace,
    serviceAccount: name,
    labels,
    annotations: Object.fromEntries(annotations),
    containers: stored.length > 0 ? stored : [{ name: 'probe', image: 'registry.k8s.io/pause:3.10' }],
  });
  return createdByDryRun(client, { namespace, probe, signal: new AbortController().signal });
}

function readingOf(
  { status, body }: KubeAnswer,
  { isIdentityWebhook }: Pick<RehearsalOptions, 'isIdentityWebhook'>,
): Rehearsal {
  if (status === 201) return { kind: hasIdentity(body) ? 'identity' : 'none' };
  const message = ownString(body, 'message') ?? `the API server answers ${status}`;
  const failed = failedCallIn(message);
  if (failed !== undefined && isIdentityWebhook(failed.name)) return { kind: 'uncalled', ...failed };
  const refuser = refuserIn(message);
  // A registration without sideEffects: None; real pods are another matter.
  const isDryRun = message.includes('does not support dry run');
  if (refuser !== undefined && isIdentityWebhook(refuser) && !isDryRun) return { kind: 'refused', message };
  return { kind: 'unknown', why: message };
}

function hasIdentity(pod: unknown): boolean {
  const variables = containersOf(isObject(pod) ? pod : {}).flatMap(({ container }) => ownList(container, 'env'));
  return variables.some((variable) =>
    [ROLE_ARN_VARIABLE, FULL_URI_VARIABLE].includes(ownString(variable, 'name') ?? ''),
  );
}
