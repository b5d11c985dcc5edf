// Flags of the commands that read manifests and print.
import type { Flag } from './flag.ts';
import { inGroup } from './flag.ts';

export const INPUT_FLAGS: readonly Flag[] = inGroup('Input and output', [
  {
    name: 'filename',
    short: 'f',
    type: 'text',
    placeholder: 'FILE',
    repeatable: true,
    commands: ['inject', 'diagnose manifests', 'audit'],
    help: 'Manifests to read, - for standard input; may be given more than once.',
  },
  {
    name: 'diff',
    type: 'boolean',
    default: 'false',
    commands: ['inject'],
    help: 'Show what is added instead of the manifests.',
  },
  {
    name: 'explain',
    type: 'boolean',
    default: 'false',
    commands: ['inject'],
    help: 'Show the decision for each pod and why it was taken, instead of the manifests.',
  },
  {
    name: 'output',
    short: 'o',
    type: 'choice',
    choices: ['text', 'json'],
    default: 'text',
    commands: [
      'inject',
      'diagnose error',
      'diagnose manifests',
      'diagnose pod',
      'diagnose serviceaccount',
      'oidc publish',
      'oidc verify',
      'iam provider',
      'trust-policy check',
      'token inspect',
      'audit',
    ],
    help: 'Form of the output; json is one document.',
  },
]);
