// Which build this is, for --version, the metrics and the log. The image's bundle has both constants baked in
// (deploy/image/bundle.mjs); a plain build answers with what stands here, and reads no file for it.
declare const BAKED_VERSION: string | undefined;
declare const BAKED_COMMIT: string | undefined;

/** The version of package.json, which a test compares with this line. */
export const version: string = typeof BAKED_VERSION === 'undefined' ? '0.1.0' : BAKED_VERSION;

/** The commit's hash; `unknown` where nobody told. */
export const commit: string = typeof BAKED_COMMIT === 'undefined' ? 'unknown' : BAKED_COMMIT;
