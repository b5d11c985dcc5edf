// Whether a container's process may read the token file, by the kubelet's own rule (pkg/volume/projected and
// pkg/volume/util FsUserFrom, since Kubernetes 1.19).
import type { JsonObject } from '../admission/json.ts';
import { ownField, ownList, ownString } from '../admission/json.ts';
import { containersOf, isWindows } from '../admission/pod.ts';

const DEFAULT_MODE = 0o644;

/** Why it may not, in words; undefined where it may, or where it cannot be known. */
export function unreadableBy(pod: JsonObject, container: JsonObject, projected: unknown): string | undefined {
  const podContext = ownField(ownField(pod, 'spec'), 'securityContext');
  const context = ownField(container, 'securityContext');
  const setting = (field: string): unknown => ownField(context, field) ?? ownField(podContext, field);
  // With an fsGroup the file is 0640 of that group, which every container belongs to.
  if (isWindows(pod) || typeof ownField(podContext, 'fsGroup') === 'number') return undefined;
  const users = containersOf(pod).map((each) => userOf(each.container, podContext));
  // With one user for all containers, init containers included, the file is 0600 of that user.
  if (users.every((user) => typeof user === 'number' && user === users[0])) return undefined;

  const mode = Number(ownField(projected, 'defaultMode') ?? DEFAULT_MODE);
  // Since 1.31 the kubelet tells what the image makes of it.
  const seen = processOf(pod, container);
  const user = userOf(container, podContext) ?? ownField(seen, 'uid');
  const isRoot = user === 0 || (user === undefined && setting('runAsNonRoot') !== true);
  if (isRoot || (mode & 0o004) !== 0) return undefined;
  // Where runAsGroup is not given, a user that the image does not know has root's group, which the file has too.
  const groups = [
    ownField(seen, 'gid') ?? setting('runAsGroup') ?? 0,
    ...ownList(seen, 'supplementalGroups'),
    ...ownList(podContext, 'supplementalGroups'),
  ];
  if ((mode & 0o040) !== 0 && groups.includes(0)) return undefined;
  return `the file is 0${mode.toString(8)} of root, the container runs as ${user === undefined ? 'a user that is not root' : `user ${JSON.stringify(user)}`}, the pod has no fsGroup and its containers not all one runAsUser`;
}

function processOf(pod: JsonObject, container: JsonObject): unknown {
  const status = ownField(pod, 'status');
  const statuses = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'].flatMap((list) =>
    ownList(status, list),
  );
  const own = statuses.find((each) => ownString(each, 'name') === ownString(container, 'name'));
  return ownField(ownField(own, 'user'), 'linux');
}

function userOf(container: JsonObject, podContext: unknown): unknown {
  return ownField(ownField(container, 'securityContext'), 'runAsUser') ?? ownField(podContext, 'runAsUser');
}
