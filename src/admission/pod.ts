// What this program reads of a pod. The pod stays the parsed JSON that the API server sent: nothing is copied or
// serialised again, so that fields which nobody here knows survive.
import type { JsonObject } from './json.ts';
import { isObject, ownField, ownList, ownString } from './json.ts';

/** A container or init container and its JSON Pointer segments. */
export interface ContainerAt {
  readonly list: 'containers' | 'initContainers';
  readonly index: number;
  readonly container: JsonObject;
}

/** Containers, then init containers (native sidecars are init containers). Ephemeral ones cannot be there at creation. */
export function containersOf(pod: JsonObject): ContainerAt[] {
  const spec = ownField(pod, 'spec');
  return (['containers', 'initContainers'] as const).flatMap((list) =>
    ownList(spec, list).flatMap((container, index) => (isObject(container) ? [{ list, index, container }] : [])),
  );
}

/** The ServiceAccount's name; Kubernetes takes an empty or absent one as `default`. */
export function serviceAccountNameOf(pod: JsonObject): string {
  const name = ownString(ownField(pod, 'spec'), 'serviceAccountName');
  return name === undefined || name === '' ? 'default' : name;
}

export function podAnnotation(pod: JsonObject, key: string): string | undefined {
  return ownString(ownField(ownField(pod, 'metadata'), 'annotations'), key);
}

export function podLabel(pod: JsonObject, key: string): string | undefined {
  return ownString(ownField(ownField(pod, 'metadata'), 'labels'), key);
}

/** The pod's name; undefined where the API server will make one. */
export function literalNameOf(pod: JsonObject): string | undefined {
  const name = ownString(ownField(pod, 'metadata'), 'name');
  return name === '' ? undefined : name;
}

/** The pod's name, or what the API server will make one of, for people to read. */
export function podNameOf(pod: JsonObject): string {
  const name = literalNameOf(pod);
  if (name !== undefined) return name;
  const generateName = ownString(ownField(pod, 'metadata'), 'generateName');
  return generateName === undefined || generateName === '' ? '' : `${generateName}*`;
}

const OS_LABELS = ['kubernetes.io/os', 'beta.kubernetes.io/os'];

/** `spec.os.name` says it; else the node selector; else required node affinity, where every alternative must say it. */
export function isWindows(pod: JsonObject): boolean {
  const spec = ownField(pod, 'spec');
  const named = ownString(ownField(spec, 'os'), 'name');
  if (named !== undefined && named !== '') return named === 'windows';

  const selector = ownField(spec, 'nodeSelector');
  const selected = OS_LABELS.map((label) => ownString(selector, label)).find((value) => value !== undefined);
  if (selected !== undefined) return selected === 'windows';

  const affinity = ownField(ownField(spec, 'affinity'), 'nodeAffinity');
  const terms = ownList(ownField(affinity, 'requiredDuringSchedulingIgnoredDuringExecution'), 'nodeSelectorTerms');
  return terms.length > 0 && terms.every(termWantsWindows);
}

function termWantsWindows(term: unknown): boolean {
  return ownList(term, 'matchExpressions').some((expression) => {
    const values = ownList(expression, 'values');
    return (
      OS_LABELS.includes(ownString(expression, 'key') ?? '') &&
      ownString(expression, 'operator') === 'In' &&
      values.length === 1 &&
      values[0] === 'windows'
    );
  });
}
