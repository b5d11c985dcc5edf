// Lists of one kind, as the API server gives them: `PodList`, `ServiceAccountList`. Their items carry no kind, and an
// empty one says that there is none.
import { isObject, ownField, ownList, ownString } from '../admission/json.ts';
import type { Input } from './inputs.ts';

export interface Listed {
  /** The same, with `kind: List` in the place of each such list. */
  readonly inputs: readonly Input[];
  /** Kinds of which all there are were given. */
  readonly kinds: ReadonlySet<string>;
}

export function withTypedLists(inputs: readonly Input[]): Listed {
  const kinds = new Set<string>();
  const expanded = (value: unknown): unknown => {
    const listKind = ownString(value, 'kind') ?? '';
    const apiVersion = ownField(value, 'apiVersion');
    if (listKind === 'List') return { apiVersion: 'v1', kind: 'List', items: ownList(value, 'items').map(expanded) };
    const kind = listKind.replace(/List$/, '');
    if (kind === listKind || !(ownField(value, 'items') === null || Array.isArray(ownField(value, 'items'))))
      return value;
    kinds.add(kind);
    const items = ownList(value, 'items').filter(isObject);
    return { apiVersion: 'v1', kind: 'List', items: items.map((item) => ({ apiVersion, kind, ...item })) };
  };
  return {
    inputs: inputs.map((input) => ({
      ...input,
      documents: input.documents.map((document) => ({ ...document, value: expanded(document.value) })),
    })),
    kinds,
  };
}
