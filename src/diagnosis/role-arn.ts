// What exactly is wrong with a text that should be the ARN of a role.
import { parseRoleArn } from '../aws/arn.ts';
import { isRegion, partitionOf } from '../aws/partitions.ts';
import { valueWord } from './fix.ts';
import type { ProblemId } from './problem.ts';

export interface ArnProblem {
  readonly id: Extract<ProblemId, `role-arn-${string}`>;
  readonly evidence: string;
}

// What is known today. A partition that comes later is not in it, and its regions are not in partitionOf either.
const KNOWN_PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov', 'aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f', 'aws-eusc'];
// Zero-width characters come with text that was copied from a web page.
const BLANK = /[\s\u00A0\u200B-\u200D\u2060\uFEFF]/g;
const OTHER_RESOURCE =
  /^(?:user|group|policy|instance-profile|oidc-provider|saml-provider|server-certificate|mfa|assumed-role|federated-user|root)\b/i;

/** `regions` are those that the pods of the role run in. Undefined where nothing is wrong. */
export function roleArnProblem(text: string, regions: readonly string[]): ArnProblem | undefined {
  const quoted = JSON.stringify(text);
  const compact = text.replace(BLANK, '');
  const beneath = compact === text ? undefined : roleArnProblem(compact, []);
  // A template that nobody filled in, a name with a blank: without the blanks it would be no ARN either.
  if (beneath !== undefined)
    return { ...beneath, evidence: beneath.evidence.replace(JSON.stringify(compact), () => quoted) };
  if (compact !== text) {
    return { id: 'role-arn-whitespace', evidence: `${quoted} has blanks or line ends, which are no part of an ARN` };
  }
  // A path may hold colons, but nobody names one so: it was put before what had it already.
  if (text.includes(':role/arn:')) {
    return { id: 'role-arn-malformed', evidence: `${quoted} has one ARN behind another` };
  }
  const arn = parseRoleArn(text);
  if (arn !== undefined) return partitionProblem(arn.partition, quoted, regions);
  const [scheme, , service = '', region, account = '', ...rest] = text.split(':');
  const resource = rest.join(':');
  const isArn = scheme === 'arn' && resource !== '';
  if (isArn && (!['iam', ''].includes(service) || OTHER_RESOURCE.test(resource))) {
    return {
      id: 'role-arn-not-a-role',
      evidence: `${quoted} names ${service}’s ${resource.split('/')[0]}, not a role`,
    };
  }
  if (isArn && !/^[0-9]{12}$/.test(account) && region === '' && !resource.startsWith(':')) {
    const evidence = `${quoted} has ${JSON.stringify(account)} as account, which must be 12 digits`;
    return { id: 'role-arn-bad-account', evidence };
  }
  return { id: 'role-arn-malformed', evidence: `${quoted} is not arn:<partition>:iam::<12 digits>:role/<name>` };
}

/** The role for a command, where all that is wrong with it is its place or a blank, for which `regions` count too. */
export function roleWord(
  text: string,
  { composeRoleArn, regions }: { readonly composeRoleArn: boolean; readonly regions: readonly string[] },
): string {
  const compact = text.replace(BLANK, '');
  const isPath = composeRoleArn && !compact.startsWith('arn:');
  const placeholder = 'arn:aws:iam::ACCOUNT_ID:role/NAME';
  return isPath || roleArnProblem(compact, regions) === undefined ? valueWord(compact, placeholder) : placeholder;
}

function partitionProblem(partition: string, quoted: string, regions: readonly string[]): ArnProblem | undefined {
  const id = 'role-arn-wrong-partition';
  if (!KNOWN_PARTITIONS.includes(partition)) return { id, evidence: `${quoted}: there is no partition ${partition}` };
  const region = regions.find((candidate) => isRegion(candidate) && partitionOf(candidate) !== partition);
  if (region === undefined) return undefined;
  return { id, evidence: `${quoted} is of partition ${partition}, but region ${region} is of ${partitionOf(region)}` };
}
