// What a MutatingWebhookConfiguration says of our CA, and the patch that makes it say the right thing. Entries that do
// not point at our Service are nobody's business here. PURE.
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownList, ownString } from '../admission/json.ts';
import type { CaState } from './authority-state.ts';
import { bundleOf } from './authority-state.ts';

/** On the configuration; of the state whose bundle it holds. */
export const GENERATION_ANNOTATION = 'pod-identity-webhook/ca-generation';

/** Whoever sets one of these wants another controller to write the caBundle. */
const OWNERS = [
  'cert-manager.io/inject-ca-from',
  'cert-manager.io/inject-ca-from-secret',
  'cert-manager.io/inject-apiserver-ca',
  'service.beta.openshift.io/inject-cabundle',
];

export interface Entry {
  readonly index: number;
  readonly name: string;
  /** Base64 of PEM. */
  readonly caBundle: string;
}

export interface Configuration {
  readonly resourceVersion: string;
  /** 0 where no program of ours has written it yet. */
  readonly generation: number;
  /** The same as it is written there. */
  readonly generationText: string;
  readonly hasAnnotations: boolean;
  /** The annotation by which somebody else owns the caBundle. */
  readonly owner: string | undefined;
  /** Those that point at our Service. */
  readonly entries: readonly Entry[];
}

export interface Operation {
  readonly op: 'test' | 'add';
  readonly path: string;
  readonly value: unknown;
}

export function configurationFrom(
  object: JsonObject,
  service: { readonly namespace: string; readonly name: string },
): Configuration {
  const metadata = ownField(object, 'metadata');
  const annotations = ownField(metadata, 'annotations');
  const generationText = ownString(annotations, GENERATION_ANNOTATION) ?? '';
  return {
    resourceVersion: ownString(metadata, 'resourceVersion') ?? '',
    // More digits are nobody's count, and would not be exact.
    generation: /^\d{1,15}$/.test(generationText) ? Number(generationText) : 0,
    generationText,
    hasAnnotations: annotations !== undefined && annotations !== null,
    owner: OWNERS.find((name) => ![undefined, '', 'false'].includes(ownString(annotations, name))),
    entries: ownList(object, 'webhooks').flatMap((webhook, index): Entry[] => {
      const clientConfig = ownField(webhook, 'clientConfig');
      const target = ownField(clientConfig, 'service');
      const isOurs = ownString(target, 'namespace') === service.namespace && ownString(target, 'name') === service.name;
      if (!isOurs) return [];
      return [{ index, name: ownString(webhook, 'name') ?? '', caBundle: ownString(clientConfig, 'caBundle') ?? '' }];
    }),
  };
}

export function isInSync({ generationText, entries }: Configuration, state: CaState): boolean {
  const caBundle = caBundleOf(state);
  return (
    generationText === String(state.generation) &&
    entries.length > 0 &&
    entries.every((entry) => entry.caBundle === caBundle)
  );
}

/** Whether whoever trusts what the configuration says trusts this CA. */
export function isTrusted({ entries }: Configuration, caPem: string): boolean {
  return entries.length > 0 && entries.every((entry) => textOf(entry).includes(caPem));
}

/** Texts of PEM that API servers were told to trust before a program of ours wrote there. */
export function trustedBefore({ generation, entries }: Configuration): readonly string[] {
  return generation > 0 ? [] : entries.map(textOf);
}

function textOf({ caBundle }: Entry): string {
  return Buffer.from(caBundle, 'base64').toString('utf8');
}

/** Only what a policy may allow: caBundle of our entries, and the one annotation. Fails as a whole where anything changed. */
export function operationsFor(configuration: Configuration, state: CaState): readonly Operation[] {
  const { resourceVersion, hasAnnotations, entries } = configuration;
  const caBundle = caBundleOf(state);
  const generation = String(state.generation);
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    ...entries.flatMap(({ index, name }): Operation[] => [
      { op: 'test', path: `/webhooks/${index}/name`, value: name },
      { op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle },
    ]),
    hasAnnotations
      ? { op: 'add', path: `/metadata/annotations/${GENERATION_ANNOTATION.replace('/', '~1')}`, value: generation }
      : { op: 'add', path: '/metadata/annotations', value: { [GENERATION_ANNOTATION]: generation } },
  ];
}

function caBundleOf(state: CaState): string {
  return Buffer.from(bundleOf(state), 'utf8').toString('base64');
}
