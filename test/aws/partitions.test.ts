import { describe, expect, it } from '@jest/globals';
import { isRegion, partitionOf } from '../../src/aws/partitions.ts';

describe('partitionOf', () => {
  it.each([
    ['eu-west-1', 'aws'],
    ['mx-central-1', 'aws'],
    ['cn-northwest-1', 'aws-cn'],
    ['us-gov-east-1', 'aws-us-gov'],
    ['us-iso-west-1', 'aws-iso'],
    ['us-isob-east-1', 'aws-iso-b'],
    ['eu-isoe-west-1', 'aws-iso-e'],
    ['us-isof-south-1', 'aws-iso-f'],
    ['eusc-de-east-1', 'aws-eusc'],
  ])('%s is of %s', (region, partition) => {
    expect(partitionOf(region)).toBe(partition);
    expect(isRegion(region)).toBe(true);
  });
});

describe('isRegion', () => {
  it('refuses what is none: zones of other clouds, local names, other forms', () => {
    expect(
      ['', 'eu', 'eu-west', 'europe-west1', 'westeurope', 'nbg1', 'eu-west-1a', 'EU-WEST-1', 'eu-west-1\n'].map(
        isRegion,
      ),
    ).toEqual(Array(9).fill(false));
  });
});
