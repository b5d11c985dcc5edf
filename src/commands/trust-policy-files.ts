// What AWS's own commands print, taken as the files of trust-policy: `aws iam get-role` for a policy,
// `aws iam get-open-id-connect-provider` for a provider.
import { ownField, ownList, ownString } from '../admission/json.ts';
import { parseRoleArn } from '../aws/arn.ts';
import type { OidcProvider } from '../aws/oidc-provider.ts';
import { parseProviderArn, providerArnOf } from '../aws/oidc-provider.ts';
import { wrong } from './option-files.ts';

export interface PolicyGiven {
  /** The policy's own: inside of a role it is an object, or URL-encoded text as the API itself gives it. */
  readonly text: string;
  /** Whose it is, where the file says so, as `aws iam get-role` does. */
  readonly roleArn: string | undefined;
}

export function policyFrom(text: string): PolicyGiven {
  try {
    // Editors on Windows put a mark in front, which JSON does not know.
    const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    const role = ownField(parsed, 'Role') ?? parsed;
    const roleArn = ownString(role, 'Arn');
    const document = ownField(role, 'AssumeRolePolicyDocument');
    if (document === undefined) return { text, roleArn };
    return { text: typeof document === 'string' ? decoded(document) : documentIn(text, document), roleArn };
  } catch {
    // Not JSON, or too deep: whoever reads the policy says so.
    return { text, roleArn: undefined };
  }
}

/** The object as it is written, with the keys that stand twice in it. */
function documentIn(text: string, document: unknown): string {
  // In a string a quotation mark has a backslash in front, so this is a key.
  const [start, ...others] = text.matchAll(/"AssumeRolePolicyDocument"\s*:\s*(?=\{)/g);
  if (start === undefined) return JSON.stringify(document);
  const rest = text.slice(start.index + start[0].length);
  let depth = 0;
  for (const { 0: token, index } of rest.matchAll(/"(?:[^"\\]+|\\.)*"|[{}]/g)) {
    if (token === '{') depth += 1;
    else if (token === '}') depth -= 1;
    if (depth === 0 && others.length === 0) return rest.slice(0, index + 1);
  }
  // Which of two is meant, nobody knows: whoever reads the policy says so.
  return text;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Throws ConfigError; null is an account without a provider. */
export function providerFrom(
  value: unknown,
  { file, roleArn }: { readonly file: string; readonly roleArn: string },
): OidcProvider | null {
  if (value === null) return null;
  const url = ownString(value, 'url') ?? ownString(value, 'Url') ?? '';
  const listed = ownField(value, 'clientIds') ?? ownField(value, 'ClientIDList');
  const clientIds = ownList({ listed }, 'listed').filter((one) => typeof one === 'string');
  const role = parseRoleArn(roleArn);
  // IAM's answer about a provider does not repeat the ARN that it was asked for.
  const implied = role === undefined || ownString(value, 'Url') === undefined ? '' : providerArnOf(url, role);
  const arn = ownString(value, 'arn') ?? implied;
  const isList = Array.isArray(listed) && clientIds.length === listed.length;
  if (url === '' || !isList || parseProviderArn(arn) === undefined) {
    const want =
      '{"arn": "arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH", "url": "HOST/PATH", "clientIds": ["…"]}, or null';
    throw wrong(`--provider=${JSON.stringify(file)}: want ${want}`);
  }
  return { arn, url, clientIds };
}
