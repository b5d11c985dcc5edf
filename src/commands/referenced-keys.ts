// The names that Secrets and ConfigMaps bring into the containers of pods; what stands under them is never kept.
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';
import { containersOf } from '../admission/pod.ts';
import type { Reader } from './cluster-reader.ts';
import { pathIn } from './cluster-reader.ts';

type Kind = 'Secret' | 'ConfigMap';

const FIELDS: readonly (readonly [envFrom: string, valueFrom: string, kind: Kind, collection: string])[] = [
  ['secretRef', 'secretKeyRef', 'Secret', 'secrets'],
  ['configMapRef', 'configMapKeyRef', 'ConfigMap', 'configmaps'],
];

interface Reference {
  readonly kind: Kind;
  readonly collection: string;
  readonly name: string;
}

/** As manifests with keys and no values. `ifAllowed` is undefined where it was not allowed. */
export async function referencedKeys(
  cluster: Pick<Reader, 'object'>,
  { pods, namespace }: { readonly pods: readonly JsonObject[]; readonly namespace: string },
  ifAllowed: <T>(reading: Promise<T>) => Promise<T | undefined>,
): Promise<object[]> {
  const references = new Map(pods.flatMap(referencesIn).map((each) => [`${each.kind}/${each.name}`, each]));
  const found: object[] = [];
  for (const { kind, collection, name } of references.values()) {
    const object = await ifAllowed(cluster.object(pathIn(namespace, collection, name)));
    if (object === undefined) continue;
    const keys = ['data', 'binaryData'].flatMap((field) => {
      const entries = ownField(object, field);
      return isObject(entries) ? Object.keys(entries) : [];
    });
    const data = Object.fromEntries(keys.map((key) => [key, '']));
    found.push({ apiVersion: 'v1', kind, metadata: { name, namespace }, data });
  }
  return found;
}

/** Of envFrom, which may bring any name, and of variables of AWS, which are not set where an optional key is missing. */
function referencesIn(pod: JsonObject): Reference[] {
  return containersOf(pod).flatMap(({ container }) =>
    FIELDS.flatMap(([envFrom, valueFrom, kind, collection]) => {
      const imported = ownList(container, 'envFrom').map((source) => ownField(source, envFrom));
      const single = ownList(container, 'env')
        .filter((entry) => ownString(entry, 'name')?.startsWith('AWS_') === true)
        .map((entry) => ownField(ownField(entry, 'valueFrom'), valueFrom))
        .filter((reference) => ownField(reference, 'optional') === true);
      return [...imported, ...single].flatMap((reference) => {
        const name = ownString(reference, 'name') ?? '';
        return name === '' ? [] : [{ kind, collection, name }];
      });
    }),
  );
}
