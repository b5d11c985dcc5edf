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

export const KNOWN_PARTITIONS: readonly string[] = ['aws', ...PARTITIONS.map(([, partition]) => partition)];

interface Endpoints {
  readonly suffix: string;
  /** Where SDKs ask that know of no region: the partition's own, or the first that it had. */
  readonly region: string;
}

// botocore's endpoints.json: dnsSuffix of each partition.
const ENDPOINTS: Readonly<Record<string, Endpoints>> = {
  'aws-cn': { suffix: 'amazonaws.com.cn', region: 'cn-north-1' },
  'aws-us-gov': { suffix: 'amazonaws.com', region: 'us-gov-west-1' },
  'aws-iso': { suffix: 'c2s.ic.gov', region: 'us-iso-east-1' },
  'aws-iso-b': { suffix: 'sc2s.sgov.gov', region: 'us-isob-east-1' },
  'aws-iso-e': { suffix: 'cloud.adc-e.uk', region: 'eu-isoe-west-1' },
  'aws-iso-f': { suffix: 'csp.hci.ic.gov', region: 'us-isof-south-1' },
  'aws-eusc': { suffix: 'amazonaws.eu', region: 'eusc-de-east-1' },
};
const COMMERCIAL: Endpoints = { suffix: 'amazonaws.com', region: 'us-east-1' };

/** Where the SDKs of a region ask STS; where none is known, those of the role's partition. */
export function stsUrlOf({ region, partition }: { readonly region?: string; readonly partition: string }): string {
  const place = region ?? (ENDPOINTS[partition] ?? COMMERCIAL).region;
  return `https://sts.${place}.${(ENDPOINTS[partitionOf(place)] ?? COMMERCIAL).suffix}`;
}

/** Whether the text has the form of an AWS region: `eu-west-1`, `us-gov-east-1`, `eusc-de-east-1`. */
export function isRegion(text: string): boolean {
  return /^[a-z]{2,4}(?:-[a-z]{2,})+-[0-9]{1,2}$/.test(text);
}
