import { describe, expect, it } from '@jest/globals';
import { providerText } from '../../src/aws/provider-forms.ts';
import { shellWord } from '../../src/aws/shell-word.ts';
import { uploadHints } from '../../src/aws/upload.ts';

const thumbprint = 'a9993e364706816aba3e25717850c26c9cd0d89d';
const plain = { issuer: 'https://oidc.example.com', clientIds: ['sts.amazonaws.com'], thumbprints: [] };
const pinned = { ...plain, clientIds: ['sts.amazonaws.com', "it's ${a}"], thumbprints: [thumbprint] };
const without = `# No thumbprint: AWS trusts the public CAs, and uses thumbprints only for a certificate that none of them signed.
# With a CA of your own: --certificate-authority=FILE.
`;
const withOne = '# Thumbprints, as no public CA signs for the issuer: change them before its CA changes.\n';

describe('providerText', () => {
  it('is the AWS CLI’s command', () => {
    expect(providerText('aws-cli', plain)).toBe(`${without}aws iam create-open-id-connect-provider \\
  --url https://oidc.example.com \\
  --client-id-list sts.amazonaws.com
`);
    expect(providerText('aws-cli', pinned)).toBe(`${withOne}aws iam create-open-id-connect-provider \\
  --url https://oidc.example.com \\
  --client-id-list sts.amazonaws.com 'it'\\''s \${a}' \\
  --thumbprint-list ${thumbprint}
`);
  });

  it('is Terraform’s resource, in which nothing of a text is a template', () => {
    expect(providerText('terraform', plain)).toBe(`${without}resource "aws_iam_openid_connect_provider" "cluster" {
  url            = "https://oidc.example.com"
  client_id_list = ["sts.amazonaws.com"]
}
`);
    expect(providerText('terraform', pinned)).toBe(`${withOne}resource "aws_iam_openid_connect_provider" "cluster" {
  url             = "https://oidc.example.com"
  client_id_list  = ["sts.amazonaws.com", "it's $\${a}"]
  thumbprint_list = ["${thumbprint}"]
}
`);
  });
});

describe('uploadHints', () => {
  const paths = ['keys.json', '.well-known/openid-configuration'];
  const options = '--content-type application/json --cache-control max-age=300';
  const policy = 'everybody must be able to read them: a bucket policy that allows s3:GetObject on';

  it.each([
    ['https://s3.eu-west-1.amazonaws.com/my-bucket/one/', 's3://my-bucket/one/', ' --region eu-west-1'],
    ['https://s3-us-west-2.amazonaws.com/my-bucket', 's3://my-bucket/', ' --region us-west-2'],
    ['https://s3.amazonaws.com/my-bucket', 's3://my-bucket/', ''],
    ['https://my-bucket.s3.amazonaws.com', 's3://my-bucket/', ''],
    ['https://my-bucket.s3.eu-west-1.amazonaws.com/one', 's3://my-bucket/one/', ' --region eu-west-1'],
    ['https://my-bucket.s3.dualstack.eu-west-1.amazonaws.com', 's3://my-bucket/', ' --region eu-west-1'],
    ['https://my-bucket.s3.cn-north-1.amazonaws.com.cn', 's3://my-bucket/', ' --region cn-north-1'],
  ])('of %s are commands for S3', (issuer, place, region) => {
    expect(uploadHints({ issuer, directory: 'public', paths })).toEqual([
      'upload:',
      `  aws s3 cp public/keys.json ${place}keys.json ${options}${region}`,
      `  aws s3 cp public/.well-known/openid-configuration ${place}.well-known/openid-configuration ${options}${region}`,
      `${policy} arn:${region.includes('cn-') ? 'aws-cn' : 'aws'}:s3:::${place.slice('s3://'.length)}*`,
    ]);
  });

  it('quote what a shell would split', () => {
    const hints = uploadHints({
      issuer: 'https://my.bucket.s3.eu-west-1.amazonaws.com',
      directory: 'a b',
      paths: ['k'],
    });
    expect(hints).toEqual([
      'upload:',
      `  aws s3 cp 'a b/k' s3://my.bucket/k ${options} --region eu-west-1`,
      `${policy} arn:aws:s3:::my.bucket/*`,
    ]);
    expect(uploadHints({ issuer: 'https://s3.amazonaws.com/my.bucket', directory: 'a', paths: [] })).toEqual([
      'upload:',
      `${policy} arn:aws:s3:::my.bucket/*`,
    ]);
  });

  it.each(['https://oidc.example.com', 'https://s3.amazonaws.com'])('of %s are addresses', (issuer) => {
    expect(uploadHints({ issuer: `${issuer}/`, directory: 'public', paths })).toEqual([
      'upload, for everybody to read without credentials, as application/json:',
      `  public/keys.json as ${issuer}/keys.json`,
      `  public/.well-known/openid-configuration as ${issuer}/.well-known/openid-configuration`,
    ]);
  });
});

describe('shellWord', () => {
  it.each([
    ['plain/word-1.2', 'plain/word-1.2'],
    ['', "''"],
    ['a b', "'a b'"],
    ['$(x)', "'$(x)'"],
    ["a'b", `'a'\\''b'`],
  ])('of %j is one word', (text, word) => {
    expect(shellWord(text)).toBe(word);
  });
});
