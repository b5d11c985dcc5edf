import { describe, expect, it } from '@jest/globals';
import { discoveryUrlOf, issuerProblems, issuerWarnings, jwksUriOf, pathBelow } from '../../src/aws/issuer.ts';

const tooLong = `https://oidc.example.com/${'a'.repeat(231)}`;

describe('issuerProblems', () => {
  it.each([
    'https://oidc.example.com',
    'https://oidc.example.com/',
    'https://s3.eu-west-1.amazonaws.com/bucket/cluster-1',
    'https://bucket.s3.amazonaws.com',
    'https://oidc.eks.cn-north-1.amazonaws.com.cn/id/0123456789ABCDEF0123456789ABCDEF',
    `https://oidc.example.com/${'a'.repeat(230)}`,
    'https://localhost.example.com/svc',
    'https://oidc.example.com/.well/a..b/v1.0/...',
  ])('finds nothing in %s', (issuer) => {
    expect(issuerProblems(issuer)).toEqual([]);
  });

  it.each([
    ['', ['it is no URL that begins with https://']],
    ['oidc.example.com', ['it is no URL that begins with https://']],
    ['http://oidc.example.com', ['it is no URL that begins with https://']],
    ['HTTPS://oidc.example.com', ['it is no URL that begins with https://']],
    ['https://', ['it is no URL that begins with https://']],
    [tooLong, ['it is longer than 255 characters, which is all that IAM takes']],
    [
      'https://oidc.example.com ',
      ['it has blanks or characters that are not ASCII; write it exactly as --service-account-issuer has it'],
    ],
    [
      'https://öidc.example.com',
      ['it has blanks or characters that are not ASCII; write it exactly as --service-account-issuer has it'],
    ],
    [
      'https://oidc.example.com:443',
      ['it names a port, which IAM does not take: serve it on 443 and leave the port out'],
    ],
    [
      'https://oidc.example.com:6443/path',
      ['it names a port, which IAM does not take: serve it on 443 and leave the port out'],
    ],
    ['https://oidc.example.com/?a=b', ['it has a query, which IAM does not take: use a path']],
    ['https://oidc.example.com/#a', ['it has a fragment, which is no part of an address']],
    ...['/../a', '/a/..', '/./a', '/%2E%2e/a', '/a\\..\\b', '/..', '\\a'].map((path): [string, string[]] => [
      `https://oidc.example.com${path}`,
      ['its path has dot segments or backslashes, for which IAM and STS fetch another address: write the path out'],
    ]),
    ['https://user@oidc.example.com', ['it names a user: it must be open to anybody']],
    ['https://192.0.2.1', ['its host is an IP address: want a DNS name for which a public CA signs']],
    [
      'https://kubernetes.default.svc',
      ['its host is a name that only your network knows, and STS must reach it: want a public DNS name'],
    ],
    [
      'https://kubernetes.default.svc.cluster.local',
      ['its host is a name that only your network knows, and STS must reach it: want a public DNS name'],
    ],
    [
      'https://oidc',
      ['its host is a name that only your network knows, and STS must reach it: want a public DNS name'],
    ],
  ])('finds in %j what IAM refuses', (issuer, problems) => {
    expect(issuerProblems(issuer)).toEqual(problems);
  });

  it('finds everything at once', () => {
    expect(issuerProblems('https://[::1]:6443/?a#b')).toEqual([
      'it names a port, which IAM does not take: serve it on 443 and leave the port out',
      'it has a query, which IAM does not take: use a path',
      'it has a fragment, which is no part of an address',
      'its host is an IP address: want a DNS name for which a public CA signs',
      'its host is a name that only your network knows, and STS must reach it: want a public DNS name',
    ]);
  });
});

describe('issuerWarnings', () => {
  const compare = 'compare them byte by byte';
  const slash = 'it ends in a slash, which then belongs to the issuer in tokens, IAM and trust policies alike';
  const capitals = 'its host has capital letters, which then belong to it in tokens, IAM and trust policies alike';
  const dotted = {
    warning: "its bucket's name has a dot, and S3's certificate does not fit such a host",
    fix: 'choose another name, or the form https://s3.REGION.amazonaws.com/BUCKET',
  };

  it.each([
    ['https://oidc.example.com/Path', []],
    ['https://oidc.example.com/', [{ warning: slash, fix: compare }]],
    ['https://OIDC.example.com/path', [{ warning: capitals, fix: compare }]],
    ['https://my.bucket.s3.eu-west-1.amazonaws.com/prod', [dotted]],
    ['https://a.b.c.s3.amazonaws.com', [dotted]],
    ['https://my.bucket.s3-us-west-2.amazonaws.com', [dotted]],
    ['https://my.bucket.s3.dualstack.eu-west-1.amazonaws.com/', [{ warning: slash, fix: compare }, dotted]],
    ['https://my-bucket.s3.eu-west-1.amazonaws.com', []],
    ['https://s3.eu-west-1.amazonaws.com/my.bucket', []],
  ])('of %s', (issuer, warnings) => {
    expect(issuerWarnings(issuer)).toEqual(warnings);
  });
});

describe('the addresses of an issuer', () => {
  it.each(['https://oidc.example.com/a/b', 'https://oidc.example.com/a/b/'])('of %s have no empty path', (issuer) => {
    expect([discoveryUrlOf(issuer), jwksUriOf(issuer)]).toEqual([
      'https://oidc.example.com/a/b/.well-known/openid-configuration',
      'https://oidc.example.com/a/b/openid/v1/jwks',
    ]);
  });

  it.each([
    ['https://a.example/b', 'https://a.example/b/keys.json', 'keys.json'],
    ['https://a.example/b/', 'https://a.example/b/openid/v1/jwks', 'openid/v1/jwks'],
    ['https://a.example/b', 'https://a.example/b/.well-known/jwks.json', '.well-known/jwks.json'],
    ['https://a.example/b', 'https://a.example/keys.json', undefined],
    ['https://a.example/b', 'https://a.example/bc/keys.json', undefined],
    ['https://a.example/b', 'https://10.0.0.1:6443/openid/v1/jwks', undefined],
    ['https://a.example', 'https://a.example/../../etc/passwd', undefined],
    ['https://a.example', 'https://a.example/./keys', undefined],
    ['https://a.example', 'https://a.example/a%2fb', undefined],
    ['https://a.example', 'https://a.example//keys', undefined],
    ['https://a.example', 'https://a.example/', undefined],
  ])('below %s, %s is %s', (issuer, address, path) => {
    expect(pathBelow(issuer, address)).toBe(path);
  });
});
