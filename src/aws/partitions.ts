// AWS partitions: the first word of every ARN, and which regions belong to which.

/** `aws`, or `aws-` and a name: the ones known today and those still to come. */
export const PARTITION_PATTERN = 'aws(?:-[a-z0-9]+)*';
