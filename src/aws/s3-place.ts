// What the address of an issuer on S3 says: bucket, region, and whether S3's certificate is for it at all.

export interface S3Place {
  readonly bucket: string;
  /** Undefined where the host does not say it. */
  readonly region: string | undefined;
  /** Ends in a slash where there is any. */
  readonly prefix: string;
}

const VIRTUAL_HOST = /^(.+)\.s3(?:[.-](?:dualstack\.)?([a-z]+-[a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?$/;
const PATH_HOST = /^s3(?:[.-](?:dualstack\.)?([a-z]+-[a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?$/;

/** Of a URL; undefined where it is not on S3. */
export function s3Place(address: string): S3Place | undefined {
  const { hostname, pathname } = new URL(address);
  const [, bucket, region] = VIRTUAL_HOST.exec(hostname) ?? [];
  const path = pathname.replace(/^\//, '');
  if (bucket !== undefined) return { bucket, region, prefix: withSlash(path) };
  const host = PATH_HOST.exec(hostname);
  const [first = '', ...rest] = path.split('/');
  return host === null || first === ''
    ? undefined
    : { bucket: first, region: host[1], prefix: withSlash(rest.join('/')) };
}

function withSlash(path: string): string {
  return path === '' ? '' : `${path}/`;
}

/** `*.s3.amazonaws.com` stands for one label (RFC 6125 §6.4.3), and a bucket's name with a dot is two. */
export function isBucketOfTwoLabels(address: string): boolean {
  return VIRTUAL_HOST.exec(new URL(address).hostname)?.[1]?.includes('.') === true;
}
