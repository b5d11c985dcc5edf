import { describe, expect, it } from '@jest/globals';
import { isRegion, partitionOf, stsUrlOf } from '../../src/aws/partitions.ts';

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

describe('stsUrlOf', () => {
  it.each([
    ['eu-west-1', 'aws', 'https://sts.eu-west-1.amazonaws.com'],
    ['cn-northwest-1', 'aws-cn', 'https://sts.cn-northwest-1.amazonaws.com.cn'],
    // The SDK asks where its region is, whatever the role says.
    ['cn-north-1', 'aws', 'https://sts.cn-north-1.amazonaws.com.cn'],
    [undefined, 'aws', 'https://sts.us-east-1.amazonaws.com'],
    [undefined, 'aws-cn', 'https://sts.cn-north-1.amazonaws.com.cn'],
    [undefined, 'aws-us-gov', 'https://sts.us-gov-west-1.amazonaws.com'],
    [undefined, 'aws-iso', 'https://sts.us-iso-east-1.c2s.ic.gov'],
    [undefined, 'aws-iso-b', 'https://sts.us-isob-east-1.sc2s.sgov.gov'],
    [undefined, 'aws-iso-e', 'https://sts.eu-isoe-west-1.cloud.adc-e.uk'],
    [undefined, 'aws-iso-f', 'https://sts.us-isof-south-1.csp.hci.ic.gov'],
    [undefined, 'aws-eusc', 'https://sts.eusc-de-east-1.amazonaws.eu'],
    [undefined, 'aws-yet-to-come', 'https://sts.us-east-1.amazonaws.com'],
  ])('%s and a role of %s: %s', (region, partition, url) => {
    expect(stsUrlOf({ partition, ...(region === undefined ? {} : { region }) })).toBe(url);
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
