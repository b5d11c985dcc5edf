// What happens to each pod of some manifests: the server's own decision, with the manifests in the cluster's place.
import type { Decision } from '../admission/decision.ts';
import type { AccountKey, IdentityOf } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { accountKeyOf, mutate } from '../admission/mutate.ts';
import { podNameOf } from '../admission/pod.ts';
import { EXPLANATIONS } from '../admission/reasons.ts';
import type { Review } from '../admission/review.ts';
import type { Settings } from '../admission/settings.ts';
import type { ConfigMapEntry } from '../identity/config-map-entries.ts';
import { createEntryIndex } from '../identity/config-map-entries.ts';
import { createResolver } from '../identity/resolve.ts';
import type { Contents } from '../kube/manifest-contents.ts';
import { contentsOf } from '../kube/manifest-contents.ts';
import type { ManifestDocument, ManifestObject, Path } from '../kube/manifest-documents.ts';
import { namespaceOf, objectsOf } from '../kube/manifest-documents.ts';
import type { Input } from './inputs.ts';
import type { Told } from './told.ts';
import { podIn } from './workloads.ts';

/** The entries of the ConfigMap of roles. */
interface Entries {
  readonly entries: readonly ConfigMapEntry[];
}

export interface Verdict {
  /** `Deployment/web`. */
  readonly object: string;
  /** File and line, for people. */
  readonly place: string;
  readonly document: ManifestDocument;
  /** Path of the object in the document's value. */
  readonly path: Path;
  readonly pod: JsonObject;
  /** Path of the pod in the object. */
  readonly prefix: Path;
  readonly account: AccountKey;
  readonly decision: Decision;
}

/** The verdicts in the order of the manifests. */
export async function verdictsOf(inputs: readonly Input[], told: Told & Entries): Promise<Verdict[]> {
  const { settings } = told;
  const surroundings = () => told.surroundings;
  const identityOf = identitiesIn(inputs, told);
  const verdicts: Verdict[] = [];
  for (const { input, document, manifest } of manifestsOf(inputs)) {
    const found = podIn(manifest);
    if (found === undefined) continue;
    const review = reviewOf(manifest, found.pod);
    verdicts.push({
      object: `${manifest.kind}/${podNameOf(manifest.object)}`,
      place: `${input.name}:${document.lineAt(manifest.path)}`,
      document,
      path: manifest.path,
      ...found,
      account: accountKeyOf(review),
      // The manifests are in memory: there is nothing to wait for.
      decision: await mutate(review, { identityOf, settings, surroundings }, Infinity),
    });
  }
  return verdicts;
}

/** Why the pod stays without identity; undefined where it has one. */
export function shortfallOf({ account, decision }: Verdict, { annotationPrefix }: Settings): string | undefined {
  const { kind, reason } = decision;
  if (kind === 'patch' || reason === 'already-injected') return undefined;
  if (kind === 'refuse') return `refused: ${decision.message}`;
  const { meaning, fix } = EXPLANATIONS[reason];
  const advice = fix.replaceAll('eks.amazonaws.com/', `${annotationPrefix}/`);
  return `unchanged, ${reason}: ServiceAccount ${keyOf(account)}: ${meaning}; ${advice}`;
}

interface ManifestIn {
  readonly input: Input;
  readonly document: ManifestDocument;
  readonly manifest: ManifestObject;
}

function manifestsOf(inputs: readonly Input[]): ManifestIn[] {
  return inputs.flatMap((input) =>
    input.documents.flatMap((document) => objectsOf(document.value).map((manifest) => ({ input, document, manifest }))),
  );
}

/** What the server's sources would be if these manifests were applied. */
function identitiesIn(inputs: readonly Input[], told: Told & Entries): IdentityOf {
  const manifests = manifestsOf(inputs).map(({ manifest }) => manifest);
  return identitiesFrom(contentsOf(manifests, told.settings.annotationPrefix), told);
}

/** The same of what was read before. */
export function identitiesFrom(
  { accounts, namespaces }: Pick<Contents, 'accounts' | 'namespaces'>,
  told: Told & Entries,
): IdentityOf {
  const { settings, surroundings, containerCredentials } = told;
  const resolve = createResolver({
    lookup: async (key) => {
      const account = accounts.get(keyOf(key));
      return account === undefined ? { kind: 'not-found' } : { kind: 'found', account };
    },
    settings,
    surroundings: () => surroundings,
    now: () => 0,
    hasContainerCredentials: (key) => containerCredentials.includes(keyOf(key)),
    configMapEntryOf: createEntryIndex(told.entries),
    // A namespace that is not in the manifests says nothing.
    namespaceOf: async (name) => ({
      kind: 'found',
      policy: (told.namespacePolicy ? namespaces.get(name) : undefined) ?? {},
    }),
  });
  return async (key, options) => {
    const answer = await resolve(key, options);
    const isMissing = answer.kind === 'none' && answer.reason === 'service-account-not-found';
    return isMissing ? { ...answer, reason: 'service-account-not-in-input' } : answer;
  };
}

function reviewOf(manifest: ManifestObject, pod: JsonObject): Review {
  return {
    apiVersion: 'admission.k8s.io/v1',
    uid: `${manifest.kind}/${namespaceOf(manifest.object)}/${podNameOf(manifest.object)}`,
    namespace: namespaceOf(manifest.object),
    resource: 'pods',
    subResource: '',
    operation: 'CREATE',
    dryRun: true,
    pod,
  };
}
