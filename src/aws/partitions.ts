// AWS partitions: the first word of every ARN, and which regions belong to which.

/** `aws`, or `aws-` and a name: the ones known today and those still to come. */
export const PARTITION_PATTERN = 'aws(?:-[a-z0-9]+)*';

// botocore's partitions.json. Longer prefixes first: us-isob- also begins with us-iso.
const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'],
  ['eusc-', 'aws-eusc'],
];

/** The partition of a region; what no rule names belongs to `aws`, as new regions do. */
export function partitionOf(region: string): string {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
}

/** Whether the text has the form of an AWS region: `eu-west-1`, `us-gov-east-1`, `eusc-de-east-1`. */
export function isRegion(text: string): boolean {
  return /^[a-z]{2,4}(?:-[a-z]{2,})+-[0-9]{1,2}$/.test(text);
}
