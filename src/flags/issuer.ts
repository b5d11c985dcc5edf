// Flags of the commands about the cluster's issuer: oidc and iam.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

const ALL = ['oidc publish', 'oidc verify', 'iam provider'] as const;
const PUBLISH = ['oidc publish'] as const;

export const ISSUER_FLAGS: readonly Flag[] = inGroup('Issuer', [
  {
    name: 'issuer',
    type: 'text',
    placeholder: 'URL',
    commands: ALL,
    help: 'The issuer as it is in the tokens, byte by byte: the first --service-account-issuer of the API server.',
  },
  {
    name: 'from-cluster',
    type: 'boolean',
    default: 'false',
    commands: PUBLISH,
    help: 'Take the keys from the API server, with the ids that it gives them.',
  },
  {
    name: 'public-key',
    type: 'text',
    placeholder: 'FILE',
    repeatable: true,
    commands: PUBLISH,
    help: 'Take the keys from a PEM file, as --service-account-key-file of the API server: PKIX, PKCS#1 or a certificate; - for standard input; may be given more than once.',
  },
  {
    name: 'out',
    type: 'text',
    placeholder: 'DIR',
    commands: PUBLISH,
    help: 'Directory to write; keys that its documents have already stay.',
  },
  {
    name: 'jwks-uri',
    type: 'text',
    placeholder: 'URL',
    commands: PUBLISH,
    help: 'Address of the keys, below the issuer; the one in use unless given, else openid/v1/jwks.',
  },
  {
    name: 'merge-published',
    type: 'boolean',
    default: 'false',
    commands: PUBLISH,
    help: 'Keep also the keys that the issuer publishes now.',
  },
  {
    name: 'retire',
    type: 'text',
    placeholder: 'KEY-ID',
    repeatable: true,
    commands: PUBLISH,
    help: 'Leave a key out that is published; may be given more than once.',
  },
  {
    name: 'token',
    type: 'text',
    placeholder: 'FILE',
    commands: ['oidc verify'],
    help: 'A token of the cluster, whose signature is verified with what is published; - for standard input.',
  },
  {
    name: 'form',
    type: 'choice',
    choices: ['aws-cli', 'terraform'],
    default: 'aws-cli',
    commands: ['iam provider'],
    help: 'What to print.',
  },
  {
    name: 'client-id',
    type: 'text',
    placeholder: 'AUDIENCE',
    repeatable: true,
    commands: ['iam provider'],
    help: 'Audience to take beside --token-audience; may be given more than once.',
  },
  {
    name: 'certificate-authority',
    type: 'text',
    placeholder: 'FILE',
    commands: ALL,
    help: 'CA (PEM) of the issuer, where no public one signs for it; IAM then needs its thumbprint.',
  },
  {
    name: 'connect-to',
    type: 'text',
    placeholder: 'HOST:PORT',
    commands: ALL,
    help: 'Connect there instead of to the issuer’s host: to look before its name points there.',
  },
]);
