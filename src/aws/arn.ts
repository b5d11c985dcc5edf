// Role ARNs by IAM's rules (IAM API reference: Role, path and RoleName; STS: RoleArn is 20 to 2048 characters).
import { PARTITION_PATTERN } from './partitions.ts';

export interface RoleArn {
  readonly partition: string;
  readonly accountId: string;
  /** Empty, or ends in a slash. */
  readonly path: string;
  readonly roleName: string;
}

const MAX_LENGTH = 2048;
// The shortest that the pattern below takes, arn:aws:iam::123456789012:role/x, has 32 characters: above STS's 20.
const ROLE_ARN = new RegExp(
  `^arn:(${PARTITION_PATTERN}):iam::([0-9]{12}):role/((?:[!-~]+/)?)([A-Za-z0-9_+=,.@-]{1,64})$`,
);

/** The parts of a role ARN, or undefined where IAM would not accept it. */
export function parseRoleArn(text: string): RoleArn | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const match = ROLE_ARN.exec(text);
  if (match === null) return undefined;
  const [, partition = '', accountId = '', path = '', roleName = ''] = match;
  return { partition, accountId, path, roleName };
}

/** Who the role belongs to where only its path and name are written. */
export interface RoleOwner {
  readonly partition: string;
  readonly accountId: string;
}

/** The ARN of a role by path and name, `team/app`; a leading slash is the path's own. */
export function roleArnOf(pathAndName: string, { partition, accountId }: RoleOwner): string {
  return `arn:${partition}:iam::${accountId}:role/${pathAndName.replace(/^\//, '')}`;
}
