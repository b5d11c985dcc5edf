// What the flags of a command say about the decision, and the ConfigMap of roles among its manifests.
import type { Settings, Surroundings } from '../admission/settings.ts';
import { messageOf } from '../admission/thrown.ts';
import type { ConfigMapEntry } from '../identity/config-map-entries.ts';
import { CONFIG_MAP, parseEntries } from '../identity/config-map-entries.ts';
import { contentsOf } from '../kube/manifest-contents.ts';
import { objectsOf } from '../kube/manifest-documents.ts';
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

export interface ConfigMapInput {
  readonly entries: readonly ConfigMapEntry[];
  /** Entries that the server would refuse alone. */
  readonly refusals: readonly string[];
  /** What makes the whole ConfigMap unusable. */
  readonly problems: readonly string[];
}

/** Of two with the name, the last. */
export function configMapIn(inputs: readonly Input[], { configMapNamespace, settings }: Told): ConfigMapInput {
  if (configMapNamespace === undefined) return { entries: [], refusals: [], problems: [] };
  const manifests = inputs.flatMap((input) => input.documents.flatMap(({ value }) => objectsOf(value)));
  const key = `${configMapNamespace}/${CONFIG_MAP}`;
  try {
    const { entries, refusals } = parseEntries(
      contentsOf(manifests, settings.annotationPrefix).configMaps.get(key) ?? '{}',
    );
    const said = refusals.map(
      (refusal) => `ConfigMap ${key}: entry ${JSON.stringify(refusal.key)} refused: ${refusal.problem}`,
    );
    return { entries, refusals: said, problems: [] };
  } catch (error) {
    return {
      entries: [],
      refusals: [],
      problems: [`ConfigMap ${key}: key "config" must hold a JSON object: ${messageOf(error)}`],
    };
  }
}
