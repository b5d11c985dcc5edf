// Where the documents of an issuer go: the commands for S3, whose hosts say bucket and region, and the addresses for
// any other host of files.
import { partitionOf } from './partitions.ts';
import { shellWord } from './shell-word.ts';

export interface UploadOptions {
  readonly issuer: string;
  /** As it was given. */
  readonly directory: string;
  /** Below the directory and the issuer alike, in the order to upload. */
  readonly paths: readonly string[];
}

interface S3Place {
  readonly bucket: string;
  /** Undefined where the host does not say it. */
  readonly region: string | undefined;
  /** Ends in a slash where there is any. */
  readonly prefix: string;
}

const VIRTUAL_HOST = /^(.+)\.s3(?:[.-](?:dualstack\.)?([a-z]+-[a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?$/;
const PATH_HOST = /^s3(?:[.-](?:dualstack\.)?([a-z]+-[a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?$/;
/** Long enough to spare the bucket, short enough for a rotation that was prepared an hour ahead. */
const MAX_AGE_SECONDS = 300;

/** Lines for people; commands among them can be pasted into a shell. */
export function uploadHints({ issuer, directory, paths }: UploadOptions): readonly string[] {
  const base = issuer.replace(/\/$/, '');
  const place = s3Place(base);
  if (place === undefined) {
    return [
      'upload, for everybody to read without credentials, as application/json:',
      ...paths.map((path) => `  ${directory}/${path} as ${base}/${path}`),
    ];
  }
  const { bucket, region, prefix } = place;
  const options = `--content-type application/json --cache-control max-age=${MAX_AGE_SECONDS}`;
  const where = region === undefined ? '' : ` --region ${region}`;
  return [
    'upload:',
    ...paths.map((path) => {
      const [file, object] = [shellWord(`${directory}/${path}`), shellWord(`s3://${bucket}/${prefix}${path}`)];
      return `  aws s3 cp ${file} ${object} ${options}${where}`;
    }),
    `everybody must be able to read them: a bucket policy that allows s3:GetObject on arn:${partitionOf(region ?? '')}:s3:::${bucket}/${prefix}*`,
    ...(isVirtualWithDot(base, bucket)
      ? [`the bucket's name has a dot: S3's certificate does not fit ${new URL(base).hostname}; choose another name`]
      : []),
  ];
}

function s3Place(base: string): S3Place | undefined {
  const { hostname, pathname } = new URL(base);
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

/** `*.s3.amazonaws.com` stands for one label (RFC 6125 §6.4.3). */
function isVirtualWithDot(base: string, bucket: string): boolean {
  return bucket.includes('.') && new URL(base).hostname.startsWith(`${bucket}.`);
}
