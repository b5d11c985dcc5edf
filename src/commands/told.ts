// What the flags of a command say about the decision, and the ConfigMap of roles among its manifests.
import { ownField, ownString } from '../admission/json.ts';
import type { Settings, Surroundings } from '../admission/settings.ts';
import type { ConfigMapEntry } from '../identity/config-map-entries.ts';
import { parseEntries } from '../identity/config-map-entries.ts';
import { namespaceOf, objectsOf } from '../kube/manifest-documents.ts';
import type { Input } from './inputs.ts';

/** What the flags say about the decision. */
export interface Told {
  readonly settings: Settings;
  readonly surroundings: Surroundings;
  /** Where the ConfigMap of roles is looked for; nowhere where undefined. */
  readonly configMapNamespace: string | undefined;
  /** `namespace/name` of the accounts with EKS Pod Identity. */
  readonly containerCredentials: readonly string[];
  /** Whether namespaces have a say. */
  readonly namespacePolicy: boolean;
}

/** The fixed name of the ConfigMap of roles. */
const CONFIG_MAP = 'pod-identity-webhook';

export interface ConfigMapInput {
  readonly entries: readonly ConfigMapEntry[];
  /** Entries that the server would refuse alone. */
  readonly refusals: readonly string[];
  /** What makes the whole ConfigMap unusable. */
  readonly problems: readonly string[];
}

/** Of two with the name, the last. */
export function configMapIn(inputs: readonly Input[], { configMapNamespace }: Told): ConfigMapInput {
  const [found] = inputs
    .flatMap((input) => input.documents.flatMap((document) => objectsOf(document.value)))
    .map(({ kind, object }) => ({ kind, object, name: ownString(ownField(object, 'metadata'), 'name') }))
    .filter(({ kind, name }) => kind === 'ConfigMap' && name === CONFIG_MAP)
    .filter(({ object }) => namespaceOf(object) === configMapNamespace)
    .toReversed();
  if (found === undefined) return { entries: [], refusals: [], problems: [] };
  const where = `ConfigMap ${configMapNamespace ?? ''}/${CONFIG_MAP}`;
  try {
    const { entries, refusals } = parseEntries(ownString(ownField(found.object, 'data'), 'config') ?? '{}');
    return {
      entries,
      refusals: refusals.map(({ key, problem }) => `${where}: entry ${JSON.stringify(key)} refused: ${problem}`),
      problems: [],
    };
  } catch (error) {
    const problem = `${where}: key "config" must hold a JSON object: ${ownString(error, 'message') ?? String(error)}`;
    return { entries: [], refusals: [], problems: [problem] };
  }
}
