// What the rules know: one stored pod, and what was given of the cluster around it.
import { variablesOf } from '../admission/container.ts';
import type { Decision } from '../admission/decision.ts';
import type { AccountKey } from '../admission/identity.ts';
import { keyOf } from '../admission/identity.ts';
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';
import { containersOf, podNameOf } from '../admission/pod.ts';
import type { Settings, Surroundings } from '../admission/settings.ts';
import { foreignNamesOf } from './foreign-containers.ts';

/** What was given; `undefined` is "not given", an empty list is "there is none". */
export interface Surrounding {
  /** Of every namespace. */
  readonly serviceAccounts: readonly JsonObject[];
  /** Whether all there are were given. */
  readonly knowsEveryAccount: boolean;
  readonly namespaces: readonly JsonObject[];
  /** Images of the pods that were given, by the account (`namespace/name`) that they run as. */
  readonly imagesByAccount: ReadonlyMap<string, ReadonlySet<string>>;
  readonly webhookConfigurations: readonly JsonObject[] | undefined;
  /** Of the Services that those call. */
  readonly endpointSlices: readonly JsonObject[] | undefined;
  readonly settings: Settings;
  readonly surroundings: Surroundings;
  /** Whether the question is about one pod, or about those of one account, whatever else was given with them. */
  readonly isAsked: boolean;
  /** Names of the variables that a ConfigMap or Secret holds (`Secret/prod/aws`); undefined where it was not given. */
  readonly keysOf: (reference: string) => readonly string[] | undefined;
  /** Milliseconds since 1970, of certificates. */
  readonly now: number;
}

export interface PodFacts extends Surrounding {
  readonly pod: JsonObject;
  readonly namespace: string;
  /** `Pod prod/api`. */
  readonly object: string;
  readonly account: AccountKey;
  /** Undefined where it was not given. */
  readonly serviceAccount: JsonObject | undefined;
  /** What the webhook would do with the pod as it is now. */
  readonly decision: Decision;
  readonly containers: readonly ContainerFacts[];
}

export type ContainerKind = 'container' | 'init container' | 'ephemeral container';

export interface ContainerFacts {
  readonly name: string;
  readonly kind: ContainerKind;
  readonly object: string;
  readonly container: JsonObject;
  /** Whether a mesh or the like has added it, which has no use for the pod's identity. */
  readonly isForeign: boolean;
  /** Those with a value; the value is undefined where it comes from elsewhere. */
  readonly variables: ReadonlyMap<string, string | undefined>;
  /** Names that envFrom brings, as far as they are known. */
  readonly imported: readonly string[];
  /** Whether envFrom may bring names that are not known. */
  readonly hasUnknownImports: boolean;
}

/** What no webhook sees: SDKs take these before anything else. */
export const OWN_KEYS: readonly string[] = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
export const CREDENTIALS_FILE_VARIABLE = 'AWS_SHARED_CREDENTIALS_FILE';
export const PROFILES: readonly string[] = ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', CREDENTIALS_FILE_VARIABLE];
/** A Secret whose name says that it holds them. */
const KEYS_BY_NAME = /^Secret\/[^/]+\/(?:.*aws.*(?:cred|access-?key|keys?$)|.*cred.*-aws)/;

export function podFacts(
  { pod, namespace, account, decision }: Pick<PodFacts, 'pod' | 'namespace' | 'account' | 'decision'>,
  surrounding: Surrounding,
): PodFacts {
  const object = `Pod ${namespace}/${podNameOf(pod)}`;
  const isForeign = foreignNamesOf(pod);
  const factsOf = (container: JsonObject, kind: ContainerKind): ContainerFacts => {
    const name = ownString(container, 'name') ?? '';
    const imports = importsOf(container, namespace).map(({ reference, prefix, isOptional }) => {
      const byName = KEYS_BY_NAME.test(reference) && !isOptional ? OWN_KEYS : undefined;
      return (surrounding.keysOf(reference) ?? byName)?.map((key) => prefix + key);
    });
    const mayBeUnset = doubtfulNamesOf(container, { namespace, keysOf: surrounding.keysOf });
    return {
      name,
      kind,
      object: `${object} ${kind} ${name}`,
      container,
      isForeign: isForeign(name),
      // SDKs take an empty variable as one that is not set.
      variables: new Map(
        [...variablesOf(container)].filter(([key, value]) => value?.trim() !== '' && !mayBeUnset.includes(key)),
      ),
      imported: imports.flatMap((names) => names ?? []),
      hasUnknownImports: imports.includes(undefined),
    };
  };
  return {
    ...surrounding,
    pod,
    namespace,
    object,
    account,
    decision,
    serviceAccount: surrounding.serviceAccounts.find((candidate) => nameOf(candidate) === keyOf(account)),
    containers: [
      ...containersOf(pod).map(({ container, list }) =>
        factsOf(container, list === 'containers' ? 'container' : 'init container'),
      ),
      ...ownList(ownField(pod, 'spec'), 'ephemeralContainers')
        .filter(isObject)
        .filter((container) => !isOver(pod, container))
        .map((container) => factsOf(container, 'ephemeral container')),
    ],
  };
}

/** A debug container that has ended: nothing takes it out of the pod, and nobody looks at it any more. */
function isOver(pod: JsonObject, container: JsonObject): boolean {
  const name = ownString(container, 'name');
  const status = ownList(ownField(pod, 'status'), 'ephemeralContainerStatuses').find(
    (candidate) => ownString(candidate, 'name') === name,
  );
  return ownField(ownField(status, 'state'), 'terminated') !== undefined;
}

/**
 * Keys and profiles of an optional reference that is not seen to hold them: charts name the keys of a Secret that only
 * those make who want keys.
 */
function doubtfulNamesOf(
  container: JsonObject,
  { namespace, keysOf }: Pick<PodFacts, 'namespace' | 'keysOf'>,
): readonly string[] {
  return ownList(container, 'env').flatMap((entry) => {
    const name = String(ownField(entry, 'name'));
    const from = ownField(entry, 'valueFrom');
    const reference = ownField(from, 'secretKeyRef') ?? ownField(from, 'configMapKeyRef');
    const kind = ownField(from, 'secretKeyRef') === undefined ? 'ConfigMap' : 'Secret';
    if (ownField(reference, 'optional') !== true || ![...OWN_KEYS, ...PROFILES].includes(name)) return [];
    const keys = keysOf(`${kind}/${namespace}/${ownString(reference, 'name') ?? ''}`) ?? [];
    return keys.includes(ownString(reference, 'key') ?? '') ? [] : [name];
  });
}

interface Import {
  readonly reference: string;
  readonly prefix: string;
  readonly isOptional: boolean;
}

function importsOf(container: JsonObject, namespace: string): Import[] {
  return ownList(container, 'envFrom').flatMap((source) =>
    [
      ['secretRef', 'Secret'],
      ['configMapRef', 'ConfigMap'],
    ].flatMap(([field = '', kind = '']) => {
      const name = ownString(ownField(source, field), 'name');
      const prefix = ownString(source, 'prefix') ?? '';
      const isOptional = ownField(ownField(source, field), 'optional') === true;
      return name === undefined ? [] : [{ reference: `${kind}/${namespace}/${name}`, prefix, isOptional }];
    }),
  );
}

/** `namespace/name`, as `keyOf` writes it. */
export function nameOf(object: JsonObject): string {
  const metadata = ownField(object, 'metadata');
  const namespace = ownString(metadata, 'namespace') ?? '';
  return `${namespace === '' ? 'default' : namespace}/${ownString(metadata, 'name') ?? ''}`;
}

/** Whether a variable is set, by whatever means that can be known. */
export function isSet({ variables, imported }: ContainerFacts, name: string): boolean {
  return variables.has(name) || imported.includes(name);
}
