// What creates an IAM OIDC provider: the AWS CLI's command and Terraform's resource.
import { shellWord } from './shell-word.ts';

export type ProviderForm = 'aws-cli' | 'terraform';

export interface Provider {
  readonly issuer: string;
  /** The audiences of tokens that STS is to take. */
  readonly clientIds: readonly string[];
  /** Empty where a public CA signs for the issuer. */
  readonly thumbprints: readonly string[];
}

const WITHOUT_THUMBPRINT = [
  '# No thumbprint: AWS trusts the public CAs, and uses thumbprints only for a certificate that none of them signed.',
  '# With a CA of your own: --certificate-authority=FILE.',
];
const WITH_THUMBPRINT = ['# Thumbprints, as no public CA signs for the issuer: change them before its CA changes.'];

/** Ends in a newline; both forms take # for a comment. */
export function providerText(form: ProviderForm, provider: Provider): string {
  const reason = provider.thumbprints.length === 0 ? WITHOUT_THUMBPRINT : WITH_THUMBPRINT;
  const lines = form === 'terraform' ? terraformLines(provider) : cliLines(provider);
  return [...reason, ...lines].map((line) => `${line}\n`).join('');
}

function cliLines({ issuer, clientIds, thumbprints }: Provider): readonly string[] {
  const words = [
    'aws iam create-open-id-connect-provider',
    `--url ${shellWord(issuer)}`,
    `--client-id-list ${clientIds.map(shellWord).join(' ')}`,
    ...(thumbprints.length === 0 ? [] : [`--thumbprint-list ${thumbprints.join(' ')}`]),
  ];
  return words.map((word, index) => `${index === 0 ? '' : '  '}${word}${index === words.length - 1 ? '' : ' \\'}`);
}

function terraformLines({ issuer, clientIds, thumbprints }: Provider): readonly string[] {
  const pairs = [
    ['url', hclText(issuer)],
    ['client_id_list', hclList(clientIds)],
    ...(thumbprints.length === 0 ? [] : [['thumbprint_list', hclList(thumbprints)]]),
  ];
  const width = Math.max(...pairs.map(([name = '']) => name.length));
  return [
    'resource "aws_iam_openid_connect_provider" "cluster" {',
    ...pairs.map(([name = '', value = '']) => `  ${name.padEnd(width)} = ${value}`),
    '}',
  ];
}

function hclList(texts: readonly string[]): string {
  return `[${texts.map(hclText).join(', ')}]`;
}

/** JSON's escapes are HCL's; ${ and %{ begin a template there. */
function hclText(text: string): string {
  return JSON.stringify(text).replaceAll(/([$%])\{/g, '$1$1{');
}
