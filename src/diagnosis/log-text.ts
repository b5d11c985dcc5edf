// A raw log line made readable: whatever quoted, escaped, coloured, framed or wrapped it on its way here is taken off,
// so that one pattern finds an AWS error in every SDK's and every tool's way of logging it.

import { partitionOf } from '../aws/partitions.ts';
import { shellWord } from '../aws/shell-word.ts';

/** Terraform frames its errors, kubectl and journald colour theirs. Starts of lines only: a bar may be part of a text. */
const FRAME = /^ ?[│╷╵|]+ ?| ?[│|]{1,3} ?$/gm;
// Three layers of quoting are what a log collector makes of a JSON log inside of a JSON log.
const LAYERS = 3;
// Words are broken by the width of a terminal where people paste from one: a few pages, not a log.
const PASTED = 65_536;

const ENTITIES: readonly (readonly [entity: string, character: string])[] = [
  ['&quot;', '"'],
  ['&#34;', '"'],
  ['&apos;', "'"],
  ['&#39;', "'"],
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&amp;', '&'],
];

/** The text on one line, and where it is short once more with its lines joined without blanks, as a narrow terminal breaks them. */
export function readings(raw: string): readonly string[] {
  let text = withoutColours(raw);
  for (let layer = 0; layer < LAYERS; layer += 1) text = unescaped(withSlashes(percentDecoded(text)));
  const unframed = text.replace(/[ \t]{2,}|\t/g, ' ').replace(FRAME, '');
  const lines = unframed.replace(/\s{2,}|[^\S ]/g, ' ');
  return text.length > PASTED ? [lines] : [lines, unframed.replace(/ ?[\r\n]+ ?/g, '')];
}

/** Before anything is unescaped: the \r of C:\var\run is no line end. */
function withSlashes(text: string): string {
  return text.replace(/(?<![A-Za-z])[A-Za-z]:(?:\\+[\w. -]+)+/g, (path) => path.replace(/\\+/g, '/'));
}

/** ECMA-48's sequences; also where the escape character itself got lost or was written out. */
function withoutColours(text: string): string {
  // oxlint-disable-next-line eslint/no-control-regex
  return text.replace(/(?:\u001B|\\u001b|\\x1b|\\033|\\e)\[[0-9;]*m/gi, '');
}

/** A form's body writes blanks as plus signs. */
function percentDecoded(text: string): string {
  if (!/%(?:20|2[0-9A-F]|3[A-F])/i.test(text)) return text;
  const spaced = /\s/.test(text.trim()) ? text : text.replaceAll('+', ' ');
  return spaced.replace(/(?:%[0-9A-F]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}

// Three layers of quoting make sixteen backslashes of one at most. A run of them is read from its start only.
function unescaped(text: string): string {
  const plain = ENTITIES.reduce((result, [entity, character]) => result.replaceAll(entity, character), text);
  return plain
    .replace(/(?<!\\)\\{1,16}u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/(?<!\\)\\{1,16}[nr]/g, '\n')
    .replace(/(?<!\\)\\{1,16}t/g, ' ')
    .replace(/(?<!\\)\\{1,16}(["'/])/g, '$1')
    .replace(/[‘’]/g, "'");
}

/** What a line says about whom it concerns; what it does not say is what people have to fill in. */
export interface Mentioned {
  readonly roleArn: string;
  readonly roleName: string;
  readonly accountId: string;
  readonly partition: string;
  /** Without `https://`, as IAM names providers. */
  readonly issuer: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly region: string;
  readonly stsHost: string;
  readonly tokenFile: string;
}

// Others wrote the text, and people paste what is made of it: a name is one word of a shell that no option begins like,
// and a host that is asked is AWS's own.
const STS_HOST =
  /\b((?:vpce-[\w-]{1,60}\.)?sts(?:-fips)?\.(?:[a-z0-9-]{1,30}\.){0,3}(?:amazonaws\.(?:com(?:\.cn)?|eu)|api\.aws|api\.amazonwebservices\.com\.cn|c2s\.ic\.gov|sc2s\.sgov\.gov|csp\.hci\.ic\.gov|cloud\.adc-e\.uk))(?!\.?[\w-])/;

// The one that AWS asks for, then the nearest to STS: a line may name several.
const REGIONS: readonly RegExp[] = [
  /\bexpecting ['"]?([a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9])\b/,
  /\b(?:sts(?:-fips)?|oidc\.eks)\.([a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9])\./,
  /\b(?:aws_?(?:default_?)?)?region['"]? ?[:=] ?['"]?([a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9])\b/i,
  /\barn:aws[\w-]{0,20}:[a-z][a-z0-9-]{1,30}:([a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]):/,
  /\.([a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9])\.(?:[a-z]{2,20}\.)?(?:amazonaws\.com|api\.aws)\b/,
];

export function mentionedIn(text: string): Mentioned {
  const found = (pattern: RegExp, fallback: string): string => shellWord(pattern.exec(text)?.[1] ?? fallback);
  const accountId = found(/arn:aws[\w-]{0,20}:(?:iam|sts)::([0-9]{12}):/, 'ACCOUNT_ID');
  const region = REGIONS.reduceRight((fallback, pattern) => found(pattern, fallback), 'REGION');
  const partition = found(/\barn:(aws[\w-]{0,20}):/, partitionOf(region));
  const roleName = found(/:role\/(?:[\w+=,.@-]{1,64}\/){0,8}([\w+=,.@](?:[\w+=,.@-]{0,62}[\w+=@-])?)/, 'ROLE');
  return {
    roleArn: found(
      /(arn:aws[\w-]{0,20}:iam::[0-9]{12}:role\/(?:[\w+=,.@-]{1,64}\/){0,8}[\w+=,.@](?:[\w+=,.@-]{0,62}[\w+=@-])?)/,
      `arn:${partition}:iam::${accountId}:role/${roleName}`,
    ),
    roleName,
    accountId,
    partition,
    issuer: found(
      /account for (?:https?:\/\/)?((?:[a-z0-9][\w-]{0,62}\.){1,10}[a-z0-9][\w-]{0,62}(?::[0-9]{1,5})?(?:\/(?:[\w./-]{0,250}[\w/-])?)?)/i,
      'ISSUER',
    ),
    namespace: found(/system:serviceaccount:([a-z0-9][a-z0-9-]{0,62}):/, 'NAMESPACE'),
    serviceAccount: found(
      /system:serviceaccount:[a-z0-9][a-z0-9-]{0,62}:([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)/,
      'SERVICE_ACCOUNT',
    ),
    region,
    stsHost: found(STS_HOST, `sts.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`),
    tokenFile: found(
      /((?:\/var)?\/run\/secrets\/(?:pods\.)?eks\.amazonaws\.com\/serviceaccount\/[\w-]{0,63})/,
      '/var/run/secrets/eks.amazonaws.com/serviceaccount/token',
    ),
  };
}
