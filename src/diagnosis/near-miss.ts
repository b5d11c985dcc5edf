// Keys of annotations that somebody mistyped: near enough to one of ours to be meant for it, and read by nobody.
import { distance } from '../edit-distance.ts';

const ACCOUNT_NAMES = ['role-arn', 'audience', 'sts-regional-endpoints', 'token-expiration', 'role-session-name'];
const POD_NAMES = ['skip-containers', 'include-containers', 'token-expiration'];
/** The role under another spelling: role, rolearn, iam-role-arn, roleName … */
const ROLE_NAME = /^(?:(?:aws|eks|irsa)[-_.]?)?(?:iam[-_.]?)?role(?:[-_.]?(?:arn|arm|ar|an|anr|rn|name|id))?s?$/i;
const AWS_DOMAIN = /amazon|amzn|aws|\beks\b|\biam\b/i;
/** What kube2iam and kiam read on pods: right where one of them runs. */
export const NODE_AGENT_KEY = 'iam.amazonaws.com/role';
/** More letters wrong than this is another word. */
const MAX_DISTANCE = 3;

/** The key that is meant; undefined where it is one of ours or has nothing to do with them. */
export function meantOnAccount(key: string, value: string, prefix: string): string | undefined {
  if (key === 'eks.amazonaws.com/role-arn') return undefined;
  const { domain, name } = partsOf(key);
  const isRole = ROLE_NAME.test(name) && (domain === '' || AWS_DOMAIN.test(domain));
  const role = `${prefix}/role-arn`;
  if (key !== role && (isRole || /^\s*arn:aws[\w-]*:iam::[0-9]*:role\//.test(value))) return role;
  return nearestOf(key, ACCOUNT_NAMES, prefix);
}

export function meantOnPod(key: string, prefix: string): string | undefined {
  return nearestOf(key, POD_NAMES, prefix);
}

/** Whether a pod's annotation was meant to give the pod a role, which only its ServiceAccount's can. */
export function isRoleKey(key: string, prefix: string): boolean {
  const { domain, name } = partsOf(key);
  if (key === NODE_AGENT_KEY) return false;
  return key === `${prefix}/role-arn` || (ROLE_NAME.test(name) && AWS_DOMAIN.test(domain));
}

function partsOf(key: string): { readonly domain: string; readonly name: string } {
  const slash = key.lastIndexOf('/');
  return { domain: key.slice(0, Math.max(slash, 0)), name: key.slice(slash + 1) };
}

function nearestOf(key: string, names: readonly string[], prefix: string): string | undefined {
  const known = names.map((name) => `${prefix}/${name}`);
  if (known.includes(key)) return undefined;
  return known.find((right) => distance(key.toLowerCase(), right) <= MAX_DISTANCE);
}
