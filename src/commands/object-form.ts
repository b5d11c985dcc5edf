// Whether what calls itself a pod or a ServiceAccount has the form of one: what has not would be passed over, or found
// to be in order.
import type { JsonObject } from '../admission/json.ts';
import { isObject, ownField } from '../admission/json.ts';
import { objectsOf } from '../kube/manifest-documents.ts';
import type { Input } from './inputs.ts';

/** Kinds of which an audit speaks, and a diagnosis. */
const JUDGED = ['Pod', 'ServiceAccount'];

/** A sentence each, with file and line. */
export function formProblems(inputs: readonly Input[]): readonly string[] {
  return inputs.flatMap(({ name, documents }) =>
    documents.flatMap(({ value, lineAt }) =>
      objectsOf(value).flatMap(({ apiVersion, kind, object, path }) => {
        const problem = apiVersion === 'v1' && JUDGED.includes(kind) ? formProblem(kind, object) : undefined;
        return problem === undefined ? [] : [`${name}:${lineAt(path)}: this is no ${kind}: ${problem}; correct it`];
      }),
    ),
  );
}

function formProblem(kind: string, object: JsonObject): string | undefined {
  const metadata = ownField(object, 'metadata');
  if (!isObject(metadata)) return `its metadata is ${nameOf(metadata)}`;
  if (kind !== 'Pod') return undefined;
  const spec = ownField(object, 'spec');
  if (!isObject(spec)) return `its spec is ${nameOf(spec)}`;
  const containers = ownField(spec, 'containers');
  return Array.isArray(containers) ? undefined : `its list of containers is ${nameOf(containers)}`;
}

/** What stands there instead. */
function nameOf(value: unknown): string {
  if (value === undefined || value === null) return 'missing';
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : `a ${typeof value}`;
}
