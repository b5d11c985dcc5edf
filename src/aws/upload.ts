// Where the documents of an issuer go: the commands for S3, whose hosts say bucket and region, and the addresses for
// any other host of files.
import { partitionOf } from './partitions.ts';
import { s3Place } from './s3-place.ts';
import { shellWord } from './shell-word.ts';

export interface UploadOptions {
  readonly issuer: string;
  /** As it was given. */
  readonly directory: string;
  /** Below the directory and the issuer alike, in the order to upload. */
  readonly paths: readonly string[];
}

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
  ];
}
